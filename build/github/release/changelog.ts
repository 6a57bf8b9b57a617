import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One version's part of CHANGELOG.md. */
export interface ChangelogEntry {
  /** Whether its heading gives a date instead of `not released`. */
  readonly released: boolean;
  /** Markdown below the heading. */
  readonly text: string;
}

/**
 * Returns what CHANGELOG.md says of a version, or null when it says nothing.
 *
 * @example `## 1.1.0, 2026-11-30` is released; `## 1.1.0, not released` is not.
 */
export async function changelogEntry(root: string, version: string): Promise<ChangelogEntry | null> {
  const lines = (await readFile(join(root, 'CHANGELOG.md'), 'utf8')).split('\n');
  const start = lines.findIndex((line) => line.startsWith('## ') && line.slice(3).split(/[ ,]/)[0] === version);
  if (start === -1) return null;
  const length = lines.slice(start + 1).findIndex((line) => line.startsWith('## '));
  const text = lines
    .slice(start + 1, length === -1 ? undefined : start + 1 + length)
    .join('\n')
    .trim();
  return { released: /, \d{4}-\d{2}-\d{2}$/.test(lines[start] ?? ''), text };
}
