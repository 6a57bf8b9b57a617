import { describe, expect, it } from 'vitest';
import { findOnPath, needs } from '../../support/needs.ts';
import { compareDocuments } from './readers.ts';

const python = needs('python3');
const libxml = findOnPath('xmllint') ? ['libxml2'] : [];
const note = python.note || (libxml.length === 0 ? ' (skipped in part: needs xmllint)' : '');

/** A sample; the rest of the 2,000 edits is made at night. */
describe.skipIf(python.missing)(`XML readers of others${note}`, () => {
  it.each(['Distribution', 'PackageInfo'] as const)('see the values that we see in a %s, or we refuse it', (kind) => {
    const { differences, read, refused } = compareDocuments(kind, 1, 100, ['expat', ...libxml]);
    expect(differences).toEqual([]);
    expect(read).toBeGreaterThan(10);
    expect(refused).toBeGreaterThan(20);
  });

  it('see the values that we see in an Info.plist, or we refuse it', () => {
    const { differences, read, refused } = compareDocuments('Info.plist', 1, 200, ['plistlib']);
    expect(differences).toEqual([]);
    expect(read).toBeGreaterThan(20);
    expect(refused).toBeGreaterThan(40);
  });
});
