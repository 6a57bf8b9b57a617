import { describe, expect, it } from 'vitest';
import { CODE_DIRECTORY, encodeCodeDirectory, parseCodeDirectory } from '../../src/code-signature/code-directory.ts';
import { parseRequirement } from '../../src/code-signature/requirement/decode.ts';
import { encodeRequirement } from '../../src/code-signature/requirement/encode.ts';
import type { Requirement, RequirementMatch } from '../../src/code-signature/requirement/requirement.ts';
import { encodeCdHashAttributes } from '../../src/code-signature/sign/cdhash-attributes.ts';
import { isDer } from '../../src/pki/cms/canonical-cms.ts';

// One less, equal, one more; and numbers that stand in Apple's headers.
describe('a code directory at its limits', () => {
  const made = encodeCodeDirectory({
    identifier: 'a',
    teamIdentifier: null,
    flags: 0,
    code: Buffer.alloc(10),
    specialSlots: [],
    execSegment: null,
    runtimeVersion: 0,
  });
  const outcome = (data: Buffer) => {
    try {
      parseCodeDirectory(data);
      return 'taken';
    } catch (error) {
      return `${(error as { code: string }).code} ${/(version|pageSizeLog2|specialSlotCount)/.exec(String(error))?.[1] ?? ''}`.trim();
    }
  };
  const changed = (edit: (data: Buffer) => void) => {
    const data = Buffer.from(made);
    edit(data);
    return outcome(data);
  };
  const at = (field: Parameters<typeof CODE_DIRECTORY.offsetOf>[0]) => CODE_DIRECTORY.offsetOf(field);

  it('is taken as it was made', () => expect(outcome(made)).toBe('taken'));

  it('has 44 bytes at least', () => {
    const of = (size: number) => {
      const data = Buffer.alloc(size);
      made.copy(data, 0, 0, size);
      return outcome(data);
    };
    expect(of(43)).toBe('FORMAT_TRUNCATED');
    expect(of(44)).not.toBe('FORMAT_TRUNCATED');
  });

  it('is of a version from 0x20001 to 0x2efff', () => {
    const newest = encodeCodeDirectory({
      identifier: 'a',
      teamIdentifier: null,
      flags: 0,
      code: Buffer.alloc(10),
      specialSlots: [],
      execSegment: { base: 0n, limit: 10n, flags: 0n },
      runtimeVersion: 0x0e0400,
    });
    const of = (data: Buffer, version: number) => {
      const copy = Buffer.from(data);
      copy.writeUInt32BE(version, at('version'));
      return outcome(copy);
    };
    expect([of(made, 0x20001), of(newest, 0x2efff)]).toEqual(['taken', 'taken']);
    expect(of(made, 0x20000)).toContain('version');
    expect(of(newest, 0x2f000)).toContain('version');
  });

  it.each<[number, boolean]>([
    [0, true],
    [1, false],
    [11, false],
    [12, true],
    [16, true],
    [17, false],
  ])('with pages of 2 to the power of %i is taken: %s', (shift, taken) => {
    expect(changed((data) => data.writeUInt8(shift, at('pageSizeLog2'))) === 'taken').toBe(taken);
  });

  it('names an executable segment only where it has bytes', () => {
    const version = (limit: bigint) =>
      encodeCodeDirectory({
        identifier: 'a',
        teamIdentifier: null,
        flags: 0,
        code: Buffer.alloc(10),
        specialSlots: [],
        execSegment: { base: 0n, limit, flags: 0n },
        runtimeVersion: 0,
      }).readUInt32BE(at('version'));
    expect([version(0n), version(1n)]).toEqual([0x20100, 0x20400]);
  });

  it('has 64 special slots at most', () => {
    const slots = (count: number) =>
      outcome(
        encodeCodeDirectory({
          identifier: 'a',
          teamIdentifier: null,
          flags: 0,
          code: Buffer.alloc(10),
          specialSlots: Array.from({ length: count }, () => null),
          execSegment: null,
          runtimeVersion: 0,
        }),
      );
    expect(slots(64)).toBe('taken');
    expect(slots(65)).toContain('specialSlotCount');
  });
});

describe('attributes with cdhashes', () => {
  it('are DER of the shortest lengths, however long their parts are', () => {
    const wrong = Array.from({ length: 200 }, (_, index) => index + 60).filter(
      (size) => !encodeCdHashAttributes([Buffer.alloc(size)]).every(isDer),
    );
    expect(wrong).toEqual([]);
  });
});

describe('a requirement by its numbers', () => {
  const word = (requirement: object, at = 12) => encodeRequirement(requirement as Requirement).readUInt32BE(at);
  const MATCH = { kind: 'exists' };

  // enum ExprOp, Security-61901 requirement.h.
  it.each<[number, object]>([
    [0, { op: 'false' }],
    [1, { op: 'true' }],
    [2, { op: 'identifier', value: 'a' }],
    [3, { op: 'anchorApple' }],
    [4, { op: 'certificateHash', slot: 0, sha1: Buffer.alloc(20) }],
    [5, { op: 'infoPlistValue', key: 'a', value: 'b' }],
    [6, { op: 'and', left: { op: 'true' }, right: { op: 'true' } }],
    [7, { op: 'or', left: { op: 'true' }, right: { op: 'true' } }],
    [8, { op: 'cdHash', hash: Buffer.alloc(20) }],
    [9, { op: 'not', operand: { op: 'true' } }],
    [10, { op: 'infoPlistField', key: 'a', match: MATCH }],
    [11, { op: 'certificateField', slot: 0, field: 'a', match: MATCH }],
    [12, { op: 'trustedCertificate', slot: 0 }],
    [13, { op: 'trustedCertificates' }],
    [14, { op: 'certificateExtension', slot: 0, oid: '1.2', match: MATCH }],
    [15, { op: 'anchorAppleGeneric' }],
    [16, { op: 'entitlement', key: 'a', match: MATCH }],
    [17, { op: 'certificatePolicy', slot: 0, oid: '1.2', match: MATCH }],
    [18, { op: 'namedAnchor', name: 'a' }],
    [19, { op: 'namedCode', name: 'a' }],
    [20, { op: 'platform', platform: 1 }],
    [21, { op: 'notarized' }],
    [22, { op: 'certificateDate', slot: 0, oid: '1.2', match: MATCH }],
    [23, { op: 'legacyDeveloperId' }],
  ])('%i is %j', (number, requirement) => {
    expect(word(requirement)).toBe(number);
    expect(parseRequirement(encodeRequirement(requirement as Requirement))).toEqual(requirement);
  });

  // enum MatchOperation, Security-61901 requirement.h.
  it.each<[number, RequirementMatch['kind']]>([
    [0, 'exists'], [1, 'equal'], [2, 'contains'], [3, 'beginsWith'], [4, 'endsWith'], [5, 'lessThan'], [6, 'greaterThan'], [7, 'lessEqual'], [8, 'greaterEqual'],
    [9, 'on'], [10, 'before'], [11, 'after'], [12, 'onOrBefore'], [13, 'onOrAfter'], [14, 'absent'],
  ])('match %i is %s', (number, kind) => {
    const value = number >= 9 ? 5n : 'x';
    const match = kind === 'exists' || kind === 'absent' ? { kind } : { kind, value };
    expect(word({ op: 'infoPlistField', key: 'abcd', match }, 24)).toBe(number);
  }); // biome-ignore format: a table

  it('has object identifiers in their shortest form', () => {
    const extension = encodeRequirement({
      op: 'certificateExtension',
      slot: 0,
      oid: '1.2.3.4',
      match: { kind: 'exists' },
    });
    const at = extension.indexOf(Buffer.from('2a0304', 'hex'));
    extension[at + 1] = 0x80;
    expect(() => parseRequirement(extension)).toThrow('not an object identifier: 2a8004');
  });
});
