import { FormatError } from '../base/errors.ts';
import { ascii, layout, u16be, u32be, u64be } from '../base/layout.ts';
import type { RandomAccess } from '../base/random-access.ts';

/**
 * Header of a xar archive, 28 bytes, big-endian. Behind it: the deflated table of contents (TOC), then the heap.
 *
 * Source: `struct xar_header`, xar/include/xar.h.
 */
export const XAR_HEADER = layout('XarHeader', {
  /** always `xar!` */
  magic: ascii(4),
  /** bytes; 28, or 64 in xar 1.6 and later when the algorithm is named behind the fields */
  headerSize: u16be,
  /** always 1 */
  version: u16be,
  /** bytes of the TOC as it is stored */
  tocCompressedSize: u64be,
  /** bytes of the TOC as XML */
  tocSize: u64be,
  /** identifier in CHECKSUM_ALGORITHMS */
  checksumAlgorithm: u32be,
});

/** Digest over the deflated TOC, by the name its `checksum` element gives it. */
export type ChecksumStyle = 'sha1' | 'sha256' | 'sha512' | WeakStyle;
/** What guards nothing against whoever makes a file on purpose; read, and noted. */
export type WeakStyle = 'md5' | 'none';

/**
 * Identifier in the header and length in bytes of each digest.
 *
 * Identifiers 3 and 4 are Apple's; xar 1.6 of others has 3 for "named behind the header". Source: xar/include/xar.h of Apple's xar and
 * of mackyle/xar.
 */
export const CHECKSUM_ALGORITHMS: Readonly<Record<ChecksumStyle, { readonly id: number; readonly size: number }>> = {
  sha1: { id: 1, size: 20 },
  sha256: { id: 3, size: 32 },
  sha512: { id: 4, size: 64 },
  md5: { id: 2, size: 16 },
  none: { id: 0, size: 0 },
};

/** Longest header read: the 28 bytes and a name of at most 36, padded with NUL. Source: mackyle/xar, xar.h. */
const LONGEST_HEADER = 64;

/** Encodings of a member's data in the heap. Despite its name `application/x-gzip` is a zlib stream (RFC 1950). */
export const STORED = 'application/octet-stream';
export const DEFLATED = 'application/x-gzip';
export const BZIPPED = 'application/x-bzip2';
/** Both names are used for streams of either kind: xz, and the older one without a container. */
export const XZIPPED: readonly string[] = ['application/x-xz', 'application/x-lzma'];

/** Returns whether a digest guards what it is over. */
export function isWeak(style: ChecksumStyle): style is WeakStyle {
  return style === 'md5' || style === 'none';
}

/** A header that was read and found right. */
export interface XarHeader {
  /** bytes */
  readonly headerSize: number;
  /** bytes */
  readonly tocCompressedSize: number;
  /** bytes */
  readonly tocSize: number;
  readonly checksum: ChecksumStyle;
}

/**
 * Returns the header at the start of a xar archive.
 *
 * Throws FormatError `XAR_MAGIC`, `XAR_HEADER_SIZE`, `XAR_VERSION`, `XAR_CHECKSUM_ALGORITHM`, `XAR_TOC_TRUNCATED` or
 * `FORMAT_TRUNCATED`, with the offset of the field at fault.
 */
export async function readXarHeader(access: RandomAccess): Promise<XarHeader> {
  const start = await access.read(0, Math.min(access.size, LONGEST_HEADER));
  if (start.length >= 4 && start.toString('latin1', 0, 4) !== 'xar!') {
    fail('XAR_MAGIC', 'magic', `"xar!"`, JSON.stringify(start.toString('latin1', 0, 4)));
  }
  const fields = XAR_HEADER.decode(start);
  const { headerSize } = fields;
  if (headerSize < XAR_HEADER.size || headerSize > LONGEST_HEADER) {
    fail('XAR_HEADER_SIZE', 'headerSize', `${XAR_HEADER.size} to ${LONGEST_HEADER} bytes`, String(headerSize));
  }
  if (fields.version !== 1) fail('XAR_VERSION', 'version', '1', String(fields.version));
  if (headerSize > start.length) fail('FORMAT_TRUNCATED', 'headerSize', `${headerSize} bytes`, `${start.length}`);
  const checksum = checksumOf(fields.checksumAlgorithm, start.subarray(XAR_HEADER.size, headerSize));
  const room = BigInt(access.size - headerSize);
  if (fields.tocCompressedSize > room) {
    fail('XAR_TOC_TRUNCATED', 'tocCompressedSize', `${fields.tocCompressedSize} bytes of TOC`, `${room}`);
  }
  if (fields.tocSize > BigInt(Number.MAX_SAFE_INTEGER)) {
    fail('XAR_TOC_SIZE', 'tocSize', 'a size in bytes below 2^53', String(fields.tocSize));
  }
  return { headerSize, tocCompressedSize: Number(fields.tocCompressedSize), tocSize: Number(fields.tocSize), checksum };
}

/** Returns whether `name` names a file inside its folder and nothing else. */
export function isMemberName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && name === name.trim() && !/[/\x00-\x1f\x7f]/.test(name);
}

function checksumOf(id: number, nameField: Buffer): ChecksumStyle {
  if (id === CHECKSUM_ALGORITHMS.sha256.id && nameField.length > 0) {
    const name = nameField.toString('latin1').replace(/\0+$/, '');
    if (name === 'sha256' || name === 'sha512') return name;
    fail('XAR_CHECKSUM_ALGORITHM', 'checksumAlgorithm', 'the name sha256 or sha512', JSON.stringify(name));
  }
  for (const [style, algorithm] of Object.entries(CHECKSUM_ALGORITHMS)) {
    if (algorithm.id === id) return style as ChecksumStyle;
  }
  return fail(
    'XAR_CHECKSUM_ALGORITHM',
    'checksumAlgorithm',
    '1 (SHA-1), 3 (SHA-256), 4 (SHA-512), 2 (MD5) or 0 (none)',
    String(id),
  );
}

type HeaderField = (typeof XAR_HEADER.fields)[number]['name'];

function fail(code: string, field: HeaderField, expected: string, found: string): never {
  throw new FormatError(code, XAR_HEADER.name, XAR_HEADER.offsetOf(field), `expected ${expected}, found ${found}`);
}
