import { FormatError } from '../base/errors.ts';
import { beyond, LIMITS } from '../base/input/limits.ts';
import { layout, u32be } from '../base/layout.ts';

/** First words of every blob, big-endian. Source: `struct __SC_GenericBlob`, xnu osfmk/kern/cs_blobs.h. */
export const BLOB_HEADER = layout('Blob', {
  magic: u32be, // CSMAGIC_*
  length: u32be, // bytes, these 8 included
});

/** Header of a blob that holds blobs; an index of `count` records follows. Source: `struct __SC_SuperBlob`, cs_blobs.h. */
export const SUPER_BLOB_HEADER = layout('SuperBlob', {
  magic: u32be,
  length: u32be,
  count: u32be,
});

/** One record of the index, 8 bytes. Source: `struct __BlobIndex`, cs_blobs.h. */
export const BLOB_INDEX = layout('BlobIndex', {
  type: u32be, // CSSLOT_*
  offset: u32be, // bytes from the start of the SuperBlob
});

/** Source of all magics and slots: xnu osfmk/kern/cs_blobs.h. */
export const MAGIC_EMBEDDED_SIGNATURE = 0xfade0cc0;
export const MAGIC_CODE_DIRECTORY = 0xfade0c02;
export const MAGIC_REQUIREMENTS = 0xfade0c01;
export const MAGIC_REQUIREMENT = 0xfade0c00;
export const MAGIC_ENTITLEMENTS = 0xfade7171;
export const MAGIC_DER_ENTITLEMENTS = 0xfade7172;
export const MAGIC_LAUNCH_CONSTRAINT = 0xfade8181;
export const MAGIC_BLOB_WRAPPER = 0xfade0b01;
export const SLOT_CODE_DIRECTORY = 0;
export const SLOT_INFO_PLIST = 1;
export const SLOT_REQUIREMENTS = 2;
export const SLOT_CODE_RESOURCES = 3;
export const SLOT_ENTITLEMENTS = 5;
export const SLOT_DER_ENTITLEMENTS = 7;
export const SLOT_ALTERNATE_CODE_DIRECTORIES = 0x1000;
/** CSSLOT_ALTERNATE_CODEDIRECTORY_MAX in cs_blobs.h. */
export const MAX_ALTERNATE_CODE_DIRECTORIES = 5;
export const SLOT_CMS = 0x10000;

/** A blob with the number under which a SuperBlob lists it; `data` includes the blob's own header. */
export interface Blob {
  readonly type: number;
  readonly data: Buffer;
}

/** Returns a blob: magic, length and content. `encodeBlob(0xfade0b01, Buffer.alloc(0))` has 8 bytes. */
export function encodeBlob(magic: number, content: Buffer): Buffer {
  return Buffer.concat([BLOB_HEADER.encode({ magic, length: BLOB_HEADER.size + content.length }), content]);
}

/** Returns a SuperBlob that holds `blobs` packed, in the given order; codesign's is by ascending type. */
export function encodeSuperBlob(magic: number, blobs: readonly Blob[]): Buffer {
  let end = SUPER_BLOB_HEADER.size + blobs.length * BLOB_INDEX.size;
  const index = blobs.map(({ type, data }) => {
    const offset = end;
    end += data.length;
    return BLOB_INDEX.encode({ type, offset });
  });
  const header = SUPER_BLOB_HEADER.encode({ magic, length: end, count: blobs.length });
  return Buffer.concat([header, ...index, ...blobs.map(({ data }) => data)]);
}

/** A SuperBlob that was read. */
export interface SuperBlob {
  /** Bytes that it takes, by its own header. */
  readonly length: number;
  /** In the order of the index. */
  readonly blobs: readonly Blob[];
  /** Whether it has the form that codesign gives it: types ascend, and blobs follow each other without a gap, in the order of the index. */
  readonly packed: boolean;
  /** Where a byte lies that is not zero and belongs to no blob; null without one. */
  readonly stray: number | null;
}

/**
 * Returns the blobs of a SuperBlob at the start of `data`; what follows is left alone.
 *
 * The index alone says where a blob lies: LLVM's linker pads the index, others write blobs in another order, and macOS takes both.
 * What two readers could take for two things is refused: a type given twice, blobs over each other or over the index.
 *
 * @throws FormatError `SUPER_BLOB_INVALID`, `SIZE_LIMIT` or `FORMAT_TRUNCATED`
 * @see Security-61901 superblob.h, `SuperBlobCore::validateBlob`; ld64.lld, MachO/SyntheticSections.cpp
 */
export function parseSuperBlob(data: Buffer, magic: number): SuperBlob {
  const header = SUPER_BLOB_HEADER.decode(data);
  if (header.magic !== magic) throw invalid(0, `expected magic ${hex(magic)}, found ${hex(header.magic)}`);
  const indexEnd = SUPER_BLOB_HEADER.size + header.count * BLOB_INDEX.size;
  if (header.length > data.length) throw invalid(4, `length ${header.length}, ${data.length} bytes are there`);
  if (header.length > LIMITS.superBlobBytes) throw beyond('SuperBlob', 'bytes', LIMITS.superBlobBytes);
  if (indexEnd > header.length) throw invalid(8, `${header.count} blobs do not fit in ${header.length} bytes`);
  if (header.count > MAX_BLOBS) throw beyond('SuperBlob', 'blobs', MAX_BLOBS);
  const places = Array.from({ length: header.count }, (_, index) =>
    readPlace(data, header.length, SUPER_BLOB_HEADER.size + index * BLOB_INDEX.size),
  );
  const types = new Set<number>();
  for (const { type, place } of places) {
    if (types.size === types.add(type).size) throw invalid(place, `a second blob of type ${hex(type)}`);
  }
  const gaps = gapsBetween(places, indexEnd, header.length);
  const stray = gaps.map((gap) => strayIn(data, gap)).find((offset) => offset !== null) ?? null;
  const ascending = places.every(({ type, offset }, index) => {
    const previous = places[index - 1];
    return !previous || (previous.type < type && previous.offset < offset);
  });
  const blobs = places.map(({ type, offset, length }) => ({ type, data: data.subarray(offset, offset + length) }));
  return { length: header.length, blobs, packed: ascending && gaps.length === 0, stray };
}

/** More blobs than there are numbers for them. */
const MAX_BLOBS = 64;

interface BlobPlace {
  readonly type: number;
  readonly offset: number;
  readonly length: number;
  /** Of its record in the index. */
  readonly place: number;
}

function readPlace(data: Buffer, end: number, place: number): BlobPlace {
  const { type, offset } = BLOB_INDEX.decode(data, place);
  if (offset + BLOB_HEADER.size > end) throw invalid(place + 4, `no room for a blob at ${offset}`);
  const { length } = BLOB_HEADER.decode(data, offset);
  if (length < BLOB_HEADER.size || offset + length > end) {
    throw invalid(offset + 4, `a blob of ${length} bytes, ${end - offset} are left`);
  }
  return { type, offset, length, place };
}

/** Returns what lies between index, blobs and end; throws where one lies over another. */
function gapsBetween(places: readonly BlobPlace[], start: number, length: number): { start: number; end: number }[] {
  const gaps: { start: number; end: number }[] = [];
  let end = start;
  for (const blob of places.toSorted((one, other) => one.offset - other.offset)) {
    if (blob.offset < end) throw invalid(blob.place + 4, `a blob at ${blob.offset}, ${end} bytes are taken`);
    if (blob.offset > end) gaps.push({ start: end, end: blob.offset });
    end = blob.offset + blob.length;
  }
  if (end < length) gaps.push({ start: end, end: length });
  return gaps;
}

function strayIn(data: Buffer, { start, end }: { start: number; end: number }): number | null {
  const stray = data.subarray(start, end).findIndex((byte) => byte !== 0);
  return stray < 0 ? null : start + stray;
}

/** Returns the content of a blob after its header; throws FormatError when its magic or length is not what is expected. */
export function blobContent(blob: Buffer, magic: number): Buffer {
  const header = BLOB_HEADER.decode(blob);
  if (header.magic !== magic || header.length !== blob.length) {
    const problem = `expected magic ${hex(magic)} and length ${blob.length}, found ${hex(header.magic)} and ${header.length}`;
    throw new FormatError('BLOB_INVALID', 'Blob', 0, problem);
  }
  return blob.subarray(BLOB_HEADER.size);
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

function invalid(offset: number, problem: string): FormatError {
  return new FormatError('SUPER_BLOB_INVALID', 'SuperBlob', offset, problem);
}
