import { describe, expect, it } from 'vitest';
import { findOnPath } from '../support/needs.ts';
import { compareReaders, otherReaders } from './differential.ts';

const readers = otherReaders((program) => findOnPath(program) !== undefined);
const note = readers.length < 2 ? ` (skipped in part: needs bsdtar and 7-Zip, found ${readers.length})` : '';

/** A sample; the rest of the 2,000 edits is made at night. */
describe.skipIf(readers.length === 0)(`readers of others${note}`, () => {
  it.each(['xar', 'cpio'] as const)('list what we read of a %s archive as we do, or we refuse it', async (kind) => {
    const { differences, read, refused } = await compareReaders(kind, 1, 100, readers);
    expect(differences).toEqual([]);
    expect(read).toBeGreaterThan(5);
    expect(refused).toBeGreaterThan(20);
  });
});
