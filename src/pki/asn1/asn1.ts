import { fromBER } from 'asn1js';
import { FormatError } from '../../base/errors.ts';
import { LIMITS } from '../../base/input/limits.ts';
import { context, TAG } from './der.ts';

/** One value of a BER or DER encoding, as it lies in the bytes it was read from. */
export interface Asn1Node {
  /** Name of what was being read, for errors. */
  readonly format: string;
  /** Where it begins, in bytes from the start of what was read. */
  readonly offset: number;
  /** Identifier octet, such as 0x30; -1 for tag numbers above 30, which nothing here uses. */
  readonly tag: number;
  /** The whole value, header included, exactly as it was found. */
  readonly raw: Buffer;
  /** Contents without the header (and without the end mark of an indefinite length). */
  readonly content: Buffer;
  /** Values inside, for a constructed value; else empty. */
  readonly children: readonly Asn1Node[];
}

/** The part of an asn1js block that is used here. */
interface Block {
  readonly idBlock: {
    readonly tagClass: number;
    readonly tagNumber: number;
    readonly isConstructed: boolean;
    readonly blockLength: number;
  };
  readonly lenBlock: { readonly blockLength: number; readonly isIndefiniteForm: boolean; readonly length: number };
  readonly valueBlock: { readonly value?: unknown };
  readonly valueBeforeDecodeView: Uint8Array;
}

/**
 * Returns the first value in `bytes`, BER or DER.
 *
 * Depth and number of values are limited (asn1js: 100, and `LIMITS.asn1Values`), so that a made-up file can only be refused.
 *
 * @param bytes encoding; what follows the first value is ignored, see `raw.length`
 * @param format what it should be, for errors
 * @returns the tree of values; throws FormatError `ASN1_INVALID`
 */
export function parseAsn1(bytes: Buffer, format: string): Asn1Node {
  let problem = 'the value is cut off';
  try {
    const decoded = fromBER(bytes, { parseEmbedded: false, copyInput: false, maxNodes: LIMITS.asn1Values });
    if (decoded.offset !== -1) return nodeOf(decoded.result as unknown as Block, format, 0);
    problem = decoded.result.error || problem;
  } catch (error) {
    if (error instanceof FormatError) throw error;
    problem = error instanceof Error ? error.message : String(error);
  }
  throw new FormatError('ASN1_INVALID', format, 0, `expected an ASN.1 value: ${problem}`);
}

/** Like `parseAsn1`, but throws FormatError `ASN1_TRAILING` when anything follows the value. */
export function parseWholeAsn1(bytes: Buffer, format: string): Asn1Node {
  const node = parseAsn1(bytes, format);
  if (node.raw.length === bytes.length) return node;
  const problem = `expected nothing after the value, found ${bytes.length - node.raw.length} bytes`;
  throw new FormatError('ASN1_TRAILING', format, node.raw.length, problem);
}

function nodeOf(block: Block, format: string, offset: number): Asn1Node {
  const view = block.valueBeforeDecodeView;
  const raw = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  const { tagClass, tagNumber, isConstructed } = block.idBlock;
  const header = block.idBlock.blockLength + block.lenBlock.blockLength;
  const indefinite = block.lenBlock.isIndefiniteForm;
  const content = raw.subarray(header, indefinite ? raw.length - 2 : raw.length);
  const children: Asn1Node[] = [];
  let at = offset + header;
  for (const inner of isConstructed ? ((block.valueBlock.value ?? []) as Block[]) : []) {
    const child = nodeOf(inner, format, at);
    at += child.raw.length;
    children.push(child);
  }
  const tag = tagNumber > 30 ? -1 : ((tagClass - 1) << 6) | (isConstructed ? 0x20 : 0) | tagNumber;
  const node = { format, offset, tag, raw, content, children };
  checkLengths(node, indefinite ? content.length : block.lenBlock.length, at - offset - header);
  return node;
}

/** asn1js takes a value for good whose parts go beyond its own length, and an end mark where none belongs. */
function checkLengths(node: Asn1Node, declared: number, inside: number): void {
  const { tag, content } = node;
  const filled = node.children.length === 0 || inside === content.length;
  if (tag !== 0 && declared === content.length && filled) return;
  const problem = `expected a value of ${declared} bytes, found ${Math.max(inside, content.length)}`;
  throw new FormatError('ASN1_INVALID', node.format, node.offset, problem);
}

/** Throws FormatError `ASN1_UNEXPECTED` about a value. */
export function unexpected(node: Asn1Node, problem: string): never {
  throw new FormatError('ASN1_UNEXPECTED', node.format, node.offset, problem);
}

/** Reads the values inside a constructed value one after the other. */
export class Fields {
  readonly #node: Asn1Node;
  readonly #name: string;
  #next = 0;

  /** @param name what the value is called in its specification, such as `SignerInfo` */
  constructor(node: Asn1Node, tag: number, name: string) {
    if (node.tag !== tag) unexpected(node, `expected ${name} (tag ${hex(tag)}), found tag ${hex(node.tag)}`);
    this.#node = node;
    this.#name = name;
  }

  /** Returns the next value; with `tag`, throws FormatError when it is none of that tag. */
  take(field: string, tag?: number): Asn1Node {
    const node = this.#node.children[this.#next];
    if (!node) unexpected(this.#node, `expected ${this.#name}.${field}, found the end of ${this.#name}`);
    if (tag !== undefined && node.tag !== tag) {
      unexpected(node, `expected ${this.#name}.${field} (tag ${hex(tag)}), found tag ${hex(node.tag)}`);
    }
    this.#next++;
    return node;
  }

  /** Returns the next value when it has one of the tags, else undefined. */
  optional(...tags: readonly number[]): Asn1Node | undefined {
    const node = this.#node.children[this.#next];
    if (!node || !tags.includes(node.tag)) return undefined;
    this.#next++;
    return node;
  }

  /** Throws FormatError when a value is left that was not taken. */
  end(): void {
    const node = this.#node.children[this.#next];
    if (node) unexpected(node, `expected the end of ${this.#name}, found tag ${hex(node.tag)}`);
  }
}

const hex = (tag: number) => `0x${tag.toString(16).padStart(2, '0')}`;

/** Returns an OBJECT IDENTIFIER in dotted form. */
export function oidOf(node: Asn1Node): string {
  const bytes = node.content;
  if (node.tag !== TAG.oid || bytes.length === 0 || bytes.length > 64 || (bytes[bytes.length - 1] as number) & 0x80) {
    unexpected(node, 'expected an object identifier');
  }
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of bytes) {
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (byte & 0x80) continue;
    arcs.push(arc);
    arc = 0n;
  }
  // The last byte ends an arc, so there is one at least.
  const [first, ...rest] = arcs as [bigint, ...bigint[]];
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...rest].join('.');
}

/** Returns an INTEGER as big-endian bytes of its shortest form, sign bit included. */
export function integerBytes(node: Asn1Node): Buffer {
  if (node.tag !== TAG.integer || node.content.length === 0) unexpected(node, 'expected an integer');
  return node.content;
}

/** Returns an INTEGER or ENUMERATED that fits 31 bits. */
export function smallInteger(node: Asn1Node): number {
  const bytes = integerBytes(node);
  if (bytes.length > 4) unexpected(node, `expected a small integer, found ${bytes.length} bytes`);
  return bytes.readIntBE(0, bytes.length);
}

/** Returns the bytes of an OCTET STRING, joined when BER has it in pieces; `tag` when it is tagged implicitly. */
export function octetsOf(node: Asn1Node, tag: number = TAG.octetString): Buffer {
  if (node.tag === tag) return node.content;
  if (node.tag !== (tag | 0x20)) unexpected(node, 'expected an octet string');
  return Buffer.concat(node.children.map((piece) => octetsOf(piece)));
}

/** Returns the bytes of a BIT STRING without its first octet, the number of unused bits. */
export function bitsOf(node: Asn1Node): Buffer {
  if (node.tag !== TAG.bitString || node.content.length === 0) unexpected(node, 'expected a bit string');
  return node.content.subarray(1);
}

/** Returns the bytes of a BIT STRING that is made of whole octets, such as a signature. */
export function wholeOctetsOf(node: Asn1Node): Buffer {
  const bytes = bitsOf(node);
  if (node.content[0] !== 0) unexpected(node, 'expected a bit string without unused bits');
  return bytes;
}

/** Returns a BOOLEAN. */
export function booleanOf(node: Asn1Node): boolean {
  if (node.tag !== TAG.boolean || node.content.length !== 1) unexpected(node, 'expected a boolean');
  return node.content[0] !== 0;
}

const STRING_ENCODINGS: Readonly<Record<number, 'utf8' | 'latin1' | 'utf16be'>> = {
  [TAG.utf8String]: 'utf8',
  [TAG.printableString]: 'latin1',
  [TAG.ia5String]: 'latin1',
  18: 'latin1', // NumericString
  20: 'latin1', // TeletexString, which is Latin-1 in practice
  26: 'latin1', // VisibleString
  30: 'utf16be', // BMPString
};

/** Returns the text of any of X.520's string types. */
export function asn1Text(node: Asn1Node): string {
  const encoding = STRING_ENCODINGS[node.tag] ?? unexpected(node, 'expected a character string');
  if (encoding !== 'utf16be') return node.content.toString(encoding);
  return Buffer.from(node.content.subarray(0, node.content.length & ~1))
    .swap16()
    .toString('utf16le');
}

/**
 * Returns the time of a UTCTime or GeneralizedTime in UTC; parts of a second are kept to the millisecond.
 *
 * UTCTime years from 50 on are 19xx (RFC 5280, section 4.1.2.5.1).
 */
export function timeOf(node: Asn1Node): Date {
  const text = node.content.toString('latin1');
  const form = node.tag === TAG.utcTime ? /^(\d\d)(\d{10})()Z$/ : /^(\d{4})(\d{10})(?:\.(\d{1,9}))?Z$/;
  const match = node.tag === TAG.utcTime || node.tag === TAG.generalizedTime ? form.exec(text) : null;
  if (!match) unexpected(node, 'expected a time in UTC with seconds');
  const [, years = '', rest = '', fraction = ''] = match;
  const year = years.length === 4 ? years : `${Number(years) < 50 ? '20' : '19'}${years}`;
  const [month, day, hour, minute, second] = rest.match(/\d\d/g) as [string, string, string, string, string];
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${`${fraction}000`.slice(0, 3)}Z`);
  if (Number.isNaN(date.getTime())) unexpected(node, `expected a time that exists, found ${text}`);
  return date;
}

/** Returns the value of `[number] EXPLICIT`. */
export function explicitOf(node: Asn1Node, number: number, name: string): Asn1Node {
  return new Fields(node, context(number), name).take('value');
}
