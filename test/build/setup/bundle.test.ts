import { execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let root: string;
const bundleArguments = () => [join(process.cwd(), 'build/setup/bundle.mjs'), root];
const bundle = () => execFileSync(process.execPath, bundleArguments(), { encoding: 'utf8' });
const run = (program: string) => execFileSync(process.execPath, [program], { encoding: 'utf8' }).trim();
const main = () => join(root, '.build/cli/main.mjs');
const bundles = () => readdirSync(join(root, '.build')).filter((name) => name.startsWith('cli-'));

function writeSources(word: string): void {
  writeFileSync(join(root, 'build/late.ts'), `export const late: string = '${word}';\n`);
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bundle-'));
  mkdirSync(join(root, 'build'));
  writeFileSync(join(root, 'build/cli.ts'), "console.log((await import('./late.ts')).late);\n");
  writeSources('first');
});
afterEach(() => rmSync(root, { recursive: true }));

describe('the bundle of the command line', () => {
  it('runs in parts, and as one file that stands alone', () => {
    bundle();
    expect(run(main())).toBe('first');
    expect(readdirSync(join(root, '.build/cli')).filter((name) => name.startsWith('late'))).toHaveLength(1);
    for (const file of ['.build/cli.mjs', '.build/cli/one-file.mjs']) {
      mkdirSync(join(root, 'alone'), { recursive: true });
      cpSync(join(root, file), join(root, 'alone/cli.mjs'));
      expect(run(join(root, 'alone/cli.mjs')), file).toBe('first');
    }
  });

  it('is replaced as a whole; a run that began with the one before still finds all its parts', () => {
    bundle();
    const before = realpathSync(main());
    writeSources('second');
    bundle();
    expect(run(main())).toBe('second');
    expect(run(before)).toBe('first');
  });

  it('stays two days after another has replaced it, counted from then', () => {
    bundle();
    const first = readlinkSync(join(root, '.build/cli'));
    const longAgo = new Date(Date.now() - 3 * 86_400_000);
    utimesSync(join(root, '.build', first), longAgo, longAgo);
    writeSources('second');
    bundle();
    expect(bundles()).toContain(first);
    utimesSync(join(root, '.build', first), longAgo, longAgo);
    bundle();
    expect(bundles()).toEqual([readlinkSync(join(root, '.build/cli'))]);
  });

  it('may be made by several runs at once', async () => {
    const ends = [1, 2, 3].map(
      () => new Promise((done) => spawn(process.execPath, bundleArguments(), { stdio: 'inherit' }).on('exit', done)),
    );
    expect(await Promise.all(ends)).toEqual([0, 0, 0]);
    expect(run(main())).toBe('first');
    expect(readdirSync(join(root, '.build')).sort()).toEqual(['cli', ...bundles(), 'cli.mjs']);
  });
});
