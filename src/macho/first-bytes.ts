import { LIMITS } from '../base/input/limits.ts';
import {
  CPU_TYPES,
  FAT_ARCH,
  FAT_HEADER,
  FAT_MAGIC,
  FAT_MAGIC_64,
  FIRST_JAVA_VERSION,
  MACH_HEADER_BE,
  MACH_HEADER_LE,
  MH_MAGIC,
  MH_MAGIC_64,
} from './layout.ts';

/** One architecture inside a Mach-O file, as its header says. */
export interface MachoSlice {
  readonly cpuType: number;
  readonly cpuSubtype: number;
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

/** What a file is, seen from its first bytes. */
export interface MachoSlices {
  readonly kind: 'none' | 'thin' | 'fat';
  /** Empty for `none`, one for `thin`. */
  readonly slices: readonly MachoSlice[];
}

/** Bytes of a file that tell what it is: a universal header with as many records as the kernel looks at. */
export const MACHO_HEAD_SIZE = FAT_HEADER.size + LIMITS.slices * FAT_ARCH.size;

const NONE: MachoSlices = { kind: 'none', slices: [] };

/**
 * Returns the architectures of a file by its first bytes, for its Bom record.
 *
 * A fat header that cannot be true (slices outside the file, over each other, none or too many) makes the file `none`, as is a Java
 * class, which begins with the same four bytes: its next number is a version of 45 or more. The 64-bit fat header (FAT_MAGIC_64) is
 * `none` too, as no Bom with one was ever seen.
 *
 * @param head the first MACHO_HEAD_SIZE bytes, or the whole file when it is shorter
 * @param fileSize bytes in the whole file
 * @example machoSlices(head, 200_000) // { kind: 'thin', slices: [{ cpuType: 0x0100000c, cpuSubtype: 0, offset: 0, size: 200000 }] }
 */
export function machoSlices(head: Buffer, fileSize: number): MachoSlices {
  if (head.length < MACH_HEADER_LE.size) return NONE;
  if (head.readUInt32BE(0) === FAT_MAGIC) return fatSlices(head, fileSize);
  const layout = thinLayout(head);
  if (!layout) return NONE;
  const { cpuType, cpuSubtype } = layout.decode(head);
  return { kind: 'thin', slices: [{ cpuType, cpuSubtype, offset: 0, size: fileSize }] };
}

function fatSlices(head: Buffer, fileSize: number): MachoSlices {
  const { count } = FAT_HEADER.decode(head);
  const headerEnd = FAT_HEADER.size + count * FAT_ARCH.size;
  if (count === 0 || count > LIMITS.slices || headerEnd > head.length) return NONE;
  const slices = Array.from({ length: count }, (_, index): MachoSlice => {
    const { alignment: _alignment, ...slice } = FAT_ARCH.decode(head, FAT_HEADER.size + index * FAT_ARCH.size);
    return slice;
  });
  let end = headerEnd;
  for (const slice of slices.toSorted((a, b) => a.offset - b.offset)) {
    if (slice.offset < end || slice.size === 0) return NONE;
    end = slice.offset + slice.size;
  }
  return end <= fileSize ? { kind: 'fat', slices } : NONE;
}

/** Returns whether a file is code by its first MACHO_HEAD_SIZE bytes: thin or universal, of any processor that macOS ever ran on. */
export function isCode(head: Buffer): boolean {
  return isThin(head) || isUniversal(head);
}

/** Returns whether bytes begin as a thin Mach-O file does, of 32 or 64 bits and in either byte order. */
export function isThin(head: Buffer): boolean {
  return head.length >= MACH_HEADER_LE.size && thinLayout(head) !== undefined;
}

/** Returns the header's layout by its magic number, which all layouts begin with. */
function thinLayout(head: Buffer): typeof MACH_HEADER_BE | undefined {
  const isThinMagic = (magic: number) => magic === MH_MAGIC || magic === MH_MAGIC_64;
  if (isThinMagic(head.readUInt32BE(0))) return MACH_HEADER_BE;
  return isThinMagic(head.readUInt32LE(0)) ? MACH_HEADER_LE : undefined;
}

/**
 * Returns whether bytes begin as a universal file does, and not as a Java class.
 *
 * From 45 slices on the two look alike; a class has a constant where the first record would name a processor, so one record with a
 * processor of macOS tells them apart, as the kernel looks for its own among all of them.
 */
export function isUniversal(head: Buffer): boolean {
  if (head.length < FAT_HEADER.size) return false;
  const { magic, count } = FAT_HEADER.decode(head);
  if (magic === FAT_MAGIC_64) return true;
  if (magic !== FAT_MAGIC) return false;
  if (count < FIRST_JAVA_VERSION) return true;
  const end = Math.min(head.length, MACHO_HEAD_SIZE, FAT_HEADER.size + count * FAT_ARCH.size);
  for (let at = FAT_HEADER.size; at + FAT_ARCH.size <= end; at += FAT_ARCH.size) {
    const { cpuType, cpuSubtype, offset, size } = FAT_ARCH.decode(head, at);
    if (CPU_TYPES.includes(cpuType) && (cpuSubtype & 0xffffff) < 256 && offset >= end && size > 0) return true;
  }
  return false;
}
