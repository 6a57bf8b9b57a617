import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let root: string;
const bundleArguments = () => [join(process.cwd(), 'build/setup/bundle.mjs'), root];
const bundle = () => execFileSync(process.execPath, bundleArguments(), { encoding: 'utf8' });
const run = (program: string) => execFileSync(process.execPath, [program], { encoding: 'utf8' }).trim();
const program = () => join(root, '.build/cli.mjs');

function writeSources(word: string): void {
  writeFileSync(join(root, 'build/late.ts'), `export const late: string = '${word}';\n`);
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bundle-'));
  mkdirSync(join(root, 'build'));
  writeFileSync(join(root, 'build/cli.ts'), "void import('./late.ts').then(({ late }) => console.log(late));\n");
  writeSources('first');
});
afterEach(() => rmSync(root, { recursive: true }));

describe('the bundle of the command line', () => {
  it('is one file that stands alone', () => {
    bundle();
    mkdirSync(join(root, 'alone'));
    cpSync(program(), join(root, 'alone/cli.mjs'));
    expect(run(join(root, 'alone/cli.mjs'))).toBe('first');
  });

  it('is replaced as a whole, and is as old as its sources were when they were read', () => {
    bundle();
    writeSources('second');
    const before = Date.now();
    bundle();
    expect(run(program())).toBe('second');
    expect(readFileSync(program(), 'utf8')).not.toContain('first');
    expect(statSync(program()).mtimeMs).toBeGreaterThanOrEqual(before - 1);
  });

  it('may be made by several runs at once', async () => {
    const ends = [1, 2, 3].map(
      () => new Promise((done) => spawn(process.execPath, bundleArguments(), { stdio: 'inherit' }).on('exit', done)),
    );
    expect(await Promise.all(ends)).toEqual([0, 0, 0]);
    expect(run(program())).toBe('first');
    expect(readdirSync(join(root, '.build'))).toEqual(['cli.mjs']);
  });
});
