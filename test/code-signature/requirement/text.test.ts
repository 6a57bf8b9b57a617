import { describe, expect, it } from 'vitest';
import type { Requirement, RequirementMatch } from '../../../src/code-signature/requirement/requirement.ts';
import { renderRequirement } from '../../../src/code-signature/requirement/text.ts';

const [a, b, c]: [Requirement, Requirement, Requirement] = [{ op: 'true' }, { op: 'false' }, { op: 'notarized' }];
const and = (left: Requirement, right: Requirement): Requirement => ({ op: 'and', left, right });
const or = (left: Requirement, right: Requirement): Requirement => ({ op: 'or', left, right });
const not = (operand: Requirement): Requirement => ({ op: 'not', operand });

// As reqdumper.cpp of Security-61901 prints them.
describe('renderRequirement', () => {
  it.each<[Requirement, string]>([
    [a, 'always'],
    [b, 'never'],
    [or(a, b), 'always or never'],
    [and(a, b), 'always and never'],
    [or(or(a, b), c), 'always or never or notarized'],
    [and(a, and(b, c)), 'always and never and notarized'],
    [or(and(a, b), c), 'always and never or notarized'],
    [or(a, and(b, c)), 'always or never and notarized'],
    [and(or(a, b), c), '(always or never) and notarized'],
    [and(a, or(b, c)), 'always and (never or notarized)'],
    [not(a), '! always'],
    [not(not(a)), '! ! always'],
    [not(and(a, b)), '! (always and never)'],
    [not(or(a, b)), '! (always or never)'],
    [and(not(a), b), '! always and never'],
    [{ op: 'legacyDeveloperId' }, 'legacy'],
    [{ op: 'anchorApple' }, 'anchor apple'],
    [{ op: 'anchorAppleGeneric' }, 'anchor apple generic'],
    [{ op: 'trustedCertificates' }, 'anchor trusted'],
    [{ op: 'trustedCertificate', slot: 0 }, 'certificate leaf trusted'],
    [{ op: 'trustedCertificate', slot: -1 }, 'certificate root trusted'],
    [{ op: 'trustedCertificate', slot: 1 }, 'certificate 1 trusted'],
    [{ op: 'trustedCertificate', slot: -2 }, 'certificate -2 trusted'],
    [{ op: 'certificateHash', slot: 0, sha1: Buffer.from('ab', 'hex') }, 'certificate leaf = H"ab"'],
    [{ op: 'cdHash', hash: Buffer.from('ab', 'hex') }, 'cdhash H"ab"'],
    [{ op: 'infoPlistValue', key: 'a.b', value: 'a.b' }, 'info[a.b] = "a.b"'],
    [{ op: 'infoPlistValue', key: '1a', value: '' }, 'info["1a"] = ""'],
    [{ op: 'infoPlistValue', key: '.a', value: '-a' }, 'info[".a"] = "-a"'],
    [{ op: 'infoPlistValue', key: 'a-', value: 'a-' }, 'info["a-"] = "a-"'],
    [{ op: 'infoPlistValue', key: 'a b', value: 'a b' }, 'info["a b"] = "a b"'],
    [{ op: 'infoPlistValue', key: 'Zz.9.', value: 'Zz9' }, 'info[Zz.9.] = Zz9'],
    [{ op: 'infoPlistValue', key: 'a"\\', value: '"' }, 'info["a\\"\\\\"] = "\\""'],
    [{ op: 'namedAnchor', name: 'a' }, 'anchor apple a'],
    [{ op: 'namedCode', name: 'a' }, '(a)'],
    [{ op: 'platform', platform: 7 }, 'platform = 7'],
    [{ op: 'identifier', value: 'a1' }, 'identifier a1'],
    [{ op: 'identifier', value: '1a' }, 'identifier "1a"'],
    [{ op: 'identifier', value: '' }, 'identifier ""'],
    [{ op: 'identifier', value: 'a"\\b' }, 'identifier "a\\"\\\\b"'],
    [{ op: 'entitlement', key: '1', match: { kind: 'exists' } }, 'entitlement["1"] /* exists */'],
    [{ op: 'certificateField', slot: 2, field: 'subject.CN', match: { kind: 'absent' } }, 'certificate 2[subject.CN] absent '],
    [{ op: 'certificateExtension', slot: 0, oid: '1.2', match: { kind: 'exists' } }, 'certificate leaf[field.1.2] /* exists */'],
    [{ op: 'certificatePolicy', slot: 0, oid: '1.2', match: { kind: 'exists' } }, 'certificate leaf[policy.1.2] /* exists */'],
    [{ op: 'certificateDate', slot: 0, oid: '1.2', match: { kind: 'exists' } }, 'certificate leaf[timestamp.1.2] /* exists */'],
  ])('%j: %s', (requirement, text) => expect(renderRequirement(requirement)).toBe(text)); // biome-ignore format: a table

  it.each<[RequirementMatch, string]>([
    [{ kind: 'equal', value: 'x' }, ' = x'],
    [{ kind: 'contains', value: 'x' }, ' ~ x'],
    [{ kind: 'beginsWith', value: 'x' }, ' = x*'],
    [{ kind: 'endsWith', value: 'x' }, ' = *x'],
    [{ kind: 'lessThan', value: 'x' }, ' < x'],
    [{ kind: 'greaterThan', value: 'x' }, ' > x'],
    [{ kind: 'lessEqual', value: 'x' }, ' <= x'],
    [{ kind: 'greaterEqual', value: 'x' }, ' >= x'],
    [{ kind: 'on', value: 0n }, ' = timestamp "2001-01-01T00:00:00.000Z"'],
    [{ kind: 'before', value: 1n }, ' < timestamp "2001-01-01T00:00:01.000Z"'],
    [{ kind: 'after', value: -1n }, ' > timestamp "2000-12-31T23:59:59.000Z"'],
    [{ kind: 'onOrBefore', value: 2n ** 60n }, ' <= timestamp "1152921504606846976"'],
    [{ kind: 'onOrAfter', value: 86_400n }, ' >= timestamp "2001-01-02T00:00:00.000Z"'],
  ])('matches %o:%s', (match, text) =>
    expect(renderRequirement({ op: 'infoPlistField', key: 'k', match })).toBe(`info[k]${text}`),
  );
});
