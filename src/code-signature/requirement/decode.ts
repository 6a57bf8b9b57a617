import { FormatError } from '../../base/errors.ts';
import { BLOB_HEADER, blobContent, MAGIC_REQUIREMENT } from '../super-blob.ts';
import { encodeOid } from './encode.ts';
import { EXPRESSION_FORM, MATCHES, OP, PLAIN } from './opcodes.ts';
import type { DateMatch, Requirement, RequirementMatch, StringMatch } from './requirement.ts';

/** Deepest tree that is read. Source: Security-61901 reqinterp.cpp limits recursion as well; ours is generous. */
const MAX_DEPTH = 256;

/** Returns the tree of one requirement's blob. Throws FormatError `REQUIREMENT_INVALID`, with the offset of the word that is wrong. */
export function parseRequirement(data: Buffer): Requirement {
  const reader = new Reader(data, blobContent(data, MAGIC_REQUIREMENT));
  const form = reader.word();
  if (form !== EXPRESSION_FORM) throw invalid(BLOB_HEADER.size, `form ${form}`);
  const requirement = reader.expression(0);
  reader.end();
  return requirement;
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
