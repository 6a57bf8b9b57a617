import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/base/errors.ts';
import { parseRequirementText } from '../../../src/code-signature/requirement/grammar.ts';
import {
  developerIdRequirement,
  type Requirement,
  rootRequirement,
} from '../../../src/code-signature/requirement/requirement.ts';
import { renderRequirement } from '../../../src/code-signature/requirement/text.ts';

/** Texts that the renderer quotes, or that are not a word of the language; a backslash has no form in it. */
const text = fc
  .string({ unit: fc.constantFrom(...'aZ09 ."-=[]()'), minLength: 1, maxLength: 8 })
  .filter((value) => !/^[a-z]+$/i.test(value));
/** A key of letters, digits and dots is written without quotes, though not all such can be read: reqdumper.cpp and requirements.g differ. */
const key = text.filter((value) => !/^[A-Za-z][A-Za-z0-9.]*$/.test(value) || /^\w+(\.([A-Za-z]\w*|\d+))*$/.test(value));
const hash = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes));
const slot = fc.integer({ min: -3, max: 3 });
const match = fc.oneof(
  fc.constantFrom({ kind: 'exists' as const }, { kind: 'absent' as const }),
  fc.record({
    kind: fc.constantFrom('equal', 'contains', 'beginsWith', 'endsWith', 'lessThan', 'greaterEqual'),
    value: text,
  }),
);
const requirements = fc.letrec<{ tree: Requirement }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Requirement>(
      { op: 'true' },
      { op: 'false' },
      { op: 'anchorApple' },
      { op: 'anchorAppleGeneric' },
      { op: 'trustedCertificates' },
      { op: 'notarized' },
      { op: 'legacyDeveloperId' },
    ),
    fc.record({ op: fc.constant('identifier' as const), value: text }),
    fc.record({ op: fc.constantFrom('namedAnchor', 'namedCode'), name: text }),
    fc.record({ op: fc.constant('platform' as const), platform: fc.nat(20) }),
    fc.record({ op: fc.constant('certificateHash' as const), slot, sha1: hash }),
    fc.record({ op: fc.constant('cdHash' as const), hash }),
    fc.record({ op: fc.constantFrom('infoPlistField', 'entitlement'), key, match }),
    fc.record({ op: fc.constant('certificateField' as const), slot, field: fc.constant('subject.OU'), match }),
    fc.record({
      op: fc.constantFrom('certificateExtension', 'certificatePolicy'),
      slot,
      oid: fc.constantFrom('1.2.840.113635.100.6.2.6', '2.5.29.15'),
      match,
    }),
    fc.record({ op: fc.constant('not' as const), operand: tie('tree') }),
    fc.record({ op: fc.constantFrom('and', 'or'), left: tie('tree'), right: tie('tree') }),
  ),
})).tree;

describe('parseRequirementText', () => {
  it.each([
    developerIdRequirement('com.example.a', 'ABCDE12345'),
    rootRequirement('com.example.a', Buffer.alloc(20, 7)),
  ])('reads back what a signature of ours names', (requirement) => {
    const text = renderRequirement(requirement);
    expect(renderRequirement(parseRequirementText(text))).toBe(text);
  });

  it('reads back all that the renderer writes', () => {
    fc.assert(
      fc.property(requirements, (requirement) => {
        const text = renderRequirement(requirement);
        expect(renderRequirement(parseRequirementText(text))).toBe(text);
      }),
    );
  });

  /** Forms of TN3127 and of csreq(1), none of which the renderer writes. */
  it.each<[string, Requirement]>([
    ['anchor generic apple', { op: 'anchorAppleGeneric' }],
    ['identifier com.example.a', { op: 'identifier', value: 'com.example.a' }],
    ['identifier = "a b"', { op: 'identifier', value: 'a b' }],
    ['identifier == "a \\"b\\""', { op: 'identifier', value: 'a "b"' }],
    ['cert leaf [subject.CN] = *"x"*', {
      op: 'certificateField', slot: 0, field: 'subject.CN', match: { kind: 'contains', value: 'x' },
    }],
    ['anchor = H"0000000000000000000000000000000000000000"', { op: 'certificateHash', slot: -1, sha1: Buffer.alloc(20) }],
    ['info [CFBundleVersion] >= "17" // newer', {
      op: 'infoPlistField', key: 'CFBundleVersion', match: { kind: 'greaterEqual', value: '17' },
    }],
    ['info[a] = 0x4142', { op: 'infoPlistField', key: 'a', match: { kind: 'equal', value: 'AB' } }],
    ['certificate leaf[field.1.2.3] exists;', {
      op: 'certificateExtension', slot: 0, oid: '1.2.3', match: { kind: 'exists' },
    }],
    ['true or false and never # and before or', {
      op: 'or', left: { op: 'true' }, right: { op: 'and', left: { op: 'false' }, right: { op: 'false' } },
    }],
    ['("name")', { op: 'namedCode', name: 'name' }],
  ])('%s', (text, requirement) => {
    expect(parseRequirementText(text)).toEqual(requirement);
  }); // biome-ignore format: a table

  it.each([
    ['', 0, 'expected a requirement, found the end'],
    ['=anchor apple', 0, 'expected a requirement, found "="'],
    ['==anchor apple', 0, 'expected a requirement, found "=="'],
    ['anchor aple generic', 7, 'expected hash, found "aple"'],
    ['anchor apple identifier', 13, 'expected the end, found "identifier"'],
    ['anchor apple generic and', 24, 'expected a requirement, found the end'],
    ['identifier identifier', 11, 'expected a name, found "identifier"'],
    ['identifier "a', 11, 'unexpected "\\""'],
    ['identifier "a\\b"', 11, 'unexpected "\\""'],
    ['(true', 5, 'expected ), found the end'],
    ['certificate leaf[subject.OU = ABCDE12345', 28, 'expected ], found "="'],
    ['certificate leaf[issuer.CN] = x', 16, 'is not an element of a certificate'],
    ['certificate leaf[field.1] exists', 16, 'is not an element of a certificate'],
    ['cdhash H"00"', 7, 'a hash of 2 digits, expected 40'],
    ['info[a] = 0x123', 10, 'an odd number of hexadecimal digits'],
    ['designated => true', 0, 'expected a requirement, found "designated"'],
    ['true /* open', 5, 'unexpected "/"'],
    ['true € false', 5, 'unexpected'],
  ])('%j is refused at %i: %s', (text, offset, problem) => {
    const refused = () => parseRequirementText(text);
    expect(refused).toThrow(FormatError);
    expect(refused).toThrow(problem);
    expect(refused).toThrow(expect.objectContaining({ offset }));
  });
});
