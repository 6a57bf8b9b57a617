import { bytes, layout, u8, u16be, u32be } from '../base/layout.ts';
import { baseName } from './entry.ts';

/** Header of an AppleDouble file, 26 bytes, big-endian; entries follow. Source: RFC 1740, appendix B; copyfile.c of Apple. */
const HEADER = layout('AppleDouble', {
  magic: u32be, // 00051607
  version: u32be, // 00020000
  filler: bytes(16), // `Mac OS X        `
  count: u16be, // entries
});
/** One entry, 12 bytes. Source: RFC 1740, appendix B. */
const ENTRY = layout('AppleDoubleEntry', {
  id: u32be, // 2 resource fork, 9 Finder information
  offset: u32be, // bytes from the start of the file
  size: u32be,
});
/** What follows the Finder information when a file has extended attributes. Source: copyfile.c, `struct attr_header`. */
const ATTRIBUTES = layout('AppleDoubleAttributes', {
  magic: u32be, // ATTR
  tag: u32be,
  totalSize: u32be,
  dataStart: u32be,
  dataLength: u32be,
  reserved: bytes(12),
  flags: u16be,
  count: u16be,
});
/** One attribute; its name with a NUL follows, padded to 4 bytes. Source: copyfile.c, `struct attr_entry`. */
const ATTRIBUTE = layout('AppleDoubleAttribute', {
  offset: u32be,
  size: u32be,
  flags: u16be,
  nameSize: u8,
});

const MAGIC = 0x00051607;
const ATTRIBUTES_MAGIC = 0x41545452;
const FINDER_INFO = 9;
/** 32 bytes of Finder information and 2 that pad them. */
const FINDER_INFO_SIZE = 34;

/** Bytes that `isAppleDouble` needs. */
export const APPLE_DOUBLE_HEAD_SIZE = 4;

/** Returns whether a file begins as AppleDouble files do. */
export function isAppleDouble(head: Buffer): boolean {
  return head.length >= APPLE_DOUBLE_HEAD_SIZE && head.readUInt32BE(0) === MAGIC;
}

/** Returns the path of the file that `path` would be the metadata of, or undefined: `./a/x` for `./a/._x`. */
export function metadataPartner(path: string): string | undefined {
  const name = baseName(path);
  if (!name.startsWith('._') || name.length === 2) return undefined;
  return path.slice(0, path.length - name.length) + name.slice(2);
}

/**
 * Returns the names of the extended attributes in an AppleDouble file; those that can be found, when the rest is damaged.
 *
 * @example attributeNames(content) // ['com.apple.provenance']
 */
export function attributeNames(data: Buffer): string[] {
  const names: string[] = [];
  const start = attributesOffset(data);
  if (start === undefined) return names;
  const { count } = ATTRIBUTES.decode(data, start);
  let at = start + ATTRIBUTES.size;
  for (let index = 0; index < count && at + ATTRIBUTE.size <= data.length; index++) {
    const { nameSize } = ATTRIBUTE.decode(data, at);
    names.push(data.toString('utf8', at + ATTRIBUTE.size, at + ATTRIBUTE.size + nameSize).replace(/\0+$/, ''));
    at = Math.ceil((at + ATTRIBUTE.size + nameSize) / 4) * 4;
  }
  return names;
}

function attributesOffset(data: Buffer): number | undefined {
  if (!isAppleDouble(data) || data.length < HEADER.size) return undefined;
  const { count } = HEADER.decode(data);
  for (let index = 0; index < count; index++) {
    const place = HEADER.size + index * ENTRY.size;
    if (place + ENTRY.size > data.length) return undefined;
    const { id, offset } = ENTRY.decode(data, place);
    const at = offset + FINDER_INFO_SIZE;
    if (id !== FINDER_INFO || at + ATTRIBUTES.size > data.length) continue;
    if (data.readUInt32BE(at) === ATTRIBUTES_MAGIC) return at;
  }
  return undefined;
}
