import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOMS = ['src', 'build', 'payload', 'scripts', 'docs'];
const TEXT = /\.(ts|mjs|sh|c|h|md)$/;
const PAGES = ['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];

/** Turns of phrase at which a native reader stops. "There is no X" is plain; "X is no Y" and "be no Y" are not. */
const DIALECT =
  /(?<!there )\b(?:is|are|was|were) no (?!longer\b|more\b|less\b|later\b)|\bgone on with\b|\blet be\b|\bis to be said\b|\bbelongs? into\b|\bcannot be told\b(?! apart)|\bjudg(?:e[ds]?|ing)\b/i;

/** Names of code that say nothing of what they hold, or are said of courts. */
const POOR_NAMES = /\b(?:judge\w*|\w+Judge|told|\w+Words)\b/g;
const FIXED_NAMES = ['scratchWords'];

/** Lines without comments and texts. */
const codeOf = (source: string) =>
  source
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    .split('\n')
    .map((line) => line.replace(/'[^']*'|"[^"]*"/g, "''"));

const files = [
  ...ROOMS.flatMap((room) =>
    readdirSync(room, { recursive: true, encoding: 'utf8' })
      .filter((path) => TEXT.test(path))
      .map((path) => join(room, path)),
  ),
  ...PAGES,
];

describe('plain English', () => {
  it('is looked for in every text', () => expect(files.length).toBeGreaterThan(350));

  it.each(['it is no log', 'does not belong into it', 'was gone on with', 'files are judged'])(
    'stops at "%s"',
    (text) => expect(text).toMatch(DIALECT),
  );

  it.each(['judgeSeal(list)', 'const told = 1', 'serviceWords(text)'])('names nothing as "%s"', (text) =>
    expect(text).toMatch(POOR_NAMES),
  );

  it('names what it holds', () => {
    const found = files
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) =>
        codeOf(readFileSync(file, 'utf8')).flatMap((line) =>
          [...line.matchAll(POOR_NAMES)].map(([name]) => `${file}: ${name}`),
        ),
      )
      .filter((found) => !FIXED_NAMES.some((name) => found.endsWith(` ${name}`)));
    expect(found).toEqual([]);
  });

  it('is all there is', () => {
    const found = files.flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .flatMap((line, at) => (DIALECT.test(line) ? [`${file}:${at + 1}: ${line.trim()}`] : [])),
    );
    expect(found).toEqual([]);
  });
});
