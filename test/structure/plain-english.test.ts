import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOMS = ['src', 'build', 'payload', 'scripts', 'docs'];
const TEXT = /\.(ts|mjs|sh|c|h|md)$/;
const PAGES = ['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];

/** Turns of phrase at which a native reader stops. "There is no X" is plain; "X is no Y" and "be no Y" are not. */
const DIALECT =
  /(?<!there )\b(?:is|are|was|were) no (?!longer\b|more\b|less\b|later\b)|\bgone on with\b|\blet be\b|\bis to be said\b|\bbelongs? into\b/i;

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

  it.each(['it is no log', 'does not belong into it', 'was gone on with'])('stops at "%s"', (text) =>
    expect(text).toMatch(DIALECT),
  );

  it('is all there is', () => {
    const found = files.flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .flatMap((line, at) => (DIALECT.test(line) ? [`${file}:${at + 1}: ${line.trim()}`] : [])),
    );
    expect(found).toEqual([]);
  });
});
