import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

interface Figures {
  readonly folders: Readonly<Record<string, number>>;
  readonly circles: readonly (readonly string[])[];
  readonly functions: { readonly count: number; readonly median: number; readonly longest: number };
  readonly longFunctions: readonly { readonly file: string; readonly name: string; readonly lines: number }[];
  readonly twice: readonly { readonly name: string; readonly files: readonly string[] }[];
  readonly forTestsAlone: readonly { readonly file: string; readonly name: string }[];
}

const figures = (folder: string): Figures =>
  JSON.parse(execFileSync('node', ['build/figures/figures.mjs', folder, '--json'], { encoding: 'utf8' }));

describe('the house', () => {
  const found = figures('.');

  it('is looked at', () => {
    expect(found.functions.count).toBeGreaterThan(1500);
    expect(Object.keys(found.folders).length).toBeGreaterThan(40);
  });

  it('has no import circle, types and dynamic imports counted', () => expect(found.circles).toEqual([]));

  it('has no function over 60 lines, in TypeScript, C or shell', () => expect(found.longFunctions).toEqual([]));

  it('gives every name from one file only', () => expect(found.twice).toEqual([]));

  it('has no function in src and build that only tests call', () => expect(found.forTestsAlone).toEqual([]));

  it('has no folder with more than 14 files of its own, 16 where each is one command, tool or system', () => {
    const limit = (folder: string) =>
      [
        'build/commands',
        'build/kit/systems',
        'build/setup',
        'src/apple-messages/tables',
        'src/toolchain/apple',
      ].includes(folder)
        ? 16
        : 14;
    expect(Object.entries(found.folders).filter(([folder, count]) => count > limit(folder))).toEqual([]);
  });
});

describe('the figures', () => {
  const root = mkdtempSync(join(tmpdir(), 'figures-'));
  afterAll(() => rmSync(root, { recursive: true }));
  const lines = (count: number, line: string) => `${line}\n`.repeat(count);
  const files = {
    'src/a.ts':
      "import type { B } from './b.ts';\nexport const a = (b: B): string => b.text;\nexport function forTests() {}\n",
    'src/b.ts':
      "import { a } from './a.ts';\nexport interface B { text: string }\nexport const c = () => a({ text: '' });\n",
    'src/again.ts': "export * from './b.ts';\n",
    'build/user.ts': `import { c } from '../src/again.ts';\nexport class User {\n  run() {\n${lines(59, '    c();')}  }\n}\n`,
    'build/main.mjs': "export const main = await import('./user.ts');\n",
    'payload/x.c': `#include <x.h>\n/* { */\nstatic int\nlong_one(int a,\n    int b)\n{\n${lines(57, '    a("}");')}}\n\nint short_one(void) {\n    return 1;\n}\n`,
    'scripts/x.sh': `long() {\n${lines(60, '  : }')}}\nshort() { :; }\nsub() (\n  :\n)\n`,
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const found = figures(root);

  it.each([[['--help']], [['.', '--json', 'src']]])('say what is no checkout: %j', (words) => {
    const run = spawnSync('node', ['build/figures/figures.mjs', ...words], { encoding: 'utf8' });
    expect(run.stderr).toMatch(/^figures: .* is not one checkout/);
    expect(run.stderr).toContain('\nusage: npm run figures [-- FOLDER --json]\n');
    expect(run.status).toBe(2);
  });

  it('count the lines of functions in each language', () => {
    expect(found.longFunctions).toEqual([
      { file: 'build/user.ts', name: 'run', line: 3, lines: 61 },
      { file: 'payload/x.c', name: 'long_one', line: 3, lines: 62 },
      { file: 'scripts/x.sh', name: 'long', line: 1, lines: 62 },
    ]);
    // a, forTests, c, run, long_one, short_one, long, short, sub
    expect(found.functions).toEqual({ count: 9, median: 3, p90: 62, longest: 62 });
  });

  it('find circles through types, names given twice and functions for tests alone', () => {
    expect(found.circles).toEqual([['src/a.ts', 'src/b.ts']]);
    expect(found.twice).toEqual([
      { name: 'B', files: ['src/again.ts', 'src/b.ts'] },
      { name: 'c', files: ['src/again.ts', 'src/b.ts'] },
    ]);
    expect(found.forTestsAlone).toEqual([{ file: 'src/a.ts', name: 'forTests' }]);
  });
});
