import { describe, expect, it } from 'vitest';
import { findOnPath, needs } from '../support/needs.ts';
import { compareReaders, otherReaders } from '../verify/differential.ts';
import { compareDocuments } from '../verify/documents/readers.ts';

const readers = otherReaders((program) => findOnPath(program) !== undefined);
const note = readers.length < 2 ? ` (skipped in part: needs bsdtar and 7-Zip, found ${readers.length})` : '';

describe.skipIf(readers.length === 0)(`2,000 edits, read by others${note}`, () => {
  it.each([
    ['xar', 1000],
    ['cpio', 1000],
  ] as const)(
    'list what we read of %s archives as we do, or we refuse it: %i edits',
    async (kind, count) => {
      const { differences } = await compareReaders(kind, 1, count, readers);
      expect(differences).toEqual([]);
    },
    600_000,
  );
});

const python = needs('python3', 'xmllint');

describe.skipIf(python.missing)(`2,000 edits of documents, read by others${python.note}`, () => {
  it.each([
    ['Distribution', ['expat', 'libxml2']],
    ['PackageInfo', ['expat', 'libxml2']],
    ['Info.plist', ['plistlib']],
  ] as const)(
    'have the values that we see in a %s, or we refuse it',
    (kind, readers) => {
      expect(compareDocuments(kind, 1, 2000, readers).differences).toEqual([]);
    },
    600_000,
  );
});
