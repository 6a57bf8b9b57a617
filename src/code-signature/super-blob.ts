import { FormatError } from '../base/errors.ts';
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

/**
 * Returns the blobs of a SuperBlob at the start of `data`, and its length in bytes; what follows is left alone.
 *
 * The form is held to what Apple always writes: types ascend, blobs are packed without gaps in the order of the index and fill the
 * whole length. (Apple's reader demands that of disk images only.)
 *
 * @throws FormatError `SUPER_BLOB_INVALID` or `FORMAT_TRUNCATED`
 * @see Security-61901 superblob.h
 */
export function parseSuperBlob(
  data: Buffer,
  magic: number,
): { readonly length: number; readonly blobs: readonly Blob[] } {
  const header = SUPER_BLOB_HEADER.decode(data);
  if (header.magic !== magic) throw invalid(0, `expected magic ${hex(magic)}, found ${hex(header.magic)}`);
  let end = SUPER_BLOB_HEADER.size + header.count * BLOB_INDEX.size;
  if (header.length > data.length) throw invalid(4, `length ${header.length}, ${data.length} bytes are there`);
  if (end > header.length) throw invalid(8, `${header.count} blobs do not fit in ${header.length} bytes`);
  const blobs: Blob[] = [];
  for (let index = 0; index < header.count; index++) {
    const place = SUPER_BLOB_HEADER.size + index * BLOB_INDEX.size;
    const { type, offset } = BLOB_INDEX.decode(data, place);
    const previous = blobs.at(-1);
    if (previous && previous.type >= type) throw invalid(place, `type ${hex(type)} after ${hex(previous.type)}`);
    if (offset !== end) throw invalid(place + 4, `expected a blob at ${end}, found one at ${offset}`);
    if (offset + BLOB_HEADER.size > header.length) throw invalid(place + 4, 'no room for a blob');
    const { length } = BLOB_HEADER.decode(data, offset);
    if (length < BLOB_HEADER.size || offset + length > header.length) {
      throw invalid(offset + 4, `a blob of ${length} bytes, ${header.length - offset} are left`);
    }
    blobs.push({ type, data: data.subarray(offset, offset + length) });
    end = offset + length;
  }
  if (end !== header.length) throw invalid(4, `the blobs end at ${end} of ${header.length}`);
  return { length: header.length, blobs };
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
