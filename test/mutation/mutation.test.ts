import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildTrailer } from '../../src/xar/trailer.ts';
import { makeTicket } from '../notary/ticket/make-ticket.ts';
import { builtPackage } from '../support/built-package.ts';
import { byDay, ofTheDay } from '../support/by-day.ts';
import { checkMutation, failedChecks } from './outcome.ts';
import { assemble, withPayload } from './sample.ts';
import { type MutationTable, mutationTable } from './table.ts';

let table: MutationTable;
beforeAll(async () => {
  table = await mutationTable(process.cwd(), builtPackage());
});

describe('the finished package', () => {
  it('passes every check, also taken apart and put together again, without its staple and with another one', async () => {
    const { sample, ours } = table;
    expect(await failedChecks(readFileSync(builtPackage()), sample, ours)).toEqual([]);
    expect(await failedChecks(sample.file, sample, ours)).toEqual([]);
    expect(await failedChecks(await assemble(sample, {}), sample, ours)).toEqual([]);
    expect(await failedChecks(await withPayload(sample, sample.payload), sample, ours)).toEqual([]);
    const staple = buildTrailer(makeTicket(sample.authority, { digest: sample.archive.checksum.value }));
    const bare = sample.file.subarray(0, sample.archive.trailing.offset);
    expect(await failedChecks(bare, sample, ours)).toEqual([]);
    expect(await failedChecks(Buffer.concat([bare, staple]), sample, ours)).toEqual([]);
  });

  it('has a table of at least 300 changes, none of them twice', () => {
    const names = table.mutations.map(({ region, what }) => `${region}: ${what}`);
    expect(names.length).toBeGreaterThan(300);
    expect(new Set(names).size).toBe(names.length);
  });

  it(`is refused after any of these changes, by the check that the change is about${ofTheDay}`, async () => {
    // `npm run mutations` makes all of them too, and prints a table; here one of each region and of each check in it.
    const chosen = byDay(table.mutations, 5, ({ region, expected }) => `${region} ${expected[0]}`);
    const wrong: string[] = [];
    for (const mutation of chosen) {
      const { named, failed, crash } = await checkMutation(mutation, table.sample, table.ours);
      if (!named) wrong.push(`${mutation.region}: ${mutation.what}: ${crash ?? (failed.join(', ') || 'not noticed')}`);
    }
    expect(wrong).toEqual([]);
  });
});
