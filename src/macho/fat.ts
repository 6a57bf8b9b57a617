import { FormatError } from '../base/errors.ts';
import { LIMITS } from '../base/input/limits.ts';
import { isThin, isUniversal } from './first-bytes.ts';
import {
  architectureName,
  FAT_ARCH,
  FAT_ARCH_64,
  FAT_HEADER,
  FAT_MAGIC,
  FAT_MAGIC_64,
  MACH_HEADER_64,
  MACH_HEADER_BE,
  MACH_HEADER_LE,
  MH_MAGIC,
  MH_MAGIC_64,
} from './layout.ts';

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

/**
 * Returns the slices of a universal file in their order, after the checks that strict validation makes.
 *
 * @throws FormatError `FAT_INVALID` for slices that overlap, are misaligned, outnumber the file or are of the same processor; for
 *   gaps that are not zero or as large as the alignment; for bytes after the last slice
 * @see Security-61901 macho++.cpp, `Universal::isSuspicious` and `MachOBase::isSuspicious`
 */
export function parseFat(data: Buffer): FatSlice[] {
  const { records, headerSize } = readRecords(data);
  let end = headerSize;
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

/** Returns the thin files that a Mach-O file holds: its slices, or itself. */
export function slicesOf(data: Buffer): Buffer[] {
  return isUniversal(data) ? parseFat(data).map((slice) => slice.data) : [data];
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
  // The records take less than a step, as there are LIMITS.slices at most.
  let end = step;
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

function readRecords(data: Buffer) {
  const { magic, count } = FAT_HEADER.decode(data);
  const layout = magic === FAT_MAGIC ? FAT_ARCH : magic === FAT_MAGIC_64 ? FAT_ARCH_64 : undefined;
  if (!layout)
    throw invalid('FatHeader', 0, `expected magic 0x${FAT_MAGIC.toString(16)}, found 0x${magic.toString(16)}`);
  if (count === 0 || count > LIMITS.slices) {
    throw invalid('FatHeader', 4, `expected 1 to ${LIMITS.slices} slices, found ${count}`);
  }
  const records = Array.from({ length: count }, (_, index) => {
    const place = FAT_HEADER.size + index * layout.size;
    const { cpuType, cpuSubtype, alignment, ...range } = layout.decode(data, place);
    return { cpuType, cpuSubtype, alignment, offset: Number(range.offset), size: Number(range.size), place };
  });
  return { records, headerSize: FAT_HEADER.size + count * layout.size };
}

function demandGap(data: Buffer, start: number, end: number, limit: number): void {
  if (end - start >= limit) throw invalid('FatArch', start, `${end - start} unused bytes before a slice`);
  const stray = data.subarray(start, end).findIndex((byte) => byte !== 0);
  if (stray >= 0) throw invalid('FatArch', start + stray, 'a byte that is not zero between slices');
}

function demandSameProcessor(slice: Buffer, record: { cpuType: number; cpuSubtype: number }, place: number): void {
  if (slice.length < MACH_HEADER_LE.size || !isThin(slice)) return; // checked by whoever reads the slice
  const { magic, ...little } = MACH_HEADER_LE.decode(slice);
  const { cpuType, cpuSubtype } = magic === MH_MAGIC || magic === MH_MAGIC_64 ? little : MACH_HEADER_BE.decode(slice);
  if (cpuType !== record.cpuType || cpuSubtype !== record.cpuSubtype) {
    const found = architectureName(cpuType, cpuSubtype);
    throw invalid('FatArch', place, `the record's processor is not that of its slice (${found})`);
  }
}

function invalid(structure: string, offset: number, problem: string): FormatError {
  return new FormatError('FAT_INVALID', structure, offset, problem);
}
