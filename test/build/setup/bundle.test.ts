import { execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
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
const main = () => join(root, '.build/cli/main.cjs');
const bundles = () => readdirSync(join(root, '.build')).filter((name) => name.startsWith('cli-'));

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
  it('runs, and does so as one file that stands alone', () => {
    bundle();
    expect(run(main())).toBe('first');
    for (const file of ['.build/cli.mjs', '.build/cli/one-file.mjs']) {
      mkdirSync(join(root, 'alone'), { recursive: true });
      cpSync(join(root, file), join(root, 'alone/cli.mjs'));
      expect(run(join(root, 'alone/cli.mjs')), file).toBe('first');
    }
  });

  it('leaves what was compiled, uses it the next time, and does without it when it is of no use', () => {
    bundle();
    const cache = join(root, '.build/cli/any.cache');
    expect(run(main())).toBe('first');
    const made = statSync(cache);
    expect(run(main())).toBe('first');
    expect(statSync(cache).ino).toBe(made.ino);
    for (const damage of ['', 'no cache', readFileSync(cache).subarray(0, 1000)]) {
      writeFileSync(cache, damage);
      expect(run(main())).toBe('first');
      expect(statSync(cache).size, 'made anew').toBe(made.size);
    }
  });

  it('keeps what was compiled for each command apart, and nothing of a run that failed', () => {
    bundle();
    execFileSync(process.execPath, [main(), 'build', '--json']);
    writeFileSync(join(root, 'build/cli.ts'), 'process.exitCode = 3;\n');
    bundle();
    const failing = realpathSync(main());
    expect(() => execFileSync(process.execPath, [failing, '../x'])).toThrow();
    const caches = bundles().flatMap((name) =>
      readdirSync(join(root, '.build', name)).filter((one) => /cache/.test(one)),
    );
    expect(caches).toEqual(['build.cache']);
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
