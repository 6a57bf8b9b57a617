import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const page = readFileSync('docs/where-is-what.md', 'utf8');
const rows = [...page.matchAll(/^\| (.+?) \| `([^`]+)` \| `([^`]+)` \|$/gm)].map(
  ([, question, file, word]) => [question, file, word] as [string, string, string],
);

describe('docs/where-is-what.md', () => {
  it('answers at least 30 questions, each with one row of that form', () => {
    expect(rows.length).toBeGreaterThanOrEqual(30);
    expect(page.match(/^\|/gm)).toHaveLength(rows.length + 2);
    expect(new Set(rows.map(([question]) => question)).size).toBe(rows.length);
  });

  it.each(rows)('%s: %s', (_, file, word) => {
    expect(readFileSync(file, 'utf8').split(word).length > 1, `${file} has ${word}`).toBe(true);
  });
});
