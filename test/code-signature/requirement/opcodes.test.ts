import { describe, expect, it } from 'vitest';
import { parseRequirement } from '../../../src/code-signature/requirement/decode.ts';
import { encodeRequirement } from '../../../src/code-signature/requirement/encode.ts';
import type { Requirement, RequirementMatch } from '../../../src/code-signature/requirement/requirement.ts';

const word = (number: number) => {
  const data = Buffer.alloc(4);
  data.writeInt32BE(number);
  return data.toString('hex');
};
/** Length, bytes, zeros up to a multiple of four. */
const bytes = (data: Buffer | string) => {
  const found = Buffer.from(data as string);
  return word(found.length) + found.toString('hex') + '00'.repeat((4 - (found.length % 4)) % 4);
};
/** A blob with the magic of a requirement, its length, form 1, and the expression. */
const blob = (expression: string) => `fade0c00${word(12 + expression.length / 2)}${word(1)}${expression}`;
const EXISTS: RequirementMatch = { kind: 'exists' };
/** 1.2.840.113635 as X.690 has it. */
const OID = Buffer.from('2a864886f763', 'hex');
const oid = '1.2.840.113635';
const identifier: Requirement = { op: 'identifier', value: 'ab' };
const IDENTIFIER = word(2) + bytes('ab');

// The numbers of enum ExprOp, as Security-61901 requirement.h counts them, and what follows each in reqreader.cpp.
const OPERATIONS: readonly (readonly [Requirement, string])[] = [
  [{ op: 'false' }, word(0)],
  [{ op: 'true' }, word(1)],
  [identifier, IDENTIFIER],
  [{ op: 'anchorApple' }, word(3)],
  [{ op: 'certificateHash', slot: -1, sha1: Buffer.alloc(20, 7) }, word(4) + word(-1) + bytes(Buffer.alloc(20, 7))],
  [{ op: 'infoPlistValue', key: 'key', value: 'value' }, word(5) + bytes('key') + bytes('value')],
  [{ op: 'and', left: identifier, right: { op: 'true' } }, word(6) + IDENTIFIER + word(1)],
  [{ op: 'or', left: { op: 'true' }, right: identifier }, word(7) + word(1) + IDENTIFIER],
  [{ op: 'cdHash', hash: Buffer.from('012345', 'hex') }, word(8) + bytes(Buffer.from('012345', 'hex'))],
  [{ op: 'not', operand: identifier }, word(9) + IDENTIFIER],
  [{ op: 'infoPlistField', key: 'k', match: EXISTS }, word(10) + bytes('k') + word(0)],
  [{ op: 'certificateField', slot: 1, field: 'subject.CN', match: EXISTS }, word(11) + word(1) + bytes('subject.CN') + word(0)],
  [{ op: 'trustedCertificate', slot: 2 }, word(12) + word(2)],
  [{ op: 'trustedCertificates' }, word(13)],
  [{ op: 'certificateExtension', slot: 1, oid, match: EXISTS }, word(14) + word(1) + bytes(OID) + word(0)],
  [{ op: 'anchorAppleGeneric' }, word(15)],
  [{ op: 'entitlement', key: 'k', match: EXISTS }, word(16) + bytes('k') + word(0)],
  [{ op: 'certificatePolicy', slot: 1, oid, match: EXISTS }, word(17) + word(1) + bytes(OID) + word(0)],
  [{ op: 'namedAnchor', name: 'n' }, word(18) + bytes('n')],
  [{ op: 'namedCode', name: 'n' }, word(19) + bytes('n')],
  [{ op: 'platform', platform: 7 }, word(20) + word(7)],
  [{ op: 'notarized' }, word(21)],
  [{ op: 'certificateDate', slot: 0, oid, match: EXISTS }, word(22) + word(0) + bytes(OID) + word(0)],
  [{ op: 'legacyDeveloperId' }, word(23)],
]; // biome-ignore format: a table

// enum MatchOperation of the same file; a date is seconds in 64 bits.
const DATE = 0x1_2345_6789n;
const MATCHES: readonly (readonly [RequirementMatch, string])[] = [
  [{ kind: 'exists' }, word(0)],
  ...(['equal', 'contains', 'beginsWith', 'endsWith', 'lessThan', 'greaterThan', 'lessEqual', 'greaterEqual'] as const).map(
    (kind, at) => [{ kind, value: 'abc' }, word(1 + at) + bytes('abc')] as const,
  ),
  ...(['on', 'before', 'after', 'onOrBefore', 'onOrAfter'] as const).map(
    (kind, at) => [{ kind, value: DATE }, `${word(9 + at)}0000000123456789`] as const,
  ),
  [{ kind: 'absent' }, word(14)],
]; // biome-ignore format: a table

describe('the bytes of a requirement', () => {
  it.each(OPERATIONS)('%o', (requirement, expression) => {
    expect(encodeRequirement(requirement).toString('hex')).toBe(blob(expression));
    expect(parseRequirement(Buffer.from(blob(expression), 'hex'))).toEqual(requirement);
  });

  it.each(MATCHES)('%o', (match, expression) => {
    const requirement: Requirement = { op: 'entitlement', key: 'k', match };
    const whole = blob(word(16) + bytes('k') + expression);
    expect(encodeRequirement(requirement).toString('hex')).toBe(whole);
    expect(parseRequirement(Buffer.from(whole, 'hex'))).toEqual(requirement);
  });

  it.each([24, 25, 255, -1])('has no operation %i', (code) => {
    expect(() => parseRequirement(Buffer.from(blob(word(code)), 'hex'))).toThrow(`offset 12: opcode ${code}`);
  });

  it.each([15, 16, -1])('has no comparison %i', (code) => {
    const whole = blob(word(16) + bytes('k') + word(code));
    expect(() => parseRequirement(Buffer.from(whole, 'hex'))).toThrow(`match operation ${code}`);
  });
});
