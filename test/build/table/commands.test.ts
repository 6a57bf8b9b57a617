import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcess } from '../../support/in-process.ts';
import { renderTable } from './render.ts';
import { SHAPES } from './situations.ts';

const FILE = 'docs/commands.md';
const HEAD = `# What every command says

Made by \`test/build/table/\`, which also holds it: each row was run, but those of Ctrl-C, which say what the code would. \`UPDATE_TABLE=1 npm test -- test/build/table\` writes it anew; read it aloud afterwards. Each error is one sentence with the right cause, then the next step. Terminals of 60 columns are held by [terminal.test.ts](../test/build/report/terminal.test.ts), Ctrl-C by [interrupt.test.ts](../test/build/interrupt.test.ts), what is never replaced by [replace.test.ts](../test/build/replace.test.ts), the last line by [last-line.test.ts](../test/build/last-line.test.ts).

`;

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'table-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('the table of commands', () => {
  it('has every command', async () => {
    const listed = [...(await inProcess(['--help'])).stdout.matchAll(/^ {2}(\w+) (?:\[|<)/gm)].map(
      ([, name]) => name as string,
    );
    const rows = new Set(Object.keys(SHAPES).map((command) => command.split(' ')[0]));
    expect(listed.length).toBeGreaterThan(15);
    expect(listed.filter((name) => !rows.has(name))).toEqual([]);
  });

  it('is what docs/commands.md says', async () => {
    const made = HEAD + (await renderTable(scratch));
    if (process.env.UPDATE_TABLE) writeFileSync(FILE, made);
    expect(made).toBe(readFileSync(FILE, 'utf8'));
    // No stack, no name of an errno, no bug.
    expect(made).not.toMatch(/This is a bug|\bE[A-Z]{4,}: |\n +at /);
  });
});
