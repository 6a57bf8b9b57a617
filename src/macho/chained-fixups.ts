import { FormatError } from '../base/errors.ts';
import type { BindContext } from './bind-context.ts';
import { CHAINED_FIXUPS_HEADER, CHAINED_STARTS_IN_SEGMENT } from './layout.ts';

/** Bytes of one import, by `imports_format`: DYLD_CHAINED_IMPORT, with an addend, with one of 64 bits. */
const IMPORT_SIZES: readonly (number | undefined)[] = [undefined, 4, 8, 16];
/** Pointer formats of 64-bit images that are known to dyld. Source: mach-o/fixup-chains.h. */
const FORMATS_64: readonly number[] = [1, 2, 6, 7, 8, 9, 10, 11, 12];
const PAGE_START_NONE = 0xffff;
const PAGE_START_MULTI = 0x8000;
/** Where page_start[] begins in `struct dyld_chained_starts_in_segment`. */
const PAGE_STARTS_OFFSET = 22;
const LEAST_ORDINAL = -3;

/**
 * Returns why dyld would not follow the chained fixups of a 64-bit image, or null.
 *
 * @param data what LC_DYLD_CHAINED_FIXUPS names
 * @throws FormatError when a structure lies outside of it
 * @see dyld-1378, mach_o/ChainedFixups.cpp, validLinkedit; mach-o/fixup-chains.h
 */
export function chainedFixupProblem(data: Buffer, context: BindContext): string | null {
  const header = CHAINED_FIXUPS_HEADER.decode(data);
  const importSize = IMPORT_SIZES[header.importsFormat];
  if (header.version !== 0) return says(`unknown header version (${header.version})`);
  if (header.startsOffset >= data.length) return says('starts_offset exceeds LC_DYLD_CHAINED_FIXUPS size');
  if (header.importsOffset > data.length) return says('imports_offset exceeds LC_DYLD_CHAINED_FIXUPS size');
  if (importSize === undefined) return says(`unknown imports_format (${header.importsFormat})`);
  if (header.importsOffset + importSize * header.importsCount > header.symbolsOffset)
    return says('imports array overlaps symbols');
  if (header.symbolsFormat !== 0) return says(`symbols_format unknown (${header.symbolsFormat})`);
  return startsProblem(data, header, context) ?? importsProblem(data, header, importSize, context);
}

type Header = ReturnType<typeof CHAINED_FIXUPS_HEADER.decode>;

/** `struct dyld_chained_starts_in_image`: seg_count, then an offset a segment, 0 for one without fixups. */
function startsProblem(data: Buffer, header: Header, context: BindContext): string | null {
  const count = wordAt(data, header.startsOffset);
  if (count > context.segments.length) return says('seg_count exceeds number of segments');
  // ctf_insert adds a segment without fixups behind the linker's back.
  if (count < context.segments.length && context.segments.at(-1)?.name !== '__CTF')
    return says('seg_count does not match number of segments');
  const formats = new Set<number>();
  let pages = 0;
  for (let index = 0; index < count; index++) {
    const offset = wordAt(data, header.startsOffset + 4 + 4 * index);
    if (offset === 0) continue;
    const at = header.startsOffset + offset;
    const starts = CHAINED_STARTS_IN_SEGMENT.decode(data, at);
    pages += starts.pageCount;
    // Two bytes tell where a page's chain starts, so that more pages share their bytes: a small table would be read for ever.
    if (pages * 2 > data.length) return says('page_start arrays lie over each other');
    const problem = segmentProblem(data.subarray(at), starts, header.importsOffset - at);
    if (problem !== null) return says(`${problem} in segment #${index}`);
    formats.add(starts.pointerFormat);
  }
  return formats.size > 1 ? says('pointer_format not same for all segments') : null;
}

type Starts = ReturnType<typeof CHAINED_STARTS_IN_SEGMENT.decode>;

/** @param room bytes from the structure to the imports */
function segmentProblem(data: Buffer, starts: Starts, room: number): string | null {
  if (starts.structureSize > room) return 'dyld_chained_starts_in_segment overruns imports table';
  if (starts.pageSize !== 0x1000 && starts.pageSize !== 0x4000) return 'page_size not 4KB or 16KB';
  if (!FORMATS_64.includes(starts.pointerFormat)) return `unknown pointer_format ${starts.pointerFormat}`;
  if (PAGE_STARTS_OFFSET + 2 * starts.pageCount > starts.structureSize) return 'page_start array overflows size';
  for (let page = 0; page < starts.pageCount; page++) {
    const start = data.readUInt16LE(PAGE_STARTS_OFFSET + 2 * page);
    if (start === PAGE_START_NONE) continue;
    if ((start & PAGE_START_MULTI) !== 0) return `page_start[${page}] multi-start chains not supported in 64-bit archs`;
    if (start > starts.pageSize) return `page_start[${page}] exceeds page size`;
  }
  return null;
}

/** Ordinal and name of each import: 8 and 23 bits of a word, or 16 and 32 of a double one. */
function importsProblem(data: Buffer, header: Header, importSize: number, context: BindContext): string | null {
  const lastEnd = data.lastIndexOf(0);
  for (let index = 0; index < header.importsCount; index++) {
    const at = header.importsOffset + importSize * index;
    const wide = importSize === 16;
    const word = wordAt(data, at);
    const ordinal = wide ? (word << 16) >> 16 : specialOrdinal(word & 0xff);
    const name = wide ? wordAt(data, at + 4) : word >>> 9;
    if (ordinal > context.dylibCount)
      return says(`import ${index} has library ordinal too large (${ordinal}) max (${context.dylibCount})`);
    if (ordinal < LEAST_ORDINAL) return says(`import ${index} has unknown library special ordinal (${ordinal})`);
    if (header.symbolsOffset + name > lastEnd) return says(`import ${index} has a name without an end`);
  }
  return null;
}

/** The last fifteen of the 8-bit ordinals are negative: special ones. */
function specialOrdinal(ordinal: number): number {
  return ordinal > 0xf0 ? ordinal - 0x100 : ordinal;
}

function wordAt(data: Buffer, offset: number): number {
  if (offset + 4 > data.length)
    throw new FormatError('MACHO_INVALID', 'chained fixups', offset, `beyond its ${data.length} bytes`);
  return data.readUInt32LE(offset);
}

function says(problem: string): string {
  return `chained fixups: ${problem}`;
}
