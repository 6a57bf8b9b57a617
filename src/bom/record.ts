import { FormatError } from '../base/errors.ts';
import { cksum } from '../tree/cksum.ts';
import { FILE_TYPE_BITS, type PayloadEntry } from '../tree/entry.ts';
import type { BomArchitecture } from '../tree/file-facts.ts';
import type { BomRecord } from './bom.ts';
import {
  BOM_ARCHITECTURE,
  BOM_FLAGS_FAT,
  BOM_FLAGS_FULL,
  BOM_FLAGS_PATH_ONLY,
  BOM_FLAGS_THIN,
  BOM_RECORD,
  BOM_RECORD_END,
  BOM_TYPES,
} from './layout.ts';

/**
 * Returns what the block of one record says, but for the path.
 *
 * @param data the whole block
 * @param offset where it lies in the file, for errors
 * @throws FormatError `BOM_RECORD`, `FORMAT_TRUNCATED`
 */
export function decodeBomRecord(data: Buffer, offset: number): Omit<BomRecord, 'path'> {
  if (data.length < BOM_RECORD.size) {
    const problem = `expected at least ${BOM_RECORD.size} bytes, found ${data.length}`;
    throw new FormatError('FORMAT_TRUNCATED', 'BomRecord', offset, problem);
  }
  const fields = BOM_RECORD.decode(data);
  const bad = badField(offset);
  const kind = KINDS.find((candidate) => BOM_TYPES[candidate] === fields.type);
  if (!kind) throw bad('type', `expected file (1), directory (2) or symbolic link (3), found ${fields.type}`);
  if (fields.one !== 1) throw bad('one', `expected 1, found ${fields.one}`);
  const macho = fields.flags >> 12;
  const reach = fields.flags & 0xfff;
  if (macho > 2 || reach > BOM_FLAGS_FULL || (macho > 0 && kind !== 'file')) {
    throw bad('flags', `expected 0x000f, 0x100f or 0x200f, found 0x${fields.flags.toString(16)}`);
  }
  // The low nibble is 0xF in full records of Apple's tools, 3 in those of bomutils, 0 or 1 where only the path counts.
  // An AppleDouble file is of type file there, with the mode of its partner, which may be a directory.
  const pathOnly = reach <= 1;
  const typeBits = fields.mode & ~0o7777;
  if (!pathOnly && typeBits !== FILE_TYPE_BITS[kind]) {
    throw bad('mode', `expected the mode of a ${kind}, found ${fields.mode.toString(8)}`);
  }
  const { uid, gid, mtimeSeconds, size } = fields;
  const common = { kind, mode: fields.mode & 0o7777, uid, gid, mtimeSeconds, size };
  const tail = new Tail(data, offset);
  if (pathOnly) {
    tail.finish();
    return { ...common, pathOnly };
  }
  if (fields.oneMore !== 1) throw bad('oneMore', `expected 1, found ${fields.oneMore}`);
  return { ...common, ...decodeContents(tail, kind, macho) };
}

const KINDS: readonly PayloadEntry['kind'][] = ['file', 'directory', 'symlink'];

function badField(offset: number) {
  return (field: 'type' | 'one' | 'flags' | 'mode' | 'oneMore', problem: string) =>
    new FormatError('BOM_RECORD', 'BomRecord', offset + BOM_RECORD.offsetOf(field), `${field}: ${problem}`);
}

type Contents = Pick<BomRecord, 'cksum' | 'linkTarget' | 'architectures'>;

function decodeContents(tail: Tail, kind: PayloadEntry['kind'], macho: number): Contents {
  if (kind === 'directory') return tail.finish({});
  const cksum = tail.u32('cksum');
  if (kind === 'symlink') return tail.finish({ cksum, linkTarget: tail.target() });
  if (macho === 0) return tail.finish({ cksum });
  return tail.finish({ cksum, architectures: tail.architectures() });
}

/** Reads what follows the fixed part of a record. */
class Tail {
  readonly #data: Buffer;
  readonly #offset: number;
  #at = BOM_RECORD.size;

  constructor(data: Buffer, offset: number) {
    this.#data = data;
    this.#offset = offset;
  }

  u32(what: string): number {
    return this.#take(4, what).readUInt32BE(0);
  }

  target(): string {
    const length = this.u32('length of the target');
    const target = this.#take(length, 'target');
    if (length < 2 || target.indexOf(0) !== length - 1)
      throw this.#bad('expected a target that ends with its only NUL');
    const text = target.toString('utf8', 0, length - 1);
    if (!Buffer.from(text).equals(target.subarray(0, -1))) throw this.#bad('expected a target in UTF-8');
    return text;
  }

  architectures(): BomArchitecture[] {
    const one = this.#take(1, 'byte before the architectures').readUInt8(0);
    if (one !== 1) throw this.#bad(`expected 1 before the architectures, found ${one}`);
    const count = this.u32('number of architectures');
    if (count === 0) throw this.#bad('expected an architecture, found none');
    const table = this.#take(count * BOM_ARCHITECTURE.size, 'architectures');
    return Array.from({ length: count }, (_, index) => BOM_ARCHITECTURE.decode(table, index * BOM_ARCHITECTURE.size));
  }

  /** Returns `value` if only zeros are left: eight from Apple's tools, fewer from bomutils. */
  finish<T>(value?: T): T {
    const rest = this.#data.subarray(this.#at);
    if (rest.length > BOM_RECORD_END || rest.some((byte) => byte !== 0)) {
      throw this.#bad(`expected at most ${BOM_RECORD_END} zeros at the end, found ${rest.length} bytes`);
    }
    return value as T;
  }

  #take(size: number, what: string): Buffer {
    const left = this.#data.length - this.#at;
    if (size > left) throw this.#bad(`expected ${size} bytes of ${what}, found ${left}`);
    this.#at += size;
    return this.#data.subarray(this.#at - size, this.#at);
  }

  #bad(problem: string): FormatError {
    return new FormatError('BOM_RECORD', 'BomRecord', this.#offset + this.#at, problem);
  }
}

/** Returns the bytes of a record's block. */
export function bomRecordSize(record: BomRecord): number {
  return BOM_RECORD.size + contentsSize(record) + BOM_RECORD_END;
}

function contentsSize({ kind, pathOnly, linkTarget, architectures }: BomRecord): number {
  if (pathOnly || kind === 'directory') return 0;
  if (kind === 'symlink') return 4 + 4 + Buffer.byteLength(linkTarget as string) + 1;
  return architectures?.length ? 4 + 1 + 4 + architectures.length * BOM_ARCHITECTURE.size : 4;
}

/**
 * Writes the block of one record into `target`, which is zero there: the fixed part, what follows by kind, and the zeros that Apple writes
 * behind it.
 */
export function encodeBomRecord(record: BomRecord, target: Buffer, offset: number): void {
  const type = BOM_TYPES[record.kind];
  if (record.pathOnly) {
    const zero = { uid: 0, gid: 0, mtimeSeconds: 0, size: 0, oneMore: 0 };
    // The root of pkgbuild --component has mode 0 altogether, AppleDouble files have their partner's mode.
    const mode = record.mode === 0 ? 0 : FILE_TYPE_BITS[record.kind] | record.mode;
    BOM_RECORD.encodeInto(target, offset, { ...zero, type, one: 1, flags: BOM_FLAGS_PATH_ONLY, mode });
    return;
  }
  const { uid, gid, mtimeSeconds, size } = record;
  const mode = FILE_TYPE_BITS[record.kind] | record.mode;
  const flags = flagsOf(record);
  BOM_RECORD.encodeInto(target, offset, { type, one: 1, flags, mode, uid, gid, mtimeSeconds, size, oneMore: 1 });
  if (record.kind !== 'directory') encodeContents(record, target, offset + BOM_RECORD.size);
}

function flagsOf({ architectures, size }: BomRecord): number {
  if (!architectures || architectures.length === 0) return BOM_FLAGS_FULL;
  const thin = architectures.length === 1 && architectures[0]?.size === size;
  return BOM_FLAGS_FULL | (thin ? BOM_FLAGS_THIN : BOM_FLAGS_FAT);
}

/** Writes what follows the fixed part of a file's or a link's record. */
function encodeContents(record: BomRecord, target: Buffer, offset: number): void {
  const { linkTarget = '', architectures = [] } = record;
  target.writeUInt32BE(record.cksum ?? cksum(Buffer.from(linkTarget)), offset);
  if (record.kind === 'symlink') {
    const length = target.write(linkTarget, offset + 8);
    target.writeUInt32BE(length + 1, offset + 4);
  } else if (architectures.length > 0) {
    target.writeUInt8(1, offset + 4);
    target.writeUInt32BE(architectures.length, offset + 5);
    for (const [index, one] of architectures.entries())
      BOM_ARCHITECTURE.encodeInto(target, offset + 9 + index * BOM_ARCHITECTURE.size, one);
  }
}
