import { FormatError } from '../base/errors.ts';
import {
  architectureName,
  FAT_ARCH,
  FAT_HEADER,
  FAT_MAGIC,
  FAT_MAGIC_64,
  MACH_HEADER_64,
  MAX_SLICES,
} from './layout.ts';
import { isMacho } from './macho.ts';

const MAX_ALIGNMENT = 15;
/** codesign aligns every slice to 2^14, x86_64 as well. Source: Security-61901 codesign_alloc.cpp. */
const ALIGNMENT = 14;

/** A slice of a universal file. */
export interface FatSlice {
  readonly cpuType: number;
  readonly cpuSubtype: number;
  readonly architecture: string;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly data: Buffer;
}

/** Returns whether `data` begins as a universal file does. */
export function isFat(data: Buffer): boolean {
  if (data.length < FAT_HEADER.size) return false;
  const { magic, count } = FAT_HEADER.decode(data);
  return (magic === FAT_MAGIC || magic === FAT_MAGIC_64) && count <= MAX_SLICES;
}

/**
 * Returns the slices of a universal file in their order, after the checks that strict validation makes.
 *
 * @throws FormatError `FAT_INVALID` for slices that overlap, are misaligned, outnumber the file or are of the same processor; for
 *   gaps that are not zero or as large as the alignment; for bytes after the last slice
 * @see Security-61901 macho++.cpp, `Universal::isSuspicious` and `MachOBase::isSuspicious`
 */
export function parseFat(data: Buffer): FatSlice[] {
  const header = FAT_HEADER.decode(data);
  if (header.magic !== FAT_MAGIC)
    throw invalid('FatHeader', 0, `expected magic 0x${FAT_MAGIC.toString(16)}, found 0x${header.magic.toString(16)}`);
  if (header.count === 0 || header.count > MAX_SLICES) throw invalid('FatHeader', 4, `${header.count} slices`);
  const records = Array.from({ length: header.count }, (_, index) => ({
    ...FAT_ARCH.decode(data, FAT_HEADER.size + index * FAT_ARCH.size),
    place: FAT_HEADER.size + index * FAT_ARCH.size,
  }));
  let end = FAT_HEADER.size + header.count * FAT_ARCH.size;
  const kinds = new Set<string>();
  for (const record of [...records].sort((a, b) => a.offset - b.offset)) {
    const { offset, size, alignment, place, cpuType, cpuSubtype } = record;
    if (alignment > MAX_ALIGNMENT || offset % 2 ** alignment !== 0) {
      throw invalid('FatArch', place + 16, `offset ${offset} with alignment 2^${alignment}`);
    }
    if (offset < end || size === 0 || offset + size > data.length) {
      throw invalid('FatArch', place + 8, `slice at ${offset} of ${size} bytes, ${end} of ${data.length} are taken`);
    }
    demandGap(data, end, offset, 2 ** alignment);
    demandSameProcessor(data.subarray(offset, offset + size), record, place);
    const kind = `${cpuType}/${cpuSubtype & 0xffffff}`;
    if (kinds.has(kind)) throw invalid('FatArch', place, 'two slices for the same processor');
    kinds.add(kind);
    end = offset + size;
  }
  if (end !== data.length) throw invalid('FatHeader', end, `${data.length - end} bytes after the last slice`);
  return records.map(({ cpuType, cpuSubtype, offset, size }) => ({
    cpuType,
    cpuSubtype,
    architecture: architectureName(cpuType, cpuSubtype),
    offset,
    data: data.subarray(offset, offset + size),
  }));
}

/**
 * Returns a universal file as codesign lays it out: slices in the given order, each at the next multiple of 0x4000, gaps zero.
 *
 * @param slices thin Mach-O files; the header's processor is taken from each
 * @example buildFat([x86_64, arm64]).readUInt32BE(16) // 0x4000
 */
export function buildFat(slices: readonly Buffer[]): Buffer {
  const step = 2 ** ALIGNMENT;
  const records: Buffer[] = [FAT_HEADER.encode({ magic: FAT_MAGIC, count: slices.length })];
  let end = FAT_HEADER.size + slices.length * FAT_ARCH.size;
  const places = slices.map((slice) => {
    const offset = Math.ceil(end / step) * step;
    end = offset + slice.length;
    const { cpuType, cpuSubtype } = MACH_HEADER_64.decode(slice);
    records.push(FAT_ARCH.encode({ cpuType, cpuSubtype, offset, size: slice.length, alignment: ALIGNMENT }));
    return offset;
  });
  const file = Buffer.alloc(end);
  Buffer.concat(records).copy(file);
  slices.forEach((slice, index) => {
    slice.copy(file, places[index]);
  });
  return file;
}

function demandGap(data: Buffer, start: number, end: number, limit: number): void {
  if (end - start >= limit) throw invalid('FatArch', start, `${end - start} unused bytes before a slice`);
  const stray = data.subarray(start, end).findIndex((byte) => byte !== 0);
  if (stray >= 0) throw invalid('FatArch', start + stray, 'a byte that is not zero between slices');
}

function demandSameProcessor(slice: Buffer, record: { cpuType: number; cpuSubtype: number }, place: number): void {
  if (!isMacho(slice)) return; // a 32-bit slice: judged by whoever reads it
  const { cpuType, cpuSubtype } = MACH_HEADER_64.decode(slice);
  if (cpuType !== record.cpuType || cpuSubtype !== record.cpuSubtype) {
    const found = architectureName(cpuType, cpuSubtype);
    throw invalid('FatArch', place, `the record's processor is not that of its slice (${found})`);
  }
}

function invalid(structure: string, offset: number, problem: string): FormatError {
  return new FormatError('FAT_INVALID', structure, offset, problem);
}
