import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../../src/base/errors.ts';

/** One version's part of CHANGELOG.md. */
export interface ChangelogEntry {
  readonly version: string;
  /** Whether its heading gives a date instead of `not released`. */
  readonly released: boolean;
  /** Markdown below the heading. */
  readonly text: string;
}

/** The two headings that a version can have. */
const HEADING = /^## (\d+\.\d+\.\d+), (?:not released|(\d{4})-(\d{2})-(\d{2}))$/;
/** Whatever was meant to be a heading of a version: it is one of the two above, or a mistake. */
const MEANT = /^\s*(?:##(?!#)|#{1,6}[^\w#]*v?\d+\.\d+|(?:\*\*|__)v?\d+\.\d+\.\d+)/;

/**
 * Returns what CHANGELOG.md says of a version, or null when it has no heading for it.
 *
 * @throws UsageError `CHANGELOG_HEADING`, see `parseChangelog`
 * @example `## 1.1.0, 2026-11-30` is released; `## 1.1.0, not released` is not.
 */
export async function changelogEntry(root: string, version: string): Promise<ChangelogEntry | null> {
  return (await readChangelog(root)).find((entry) => entry.version === version) ?? null;
}

/** Returns the entries of a project's CHANGELOG.md. */
export async function readChangelog(root: string): Promise<ChangelogEntry[]> {
  return parseChangelog(await readFile(join(root, 'CHANGELOG.md'), 'utf8'));
}

/**
 * Returns the entries of CHANGELOG.md, in its order.
 *
 * A heading decides whether a merge becomes a release, so one that is nearly right is an error and never "not released".
 *
 * @throws UsageError `CHANGELOG_HEADING` for a heading that is not exactly `## X.Y.Z, YYYY-MM-DD` or `## X.Y.Z, not released`:
 *   another space, dash or end of line, a date that is not in the calendar, a version that is there twice
 */
export function parseChangelog(source: string): ChangelogEntry[] {
  const lines = source.replace(/^\uFEFF/, (mark) => refuse(1, mark)).split('\n');
  const entries: { version: string; released: boolean; lines: string[] }[] = [];
  for (const [index, line] of lines.entries()) {
    // An underline makes a heading of the line before it.
    if (/^\s*(=+|-+)\s*$/.test(line) && /\d+\.\d+\.\d+/.test(lines[index - 1] ?? ''))
      refuse(index, lines[index - 1] ?? '');
    const match = HEADING.exec(line);
    if (!match && MEANT.test(line)) refuse(index + 1, line);
    if (!match) {
      entries.at(-1)?.lines.push(line);
      continue;
    }
    const [, version, year, month, day] = match as unknown as [string, string, ...(string | undefined)[]];
    if (year !== undefined && !isDate(Number(year), Number(month), Number(day))) refuse(index + 1, line);
    if (entries.some((entry) => entry.version === version)) refuse(index + 1, line);
    entries.push({ version, released: year !== undefined, lines: [] });
  }
  return entries.map(({ lines: text, ...entry }) => ({ ...entry, text: text.join('\n').trim() }));
}

function isDate(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  // A month that is not there moves the year, a day that is not there the day.
  return date.getUTCFullYear() === year && date.getUTCDate() === day;
}

function refuse(line: number, found: string): never {
  throw new UsageError(
    'CHANGELOG_HEADING',
    `CHANGELOG.md line ${line}: ${JSON.stringify(found)}: a heading of a version is "## X.Y.Z, YYYY-MM-DD" or "## X.Y.Z, not released", once for each version`,
    {
      hint: 'Type the line anew: a space at its end, a comma or dash of another kind and a carriage return do not show.',
    },
  );
}
