import { describe, expect, it } from 'vitest';
import { parseRequirement } from '../../../src/code-signature/requirement/decode.ts';
import { encodeRequirement } from '../../../src/code-signature/requirement/encode.ts';
import { evaluateRequirement } from '../../../src/code-signature/requirement/evaluation.ts';
import type { Requirement, RequirementMatch } from '../../../src/code-signature/requirement/requirement.ts';
import { parseRequirementSet } from '../../../src/code-signature/requirement/requirement-set.ts';
import { encodeSuperBlob, MAGIC_REQUIREMENTS } from '../../../src/code-signature/super-blob.ts';

const certificate = (name: string, extension: string, policy: string) => ({
  sha1: Buffer.alloc(20, name),
  subject: new Map([['subject.OU', name]]),
  extensions: new Set([extension]),
  policies: new Set([policy]),
});
const SUBJECT = {
  identifier: 'a',
  cdHashes: [Buffer.alloc(20, 1), Buffer.alloc(20, 2)],
  certificates: [
    certificate('leaf', '1.1', '2.1'),
    certificate('middle', '1.2', '2.2'),
    certificate('root', '1.3', '2.3'),
  ],
  anchoredByApple: true,
  infoPlist: new Map([['key', 'value']]),
};
const [T, F, U]: Requirement[] = [{ op: 'true' }, { op: 'false' }, { op: 'notarized' }] as Requirement[];
const and = (left: Requirement, right: Requirement): Requirement => ({ op: 'and', left, right });
const or = (left: Requirement, right: Requirement): Requirement => ({ op: 'or', left, right });
const not = (operand: Requirement): Requirement => ({ op: 'not', operand });
const of = (requirement: unknown, subject = SUBJECT) => evaluateRequirement(requirement as Requirement, subject);

describe('evaluateRequirement', () => {
  it('joins what is true, false and unknown', () => {
    const all = [T, F, U] as [Requirement, Requirement, Requirement];
    expect(all.map((left) => all.map((right) => of(and(left, right))[0]).join(''))).toEqual(['tfu', 'fff', 'ufu']);
    expect(all.map((left) => all.map((right) => of(or(left, right))[0]).join(''))).toEqual(['ttt', 'tfu', 'tuu']);
    expect(all.map((one) => of(not(one))[0]).join('')).toBe('ftu');
  });

  it.each<[object, string]>([
    [{ op: 'identifier', value: 'a' }, 'true'],
    [{ op: 'identifier', value: 'A' }, 'false'],
    [{ op: 'anchorAppleGeneric' }, 'true'],
    [{ op: 'cdHash', hash: Buffer.alloc(20, 2) }, 'true'],
    [{ op: 'cdHash', hash: Buffer.alloc(20, 3) }, 'false'],
    [{ op: 'infoPlistValue', key: 'key', value: 'value' }, 'true'],
    [{ op: 'infoPlistValue', key: 'key', value: 'other' }, 'false'],
    [{ op: 'infoPlistValue', key: 'none', value: 'value' }, 'false'],
    [{ op: 'certificateHash', slot: 0, sha1: Buffer.alloc(20, 'leaf') }, 'true'],
    [{ op: 'certificateHash', slot: -1, sha1: Buffer.alloc(20, 'root') }, 'true'],
    [{ op: 'certificateHash', slot: 1, sha1: Buffer.alloc(20, 'middle') }, 'true'],
    [{ op: 'certificateHash', slot: 1, sha1: Buffer.alloc(20, 'leaf') }, 'false'],
    [{ op: 'certificateHash', slot: 3, sha1: Buffer.alloc(20, 'leaf') }, 'false'],
    [{ op: 'anchorApple' }, 'unknown'],
    [{ op: 'certificateDate', slot: 0, oid: '1.1', match: { kind: 'exists' } }, 'unknown'],
  ])('of %j is %s', (requirement, result) => expect(of(requirement)).toBe(result));

  it('is false of an anchor that is not Apple’s', () => {
    expect(of({ op: 'anchorAppleGeneric' }, { ...SUBJECT, anchoredByApple: false })).toBe('false');
  });

  it.each<[RequirementMatch, string, string]>([
    [{ kind: 'exists' }, 'true', 'false'],
    [{ kind: 'absent' }, 'false', 'true'],
    [{ kind: 'equal', value: 'leaf' }, 'true', 'false'],
    [{ kind: 'equal', value: 'lea' }, 'false', 'false'],
    [{ kind: 'contains', value: 'ea' }, 'true', 'false'],
    [{ kind: 'contains', value: 'x' }, 'false', 'false'],
    [{ kind: 'beginsWith', value: 'le' }, 'true', 'false'],
    [{ kind: 'beginsWith', value: 'ea' }, 'false', 'false'],
    [{ kind: 'endsWith', value: 'af' }, 'true', 'false'],
    [{ kind: 'endsWith', value: 'ea' }, 'false', 'false'],
    [{ kind: 'lessThan', value: 'x' }, 'unknown', 'false'],
  ])('matches %j: %s where it is there, %s where it is not', (match, there, absent) => {
    const field = (name: string, slot = 0) => of({ op: 'certificateField', slot, field: name, match });
    expect([field('subject.OU'), field('subject.CN'), field('subject.OU', 9)]).toEqual([there, absent, absent]);
    const information = { ...SUBJECT, infoPlist: new Map([['key', 'leaf']]) };
    expect(of({ op: 'infoPlistField', key: 'key', match }, information)).toBe(there);
    expect(of({ op: 'infoPlistField', key: 'none', match }, information)).toBe(absent);
  });

  it.each<[string, string, string]>([
    ['certificateExtension', '1.2', '1.1'],
    ['certificatePolicy', '2.2', '2.1'],
  ])('looks for a %s in the certificate of its slot', (op, oid, other) => {
    const found = (name: string, kind: string, slot = 1) => of({ op, slot, oid: name, match: { kind } });
    expect([found(oid, 'exists'), found(other, 'exists'), found(oid, 'exists', 9)]).toEqual(['true', 'false', 'false']);
    expect([found(oid, 'absent'), found(other, 'absent'), found(oid, 'absent', 9)]).toEqual(['false', 'true', 'true']);
    expect(found(oid, 'equal')).toBe('unknown');
  });
});

describe('parseRequirement', () => {
  const text = encodeRequirement({ op: 'identifier', value: 'abc' });
  const change = (edit: (data: Buffer) => void) => () => {
    const copy = Buffer.from(text);
    edit(copy);
    return parseRequirement(copy);
  };

  it('refuses a text longer than what is there, or of a length below 0', () => {
    expect(change((data) => data.writeInt32BE(4, 16))()).toEqual({ op: 'identifier', value: 'abc\0' });
    expect(change((data) => data.writeInt32BE(5, 16))).toThrow('offset 16: 5 bytes do not fit');
    expect(change((data) => data.writeInt32BE(-4, 16))).toThrow('offset 16: -4 bytes do not fit');
    expect(change((data) => data.writeUInt8(1, 23))).toThrow('offset 23: padding');
  });

  it('reads as deep as 256 levels and no deeper', () => {
    const nested = (depth: number) => {
      let tree: Requirement = { op: 'true' };
      for (let level = 0; level < depth; level++) tree = { op: 'not', operand: tree };
      return encodeRequirement(tree);
    };
    expect(() => parseRequirement(nested(256))).not.toThrow();
    expect(() => parseRequirement(nested(257))).toThrow('more than 256 levels');
  });

  it('gives object identifiers back as they were written', () => {
    for (const oid of [
      '1.2.840.113635.100.6.1.13',
      '0.0',
      '0.39',
      '1.0',
      '1.39.1',
      '2.0',
      '2.47',
      '2.48.127.128',
      '2.999.16383.16384',
    ]) {
      const tree: Requirement = { op: 'certificateExtension', slot: 0, oid, match: { kind: 'exists' } };
      expect(parseRequirement(encodeRequirement(tree))).toEqual(tree);
    }
  });
});

describe('parseRequirementSet', () => {
  const set = encodeSuperBlob(MAGIC_REQUIREMENTS, [
    { type: 1, data: encodeRequirement({ op: 'true' }) },
    { type: 3, data: encodeRequirement({ op: 'false' }) },
  ]);

  it('gives each requirement by its type', () => {
    expect([...parseRequirementSet(set)]).toEqual([
      [1, { op: 'true' }],
      [3, { op: 'false' }],
    ]);
  });

  it('refuses bytes behind it, and requirements that are not packed', () => {
    expect(() => parseRequirementSet(Buffer.concat([set, Buffer.alloc(1)]))).toThrow('1 bytes after the set');
    const apart = Buffer.concat([set.subarray(0, 28), Buffer.alloc(4), set.subarray(28)]);
    apart.writeUInt32BE(apart.length, 4);
    apart.writeUInt32BE(apart.readUInt32BE(16) + 4, 16);
    apart.writeUInt32BE(apart.readUInt32BE(24) + 4, 24);
    expect(() => parseRequirementSet(apart)).toThrow('not packed');
  });
});
