import { FormatError } from '../base/errors.ts';
import {
  BLOB_HEADER,
  blobContent,
  encodeBlob,
  encodeSuperBlob,
  MAGIC_REQUIREMENT,
  MAGIC_REQUIREMENTS,
  parseSuperBlob,
} from './super-blob.ts';

/** How a value is compared; `value` is text, or seconds since 2001 for the four date forms. */
export type RequirementMatch =
  | { readonly kind: 'exists' | 'absent' }
  | { readonly kind: StringMatch; readonly value: string }
  | { readonly kind: DateMatch; readonly value: bigint };
type StringMatch =
  | 'equal'
  | 'contains'
  | 'beginsWith'
  | 'endsWith'
  | 'lessThan'
  | 'greaterThan'
  | 'lessEqual'
  | 'greaterEqual';
type DateMatch = 'on' | 'before' | 'after' | 'onOrBefore' | 'onOrAfter';

/** A requirement as a tree. `slot` is a certificate's place in the chain: 0 the leaf, -1 the root. OIDs are dotted. */
export type Requirement =
  | {
      readonly op:
        | 'false'
        | 'true'
        | 'anchorApple'
        | 'anchorAppleGeneric'
        | 'trustedCertificates'
        | 'notarized'
        | 'legacyDeveloperId';
    }
  | { readonly op: 'identifier'; readonly value: string }
  | { readonly op: 'certificateHash'; readonly slot: number; readonly sha1: Buffer }
  | { readonly op: 'infoPlistValue'; readonly key: string; readonly value: string }
  | { readonly op: 'and' | 'or'; readonly left: Requirement; readonly right: Requirement }
  | { readonly op: 'not'; readonly operand: Requirement }
  | { readonly op: 'cdHash'; readonly hash: Buffer }
  | { readonly op: 'infoPlistField' | 'entitlement'; readonly key: string; readonly match: RequirementMatch }
  | { readonly op: 'certificateField'; readonly slot: number; readonly field: string; readonly match: RequirementMatch }
  | {
      readonly op: 'certificateExtension' | 'certificatePolicy' | 'certificateDate';
      readonly slot: number;
      readonly oid: string;
      readonly match: RequirementMatch;
    }
  | { readonly op: 'trustedCertificate'; readonly slot: number }
  | { readonly op: 'namedAnchor' | 'namedCode'; readonly name: string }
  | { readonly op: 'platform'; readonly platform: number };

/** Apple's markers in Developer ID certificates: the authority's, and the one of the leaf for applications. */
const DEVELOPER_ID_CA = '1.2.840.113635.100.6.2.6';
const DEVELOPER_ID_APPLICATION = '1.2.840.113635.100.6.1.13';
/** kSecDesignatedRequirementType. Source: Security-61901 CSCommon.h. */
const DESIGNATED = 3;
/** `exprForm`, the only form there is. Source: Security-61901 requirement.h. */
const EXPRESSION_FORM = 1;
/** Deepest tree that is read. Source: Security-61901 reqinterp.cpp limits recursion as well; ours is generous. */
const MAX_DEPTH = 256;
/** Opcodes. Source: enum ExprOp, Security-61901 requirement.h. */
const PLAIN = {
  false: 0,
  true: 1,
  anchorApple: 3,
  trustedCertificates: 13,
  anchorAppleGeneric: 15,
  notarized: 21,
  legacyDeveloperId: 23,
} as const;
const OP = {
  identifier: 2,
  certificateHash: 4,
  infoPlistValue: 5,
  and: 6,
  or: 7,
  cdHash: 8,
  not: 9,
  infoPlistField: 10,
  certificateField: 11,
  trustedCertificate: 12,
  certificateExtension: 14,
  entitlement: 16,
  certificatePolicy: 17,
  namedAnchor: 18,
  namedCode: 19,
  platform: 20,
  certificateDate: 22,
} as const;
/** Match operations. Source: enum MatchOperation, Security-61901 requirement.h. */
const MATCHES: readonly RequirementMatch['kind'][] = [
  'exists',
  'equal',
  'contains',
  'beginsWith',
  'endsWith',
  'lessThan',
  'greaterThan',
  'lessEqual',
  'greaterEqual',
  'on',
  'before',
  'after',
  'onOrBefore',
  'onOrAfter',
  'absent',
];

/**
 * Returns the designated requirement that codesign makes for a Developer ID application certificate.
 *
 * @see Security-61901 drmaker.cpp
 * @example renderRequirement(developerIdRequirement('com.example.a', 'ABCDE12345'))
 */
export function developerIdRequirement(identifier: string, teamIdentifier: string): Requirement {
  const exists: RequirementMatch = { kind: 'exists' };
  return and(
    { op: 'identifier', value: identifier },
    and(
      { op: 'anchorAppleGeneric' },
      and(
        { op: 'certificateExtension', slot: 1, oid: DEVELOPER_ID_CA, match: exists },
        and(
          { op: 'certificateExtension', slot: 0, oid: DEVELOPER_ID_APPLICATION, match: exists },
          { op: 'certificateField', slot: 0, field: 'subject.OU', match: { kind: 'equal', value: teamIdentifier } },
        ),
      ),
    ),
  );
}

/**
 * Returns the designated requirement for a chain that does not end at Apple: the identifier and the root's own hash.
 *
 * @param rootSha1 SHA-1 of the root certificate's DER, 20 bytes
 * @see Security-61901 drmaker.cpp, `nonAppleAnchor`
 */
export function rootRequirement(identifier: string, rootSha1: Buffer): Requirement {
  return and({ op: 'identifier', value: identifier }, { op: 'certificateHash', slot: -1, sha1: rootSha1 });
}

/** Returns a requirement set that holds `designated`, or an empty one (12 bytes) as ad-hoc signatures have it. */
export function encodeRequirementSet(designated: Requirement | null): Buffer {
  const blobs = designated === null ? [] : [{ type: DESIGNATED, data: encodeRequirement(designated) }];
  return encodeSuperBlob(MAGIC_REQUIREMENTS, blobs);
}

/** Returns the requirements of a set by their type; 3 is the designated one. Throws FormatError. */
export function parseRequirementSet(data: Buffer): Map<number, Requirement> {
  const { length, blobs } = parseSuperBlob(data, MAGIC_REQUIREMENTS);
  if (length !== data.length) throw invalid(4, `${data.length - length} bytes after the set`);
  return new Map(blobs.map((blob) => [blob.type, parseRequirement(blob.data)]));
}

/** Returns the designated requirement of a set, or null without one. Throws FormatError. */
export function designatedRequirement(set: Buffer): Requirement | null {
  return parseRequirementSet(set).get(DESIGNATED) ?? null;
}

/** Returns the blob of one requirement, header included. */
export function encodeRequirement(requirement: Requirement): Buffer {
  return encodeBlob(MAGIC_REQUIREMENT, Buffer.concat([word(EXPRESSION_FORM), encodeExpression(requirement)]));
}

/** Returns the tree of one requirement's blob. Throws FormatError `REQUIREMENT_INVALID`, with the offset of the word that is wrong. */
export function parseRequirement(data: Buffer): Requirement {
  const reader = new Reader(data, blobContent(data, MAGIC_REQUIREMENT));
  const form = reader.word();
  if (form !== EXPRESSION_FORM) throw invalid(BLOB_HEADER.size, `form ${form}`);
  const requirement = reader.expression(0);
  reader.end();
  return requirement;
}

function and(left: Requirement, right: Requirement): Requirement {
  return { op: 'and', left, right };
}

function encodeExpression(requirement: Requirement): Buffer {
  const { op } = requirement;
  if (op in PLAIN) return word(PLAIN[op as keyof typeof PLAIN]);
  return Buffer.concat([word(OP[op as keyof typeof OP]), ...encodeOperands(requirement)]);
}

function encodeOperands(requirement: Requirement): Buffer[] {
  switch (requirement.op) {
    case 'identifier':
      return [bytes(Buffer.from(requirement.value))];
    case 'certificateHash':
      return [word(requirement.slot), bytes(requirement.sha1)];
    case 'infoPlistValue':
      return [bytes(Buffer.from(requirement.key)), bytes(Buffer.from(requirement.value))];
    case 'and':
    case 'or':
      return [encodeExpression(requirement.left), encodeExpression(requirement.right)];
    case 'not':
      return [encodeExpression(requirement.operand)];
    case 'cdHash':
      return [bytes(requirement.hash)];
    case 'infoPlistField':
    case 'entitlement':
      return [bytes(Buffer.from(requirement.key)), encodeMatch(requirement.match)];
    case 'certificateField':
      return [word(requirement.slot), bytes(Buffer.from(requirement.field)), encodeMatch(requirement.match)];
    case 'certificateExtension':
    case 'certificatePolicy':
    case 'certificateDate':
      return [word(requirement.slot), bytes(encodeOid(requirement.oid)), encodeMatch(requirement.match)];
    case 'trustedCertificate':
      return [word(requirement.slot)];
    case 'namedAnchor':
    case 'namedCode':
      return [bytes(Buffer.from(requirement.name))];
    case 'platform':
      return [word(requirement.platform)];
    default:
      return [];
  }
}

function encodeMatch(match: RequirementMatch): Buffer {
  const kind = word(MATCHES.indexOf(match.kind));
  if (!('value' in match)) return kind;
  if (typeof match.value === 'string') return Buffer.concat([kind, bytes(Buffer.from(match.value))]);
  const seconds = Buffer.alloc(8);
  seconds.writeBigInt64BE(match.value);
  return Buffer.concat([kind, seconds]);
}

function word(value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeInt32BE(value | 0);
  return data;
}

/** Length, bytes, zeros up to a multiple of 4. */
function bytes(value: Buffer): Buffer {
  return Buffer.concat([word(value.length), value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

/** Returns the body of an OID's DER, without tag and length. */
export function encodeOid(oid: string): Buffer {
  const [first = 0, second = 0, ...rest] = oid.split('.').map(Number);
  const digits = [first * 40 + second, ...rest].flatMap((part) => {
    const groups = [part % 128];
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left % 128) + 128);
    return groups;
  });
  return Buffer.from(digits);
}

function decodeOid(data: Buffer): string {
  const parts: number[] = [];
  let part = 0;
  for (const byte of data) {
    part = part * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (parts.length === 0)
      parts.push(Math.min(2, Math.floor(part / 40)), part - 40 * Math.min(2, Math.floor(part / 40)));
    else parts.push(part);
    part = 0;
  }
  return parts.join('.');
}

/** Reads the words of a requirement; offsets in errors count from the start of its blob. */
class Reader {
  readonly #content: Buffer;
  readonly #base: number;
  #at = 0;

  constructor(blob: Buffer, content: Buffer) {
    this.#content = content;
    this.#base = blob.length - content.length;
  }

  word(): number {
    if (this.#at + 4 > this.#content.length) throw invalid(this.#base + this.#at, 'expected a word, found the end');
    this.#at += 4;
    return this.#content.readInt32BE(this.#at - 4);
  }

  bytes(): Buffer {
    const start = this.#at + 4;
    const length = this.word();
    const end = start + length;
    const padded = end + ((4 - (length % 4)) % 4);
    if (length < 0 || padded > this.#content.length)
      throw invalid(this.#base + start - 4, `${length} bytes do not fit`);
    const stray = this.#content.subarray(end, padded).findIndex((byte) => byte !== 0);
    if (stray >= 0) throw invalid(this.#base + end + stray, 'padding that is not zero');
    this.#at = padded;
    return this.#content.subarray(start, end);
  }

  text(): string {
    return this.bytes().toString('utf8');
  }

  oid(): string {
    const start = this.#at;
    const data = this.bytes();
    const oid = decodeOid(data);
    if (!encodeOid(oid).equals(data))
      throw invalid(this.#base + start, `not an object identifier: ${data.toString('hex')}`);
    return oid;
  }

  end(): void {
    const left = this.#content.length - this.#at;
    if (left > 0) throw invalid(this.#base + this.#at, `${left} bytes after the expression`);
  }

  match(): RequirementMatch {
    const code = this.word();
    const kind = MATCHES[code];
    if (kind === undefined) throw invalid(this.#base + this.#at - 4, `match operation ${code}`);
    if (kind === 'exists' || kind === 'absent') return { kind };
    if (code < MATCHES.indexOf('on')) return { kind: kind as StringMatch, value: this.text() };
    const high = BigInt(this.word());
    const low = BigInt(this.word() >>> 0);
    return { kind: kind as DateMatch, value: (high << 32n) + low };
  }

  expression(depth: number): Requirement {
    if (depth > MAX_DEPTH) throw invalid(this.#base + this.#at, `more than ${MAX_DEPTH} levels`);
    const code = this.word();
    const plain = Object.entries(PLAIN).find(([, number]) => number === code);
    if (plain) return { op: plain[0] as keyof typeof PLAIN };
    const op = Object.entries(OP).find(([, number]) => number === code)?.[0] as keyof typeof OP | undefined;
    if (op === undefined) throw invalid(this.#base + this.#at - 4, `opcode ${code}`);
    return this.#operands(op, depth + 1);
  }

  #operands(op: keyof typeof OP, depth: number): Requirement {
    switch (op) {
      case 'identifier':
        return { op, value: this.text() };
      case 'certificateHash':
        return { op, slot: this.word(), sha1: this.bytes() };
      case 'infoPlistValue':
        return { op, key: this.text(), value: this.text() };
      case 'and':
      case 'or':
        return { op, left: this.expression(depth), right: this.expression(depth) };
      case 'not':
        return { op, operand: this.expression(depth) };
      case 'cdHash':
        return { op, hash: this.bytes() };
      case 'infoPlistField':
      case 'entitlement':
        return { op, key: this.text(), match: this.match() };
      case 'certificateField':
        return { op, slot: this.word(), field: this.text(), match: this.match() };
      case 'certificateExtension':
      case 'certificatePolicy':
      case 'certificateDate':
        return { op, slot: this.word(), oid: this.oid(), match: this.match() };
      case 'trustedCertificate':
        return { op, slot: this.word() };
      case 'namedAnchor':
      case 'namedCode':
        return { op, name: this.text() };
      case 'platform':
        return { op, platform: this.word() };
      default: {
        const never: never = op;
        throw new TypeError(`operation ${never}`);
      }
    }
  }
}

function invalid(offset: number, problem: string): FormatError {
  return new FormatError('REQUIREMENT_INVALID', 'Requirement', offset, problem);
}
