import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/base/errors.ts';
import { parseRequirement } from '../../../src/code-signature/requirement/decode.ts';
import { encodeRequirement } from '../../../src/code-signature/requirement/encode.ts';
import { evaluateRequirement } from '../../../src/code-signature/requirement/evaluation.ts';
import {
  developerIdRequirement,
  type Requirement,
  type RequirementMatch,
  rootRequirement,
} from '../../../src/code-signature/requirement/requirement.ts';
import {
  designatedRequirement,
  encodeRequirementSet,
} from '../../../src/code-signature/requirement/requirement-set.ts';
import { renderRequirement } from '../../../src/code-signature/requirement/text.ts';

const IDENTIFIER = 'com.netflix.Escrow-Buddy';
/** The tree that codesign writes, checked against five binaries that Apple's tool signed (Google Santa 0.9.19). */
const VECTOR = Buffer.from(
  `fade0c01000000b8000000010000000300000014 fade0c00000000a400000001
  000000060000000200000018636f6d2e6e6574666c69782e457363726f772d4275646479
  000000060000000f
  000000060000000e000000010000000a2a86488 6f763640602060000 00000000
  000000060000000e000000000000000a2a864886f7636406010d0000 00000000
  0000000b000000000000000a7375626a6563742e4f550000 000000010000000a414243444531323334350000`.replace(/\s+/g, ''),
  'hex',
);

const text = fc.string({ maxLength: 12 });
const slot = fc.integer({ min: -3, max: 3 });
const hash = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes));
const oid = fc
  .array(fc.integer({ min: 0, max: 0x7fffffff }), { maxLength: 6 })
  .map((parts) => ['1', '2', ...parts].join('.'));
const match: fc.Arbitrary<RequirementMatch> = fc.oneof(
  fc.constantFrom<RequirementMatch>({ kind: 'exists' }, { kind: 'absent' }),
  fc.record({
    kind: fc.constantFrom('equal', 'contains', 'beginsWith', 'endsWith', 'lessThan', 'greaterEqual'),
    value: text,
  }),
  fc.record({
    kind: fc.constantFrom('on', 'before', 'onOrAfter'),
    value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  }),
);
const requirements = fc.letrec<{ tree: Requirement }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom<Requirement>({ op: 'true' }, { op: 'false' }, { op: 'anchorApple' }, { op: 'notarized' }),
    fc.record({ op: fc.constant('identifier' as const), value: text }),
    fc.record({ op: fc.constant('certificateHash' as const), slot, sha1: hash }),
    fc.record({ op: fc.constant('cdHash' as const), hash }),
    fc.record({ op: fc.constantFrom('infoPlistField', 'entitlement'), key: text, match }),
    fc.record({ op: fc.constant('certificateField' as const), slot, field: text, match }),
    fc.record({
      op: fc.constantFrom('certificateExtension', 'certificatePolicy', 'certificateDate'),
      slot,
      oid,
      match,
    }),
    fc.record({ op: fc.constant('not' as const), operand: tie('tree') }),
    fc.record({ op: fc.constantFrom('and', 'or'), left: tie('tree'), right: tie('tree') }),
  ),
})).tree;

describe('developerIdRequirement', () => {
  const set = encodeRequirementSet(developerIdRequirement(IDENTIFIER, 'ABCDE12345'));

  it('gives the bytes that codesign writes', () => {
    expect(set.toString('hex')).toBe(VECTOR.toString('hex'));
    expect(createHash('sha256').update(set).digest('hex')).toBe(
      '9dafe196b2e73c624011895cb79869c3cd961ca62c1ba4be6d726d24fc8af2cc',
    );
  });

  it('reads as codesign -d -r- prints it', () => {
    expect(renderRequirement(designatedRequirement(set)!)).toBe(
      'identifier "com.netflix.Escrow-Buddy" and anchor apple generic' +
        ' and certificate 1[field.1.2.840.113635.100.6.2.6] /* exists */' +
        ' and certificate leaf[field.1.2.840.113635.100.6.1.13] /* exists */' +
        ' and certificate leaf[subject.OU] = ABCDE12345',
    );
  });
});

describe('encodeRequirementSet', () => {
  it('has 12 bytes without a requirement, as ad-hoc signatures of Xcode have it', () => {
    expect(encodeRequirementSet(null).toString('hex')).toBe('fade0c010000000c00000000');
    expect(designatedRequirement(encodeRequirementSet(null))).toBeNull();
  });
});

describe('parseRequirement', () => {
  it('reads back what was encoded, whatever the tree', () => {
    fc.assert(
      fc.property(requirements, (requirement) => {
        expect(parseRequirement(encodeRequirement(requirement))).toEqual(requirement);
        expect(renderRequirement(requirement)).toBeTypeOf('string');
      }),
      { numRuns: 200 },
    );
  });

  it('refuses every truncation, with an offset inside', () => {
    for (let length = 0; length < VECTOR.length; length++) {
      expect(() => designatedRequirement(VECTOR.subarray(0, length))).toThrow(FormatError);
    }
  });

  it('refuses one that ends early although its length says so, and names the place', () => {
    const whole = VECTOR.subarray(20);
    const cut = (length: number) => {
      const short = Buffer.from(whole.subarray(0, length));
      short.writeUInt32BE(length, 4);
      return () => parseRequirement(short);
    };
    for (let length = 8; length < whole.length; length++) {
      expect(cut(length), `${length}`).toThrow(FormatError);
      expect(cut(length), `${length}`).toThrow(/^Requirement, offset \d+: /);
    }
    // The form, the first operation, the length of a name: each a word of four bytes.
    for (const [length, offset] of [[8, 8], [11, 8], [12, 12], [15, 12], [20, 20], [23, 20]] as const)
      expect(cut(length)).toThrow(`Requirement, offset ${offset}: expected a word, found the end`);
  }); // biome-ignore format: short

  it('refuses unknown words, padding that is not zero and trees without an end', () => {
    const requirement = encodeRequirement({ op: 'identifier', value: 'a' });
    const bad = (at: number, value: number) => {
      const copy = Buffer.from(requirement);
      copy[at] = value;
      return () => parseRequirement(copy);
    };
    expect(bad(11, 2)).toThrow('Requirement, offset 8: form 2');
    expect(bad(15, 99)).toThrow('Requirement, offset 12: opcode 99');
    expect(bad(21, 1)).toThrow('Requirement, offset 21: padding');
    const endless = encodeRequirement({ op: 'true' });
    const nots = Buffer.concat([
      endless.subarray(0, 12),
      ...Array(3000).fill(Buffer.from([0, 0, 0, 9])),
      Buffer.from([0, 0, 0, 1]),
    ]);
    nots.writeUInt32BE(nots.length, 4);
    expect(() => parseRequirement(nots)).toThrow('more than 256 levels');
  });
});

describe('renderRequirement', () => {
  it('puts parentheses where a looser word is inside of a tighter one', () => {
    const a: Requirement = { op: 'identifier', value: 'a' };
    const b: Requirement = { op: 'notarized' };
    const or: Requirement = { op: 'or', left: a, right: b };
    expect(renderRequirement({ op: 'and', left: or, right: { op: 'not', operand: or } })).toBe(
      '(identifier a or notarized) and ! (identifier a or notarized)',
    );
  });

  it('quotes what is not a plain word', () => {
    const field = (value: string) =>
      renderRequirement({ op: 'certificateField', slot: -1, field: 'subject.CN', match: { kind: 'equal', value } });
    expect(field('9ABC')).toBe('certificate root[subject.CN] = "9ABC"');
    expect(field('a "b"')).toBe('certificate root[subject.CN] = "a \\"b\\""');
  });
});

describe('evaluateRequirement', () => {
  const certificate = (name: string, extensions: string[]) => ({
    sha1: createHash('sha1').update(name).digest(),
    subject: new Map([['subject.OU', name]]),
    extensions: new Set(extensions),
    policies: new Set<string>(),
  });
  const subject = {
    identifier: IDENTIFIER,
    cdHashes: [Buffer.alloc(20, 1)],
    certificates: [
      certificate('ABCDE12345', ['1.2.840.113635.100.6.1.13']),
      certificate('G2', ['1.2.840.113635.100.6.2.6']),
      certificate('root', []),
    ],
    anchoredByApple: true,
    infoPlist: new Map([['CFBundleVersion', '10100']]),
  };
  const developerId = developerIdRequirement(IDENTIFIER, 'ABCDE12345');

  it('holds for the code that it was made for', () => {
    expect(evaluateRequirement(developerId, subject)).toBe('true');
    expect(evaluateRequirement(rootRequirement(IDENTIFIER, certificate('root', []).sha1), subject)).toBe('true');
  });

  it.each([
    ['identifier', { identifier: 'com.example' }],
    ['root', { anchoredByApple: false }],
    ['team', { certificates: [certificate('OTHER', ['1.2.840.113635.100.6.1.13']), ...subject.certificates.slice(1)] }],
    ['mark of the leaf', { certificates: [certificate('ABCDE12345', []), ...subject.certificates.slice(1)] }],
    ['mark of the authority', { certificates: [subject.certificates[0]!, certificate('G2', [])] }],
    ['certificates', { certificates: [] }],
  ])('does not hold with another %s', (_, change) => {
    expect(evaluateRequirement(developerId, { ...subject, ...change })).toBe('false');
  });

  it('says unknown only where that decides', () => {
    const unknown: Requirement = { op: 'notarized' };
    const join = (op: 'and' | 'or', left: Requirement) => evaluateRequirement({ op, left, right: unknown }, subject);
    expect(join('and', { op: 'true' })).toBe('unknown');
    expect(join('and', { op: 'false' })).toBe('false');
    expect(join('or', { op: 'true' })).toBe('true');
    expect(join('or', { op: 'false' })).toBe('unknown');
    expect(evaluateRequirement({ op: 'not', operand: unknown }, subject)).toBe('unknown');
  });
});
