import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type LineRow, OUTCOMES, type OutcomeRow, type StatusRow, sourceFiles, withoutComments } from './source.ts';

const code = Object.fromEntries(sourceFiles().map(({ name, text }) => [name, withoutComments(text)]));
const page = readFileSync(fileURLToPath(new URL('../../docs/outcomes.md', import.meta.url)), 'utf8');

describe('outcomes.json, beside the source', () => {
  it('lists every outcome, and whether it counts as a failure', () => {
    const rows = [...(code['outcome.c'] as string).matchAll(/\[OUTCOME_\w+\] = \{"([^"]+)", (true|false)\}/g)];
    expect(OUTCOMES.outcomes.map(({ name, countsAsFailure }) => [name, countsAsFailure])).toEqual(
      rows.map(([, name, counts]) => [name, counts === 'true']),
    );
  });

  it('lists every outcome of the header, in its order', () => {
    const header = (code['outcome.h'] as string).match(/enum outcome \{([^}]*)\}/)?.[1] as string;
    const names = [...header.matchAll(/OUTCOME_(\w+)/g)].map(([, name]) => (name as string).toLowerCase());
    expect([...OUTCOMES.outcomes.map(({ name }) => name.replaceAll('-', '_')), 'count']).toEqual(names);
  });

  it('lists every exit status of fdesetup that decide.c tells apart', () => {
    const known = [...(code['decide.c'] as string).matchAll(/\bFDESETUP_\w+ = (\d+)/g)].map(([, status]) => status);
    const listed = Object.values(OUTCOMES.fdesetup).flatMap((rows) => rows.map(({ status }) => status));
    // 26 and 99 are failures like others; they only lead to the question whether anybody has a SecureToken.
    expect([...new Set(listed)].filter((status) => status !== 'other').sort()).toEqual(
      known.filter((status) => !['26', '99'].includes(status as string)).sort(),
    );
    const names = OUTCOMES.outcomes.map(({ name }) => name);
    for (const { outcome } of Object.values(OUTCOMES.fdesetup).flat())
      if (outcome !== null) expect(names).toContain(outcome);
  });

  it('lists every line that the plug-in can log, with its level', () => {
    const logged = Object.values(code).flatMap((text) =>
      [...text.matchAll(/\bLOG_(DEFAULT|ERROR|DEBUG)\([^,"]+,\s*((?:"(?:[^"\\]|\\.)*"\s*)+)/g)].map(
        ([, level, parts]) =>
          `${(level as string).toLowerCase()} ${[...(parts as string).matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, part]) => part).join('')}`,
      ),
    );
    expect([...new Set(logged)].sort()).toEqual(OUTCOMES.lines.map(({ level, text }) => `${level} ${text}`).sort());
  });

  it('says Error in the text of every new error, as fleets search for it', () => {
    const quiet = OUTCOMES.lines.filter(
      ({ level, since, text }) => level === 'error' && since !== '1.0.0' && !/error/i.test(text),
    );
    expect(quiet.map(({ text }) => text)).toEqual(['FileVault is BUSY', 'No new key in this login: %{public}s']);
  });
});

/** Returns the rows of the Markdown table below a heading, its own two lines left out. */
function tableUnder(heading: string): string[] {
  const section = page.slice(page.indexOf(`\n${heading}\n`)).split(/\n##+ /)[1] as string;
  return section.split('\n').filter((line) => line.startsWith('| `'));
}

const outcomeLine = (row: OutcomeRow) =>
  `| \`${row.name}\` | ${row.request} | ${row.countsAsFailure ? 'yes' : 'no'} | ${row.meaning} | ${row.admin} |`;
const statusLine = (verb: string, row: StatusRow) =>
  `| \`fdesetup ${verb}\` | ${row.status} | ${row.outcome === null ? '' : `\`${row.outcome}\``} | ${row.meaning} |`;
const logLine = (row: LineRow) =>
  `| \`${row.text.replaceAll('`', "'")}\` | ${row.category} | ${row.level} | ${row.since} | ${row.when} |`;

describe('docs/outcomes.md, beside outcomes.json', () => {
  it('has a row for every outcome', () => {
    expect(tableUnder('## Outcomes')).toEqual(OUTCOMES.outcomes.map(outcomeLine));
  });

  it('has a row for every exit status of fdesetup', () => {
    const rows = Object.entries(OUTCOMES.fdesetup).flatMap(([verb, list]) => list.map((row) => statusLine(verb, row)));
    expect(tableUnder('## Exit statuses of fdesetup')).toEqual(rows);
  });

  it('has a row for every log line', () => {
    expect(tableUnder('## Log lines')).toEqual(OUTCOMES.lines.map(logLine));
  });
});
