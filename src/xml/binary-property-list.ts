import { FormatError } from '../base/errors.ts';
import { beyond } from '../base/input/limits.ts';
import type { PropertyListValue } from './property-list.ts';

/**
 * Reader of binary property lists ("bplist00"), written here because those of the packages trust the file: tables of 2^53 objects,
 * objects that hold themselves, and one array that is held a thousand times a thousand times.
 *
 * @see CFBinaryPList.c, comment at the top
 */
const MAGIC = 'bplist00';
const TRAILER_SIZE = 32;
const FORMAT = 'binary property list';
/** Values that are made, each counted as often as it is referred to, and once more for every 64 bytes of it. */
const MAX_VALUES = 200_000;
const MAX_DEPTH = 64;
/** Milliseconds from 1970 to 2001, from where dates are counted. */
const EPOCH = 978_307_200_000;

/** Returns whether a property list is in the binary form. */
export function isBinaryPropertyList(data: Buffer): boolean {
  return data.toString('latin1', 0, MAGIC.length) === MAGIC;
}

/**
 * Returns the value of a binary property list.
 *
 * A key given twice, a value that holds itself and any kind that no XML property list has are refused.
 *
 * @throws FormatError `PLIST_INVALID` or `SIZE_LIMIT`
 */
export function parseBinaryPropertyList(data: Buffer): PropertyListValue {
  return new BinaryReader(data).value();
}

class BinaryReader {
  readonly #data: Buffer;
  readonly #referenceSize: number;
  readonly #offsetSize: number;
  readonly #count: number;
  readonly #top: number;
  readonly #table: number;
  readonly #open = new Set<number>();
  #values = 0;

  constructor(data: Buffer) {
    this.#data = data;
    const trailer = data.length - TRAILER_SIZE;
    if (trailer < MAGIC.length) this.#refuse(0, `${data.length} bytes`);
    this.#offsetSize = data.readUInt8(trailer + 6);
    this.#referenceSize = data.readUInt8(trailer + 7);
    this.#count = this.#number(trailer + 8, 8);
    this.#top = this.#number(trailer + 16, 8);
    this.#table = this.#number(trailer + 24, 8);
    const sizes = [this.#offsetSize, this.#referenceSize];
    if (!sizes.every((size) => size >= 1 && size <= 8))
      this.#refuse(trailer + 6, `numbers of ${sizes.join(' and ')} bytes`);
    if (this.#table + this.#count * this.#offsetSize > trailer)
      this.#refuse(trailer + 8, `a table of ${this.#count} offsets`);
  }

  value(): PropertyListValue {
    return this.#object(this.#top);
  }

  #object(number: number): PropertyListValue {
    this.#spend(1);
    if (number >= this.#count) this.#refuse(this.#table, `object ${number} of ${this.#count}`);
    if (this.#open.has(number)) this.#refuse(this.#table, `object ${number} holds itself`);
    if (this.#open.size >= MAX_DEPTH) throw beyond(FORMAT, 'values inside each other', MAX_DEPTH);
    this.#open.add(number);
    const value = this.#valueAt(this.#number(this.#table + number * this.#offsetSize, this.#offsetSize));
    this.#open.delete(number);
    return value;
  }

  #valueAt(offset: number): PropertyListValue {
    if (offset < MAGIC.length || offset >= this.#table) this.#refuse(offset, 'an object outside of the objects');
    const marker = this.#data.readUInt8(offset);
    const [kind, low] = [marker >> 4, marker & 15];
    if (marker === 0x08 || marker === 0x09) return marker === 0x09;
    if (kind === 1) return this.#integer(offset + 1, 2 ** low);
    if (kind === 2) return this.#real(offset + 1, 2 ** low);
    if (marker === 0x33) return this.#date(offset + 1);
    const { length, start } = this.#length(offset, low);
    this.#spend(length / 64);
    if (kind === 4) return Buffer.from(this.#bytes(start, length));
    if (kind === 5) return this.#bytes(start, length).toString('latin1');
    if (kind === 6) return this.#text(start, length);
    if (kind === 10) return this.#references(start, length).map((item) => this.#object(item));
    if (kind === 13) return this.#dictionary(start, length);
    return this.#refuse(offset, `an object of kind 0x${marker.toString(16)}`);
  }

  /** Lengths from 15 on are an integer of their own behind the marker. */
  #length(offset: number, low: number): { length: number; start: number } {
    if (low < 15) return { length: low, start: offset + 1 };
    const marker = this.#bytes(offset + 1, 1).readUInt8(0);
    if (marker >> 4 !== 1 || (marker & 15) > 3) this.#refuse(offset + 1, `a length of kind 0x${marker.toString(16)}`);
    const size = 2 ** (marker & 15);
    return { length: this.#number(offset + 2, size), start: offset + 2 + size };
  }

  #integer(offset: number, size: number): bigint {
    if (size > 16) this.#refuse(offset, `an integer of ${size} bytes`);
    const value = BigInt(`0x${this.#bytes(offset, size).toString('hex')}`);
    // From 8 bytes on they are signed.
    return size < 8 ? value : BigInt.asIntN(size * 8, value);
  }

  #real(offset: number, size: number): number {
    if (size === 4) return this.#bytes(offset, 4).readFloatBE(0);
    return size === 8 ? this.#bytes(offset, 8).readDoubleBE(0) : this.#refuse(offset, `a real of ${size} bytes`);
  }

  #date(offset: number): Date {
    const date = new Date(EPOCH + this.#bytes(offset, 8).readDoubleBE(0) * 1000);
    return Number.isNaN(date.getTime()) ? this.#refuse(offset, 'a date out of range') : date;
  }

  #text(offset: number, units: number): string {
    return Buffer.from(this.#bytes(offset, units * 2))
      .swap16()
      .toString('utf16le');
  }

  #dictionary(start: number, length: number): ReadonlyMap<string, PropertyListValue> {
    const references = this.#references(start, length * 2);
    const entries = new Map<string, PropertyListValue>();
    for (let index = 0; index < length; index++) {
      const key = this.#object(references[index] as number);
      if (typeof key !== 'string') this.#refuse(start, 'a key that is not text');
      if (entries.has(key)) this.#refuse(start, `key '${key}' is given twice`);
      entries.set(key, this.#object(references[length + index] as number));
    }
    return entries;
  }

  #spend(values: number): void {
    this.#values += values;
    if (this.#values > MAX_VALUES) throw beyond(FORMAT, 'values', MAX_VALUES);
  }

  #references(start: number, count: number): number[] {
    this.#spend(count);
    this.#bytes(start, count * this.#referenceSize);
    return Array.from({ length: count }, (_, index) =>
      this.#number(start + index * this.#referenceSize, this.#referenceSize),
    );
  }

  /** Returns an unsigned number, big-endian; beyond 2^53 it lies outside of any file and is refused by whoever uses it. */
  #number(offset: number, size: number): number {
    let value = 0;
    for (const byte of this.#bytes(offset, size)) value = value * 256 + byte;
    return value;
  }

  #bytes(offset: number, size: number): Buffer {
    if (offset + size > this.#data.length) this.#refuse(offset, `${size} bytes behind the end`);
    return this.#data.subarray(offset, offset + size);
  }

  #refuse(offset: number, problem: string): never {
    throw new FormatError('PLIST_INVALID', FORMAT, offset, problem);
  }
}
