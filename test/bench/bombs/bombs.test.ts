import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SMALL_PACKAGE } from '../../../src/base/input/limits.ts';
import { byDay, ofTheDay } from '../../support/by-day.ts';
import { needs } from '../../support/needs.ts';
import { detonate } from './detonate.ts';
import { bombTable } from './table.ts';

/** What README and `SMALL_PACKAGE` promise. */
const MOST_MIB = 300;
const MOST_SECONDS = 10;

const table = bombTable();
/** One that a limit stops, and one that is borne. */
const chosen = byDay(table, 0, ({ limit }) => String(limit !== undefined));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bombs-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe(`a file below 20 MB that is made to cost much${ofTheDay}`, () => {
  it('is one of many, none of them twice', () => {
    expect(new Set(table.map(({ name }) => name)).size).toBe(table.length);
    expect(table.length).toBeGreaterThan(50);
  });

  // Seconds of the processor, as the process counts them itself: how long it takes on a busy machine says nothing.
  for (const bomb of chosen) {
    const tool = needs(...(bomb.needs ? [bomb.needs] : []));
    it.skipIf(tool.missing)(
      `costs 300 MiB and 10 s at most: ${bomb.name}${tool.note}`,
      { timeout: 1_800_000 },
      async () => {
        const { size, peakMib, seconds, status, named, stderr } = await detonate(bomb, folder);
        expect(size).toBeLessThan(SMALL_PACKAGE);
        expect({ status, stderr: status === 1 ? stderr : '' }).toEqual({ status: 6, stderr: '' });
        expect(named).not.toBe('LIMIT NOT NAMED');
        expect(peakMib).toBeLessThan(MOST_MIB);
        expect(seconds).toBeLessThan(MOST_SECONDS);
      },
    );
  }
});
