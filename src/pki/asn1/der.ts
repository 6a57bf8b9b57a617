/** Identifier octets of the ASN.1 types used here. Source: X.690, section 8; X.680, table 1. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Returns the identifier octet of a context tag that holds other values: `[number]`, constructed. */
export const context = (number: number): number => 0xa0 | number;
/** Returns the identifier octet of a context tag that holds bytes: `[number] IMPLICIT`, primitive. */
export const contextPrimitive = (number: number): number => 0x80 | number;

/**
 * Returns one DER value: identifier octet, shortest length, contents.
 *
 * @param tag identifier octet, such as `TAG.sequence` or `context(0)`
 * @example der(TAG.octetString, Buffer.from('a')) // <04 01 61>
 * @see X.690, section 10.1
 */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const size = contents.reduce((sum, part) => sum + part.length, 0);
  if (size < 0x80) return Buffer.concat([Buffer.from([tag, size]), ...contents]);
  const length: number[] = [];
  for (let left = size; left > 0; left = Math.floor(left / 256)) length.unshift(left % 256);
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length, ...length]), ...contents]);
}

export const sequence = (...items: readonly Uint8Array[]): Buffer => der(TAG.sequence, ...items);
export const octetString = (bytes: Uint8Array): Buffer => der(TAG.octetString, bytes);
/** A BIT STRING whose number of bits is a multiple of 8. */
export const bitString = (bytes: Uint8Array): Buffer => der(TAG.bitString, Buffer.from([0]), bytes);
export const utf8String = (text: string): Buffer => der(TAG.utf8String, Buffer.from(text, 'utf8'));
export const printableString = (text: string): Buffer => der(TAG.printableString, Buffer.from(text, 'latin1'));
export const boolean = (value: boolean): Buffer => der(TAG.boolean, Buffer.from([value ? 0xff : 0]));
export const DER_NULL = der(TAG.null);

/** Returns a SET OF as DER wants it: its elements in ascending order of their encoding (X.690, section 11.6). */
export function setOf(...items: readonly Uint8Array[]): Buffer {
  return der(TAG.set, ...[...items].sort(Buffer.compare));
}

/** Returns an INTEGER that is not negative: a number, or big-endian bytes without a sign. */
export function integer(value: number | Uint8Array): Buffer {
  let bytes = Buffer.from(typeof value === 'number' ? bigEndian(value) : value);
  let start = 0;
  while (bytes[start] === 0) start++;
  bytes = bytes.subarray(start);
  if (bytes.length === 0) bytes = Buffer.from([0]);
  const sign = (bytes[0] as number) & 0x80 ? Buffer.from([0]) : Buffer.alloc(0);
  return der(TAG.integer, sign, bytes);
}

function bigEndian(value: number): number[] {
  const bytes: number[] = [];
  for (let left = value; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256);
  return bytes;
}

/**
 * Returns an OBJECT IDENTIFIER.
 *
 * @param dotted such as `1.2.840.113549.1.7.2`
 * @see X.690, section 8.19
 */
export function oid(dotted: string): Buffer {
  if (!/^\d+(\.\d+)+$/.test(dotted)) throw new TypeError(`not an object identifier: ${dotted}`);
  // An arc has no largest value: those in a file may have more than 53 bits.
  const [first, second, ...rest] = dotted.split('.').map(BigInt) as [bigint, bigint, ...bigint[]];
  return der(TAG.oid, Buffer.from([first * 40n + second, ...rest].flatMap(base128)));
}

function base128(arc: bigint): number[] {
  const bytes = [Number(arc % 128n)];
  for (let left = arc / 128n; left > 0n; left /= 128n) bytes.unshift(Number(left % 128n) | 0x80);
  return bytes;
}

/**
 * Returns a Time: UTCTime up to 2049, GeneralizedTime from 2050 on, whole seconds, as X.509 and CMS demand.
 *
 * @see RFC 5280, section 4.1.2.5; RFC 5652, section 11.3
 */
export function time(date: Date): Buffer {
  const digits = timeDigits(date);
  return date.getUTCFullYear() < 2050
    ? der(TAG.utcTime, Buffer.from(`${digits.slice(2)}Z`, 'latin1'))
    : der(TAG.generalizedTime, Buffer.from(`${digits}Z`, 'latin1'));
}

/** Returns a GeneralizedTime in whole seconds, as TSTInfo has it. */
export function generalizedTime(date: Date): Buffer {
  return der(TAG.generalizedTime, Buffer.from(`${timeDigits(date)}Z`, 'latin1'));
}

const timeDigits = (date: Date) => date.toISOString().slice(0, 19).replace(/[-:T]/g, '');
