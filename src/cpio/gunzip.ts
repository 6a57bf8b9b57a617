import { crc32, createInflateRaw, type InflateRaw } from 'node:zlib';
import { FormatError } from '../base/errors.ts';
import { bytes, layout, u8, u16be, u32le } from '../base/layout.ts';
import { ChunkReader } from './chunk-reader.ts';
import { gzipSize } from './gzip.ts';

/** Header of a gzip member, 10 bytes. Source: RFC 1952, section 2.3. */
const GZIP_HEADER = layout('GzipHeader', {
  magic: u16be, // 1f 8b
  method: u8, // 8 = deflate
  flags: u8, // FLAG_*: what follows the header
  origin: bytes(6), // time, XFL, operating system: any
});
/** What follows the deflate stream. Source: RFC 1952, section 2.3.1. */
const GZIP_TRAILER = layout('GzipTrailer', {
  checksum: u32le, // CRC-32 of the inflated bytes
  size: u32le, // inflated bytes modulo 2^32
});

export interface GunzipOptions {
  /** Most inflated bytes to accept; no bound by default. */
  readonly maxBytes?: number;
}

/**
 * Yields the contents of a source that is exactly one gzip member.
 *
 * @throws FormatError `FORMAT_TRUNCATED`, `GZIP_HEADER`, `GZIP_DEFLATE`, `GZIP_CHECKSUM`, `GZIP_SIZE`, `GZIP_TRAILING_BYTES` (anything
 *   behind the member: the Installer accepts no second one) or `SIZE_LIMIT`; offsets are in the compressed stream. As the checksum
 *   comes last, an error may follow bytes already yielded.
 */
export async function* gunzipMember(
  source: AsyncIterable<Buffer>,
  options: GunzipOptions = {},
): AsyncGenerator<Buffer> {
  const { maxBytes = Number.POSITIVE_INFINITY } = options;
  const reader = new ChunkReader(source);
  try {
    await readHeader(reader);
    const inflate = createInflateRaw({ chunkSize: 128 * 1024 });
    const fed = feed(reader, inflate);
    // An error while feeding reaches the loop below through the stream, which the end of the loop destroys.
    fed.catch((error) => inflate.destroy(error));
    let checksum = 0;
    let size = 0;
    for await (const chunk of explained(inflate, reader)) {
      size += chunk.length;
      if (size > maxBytes) {
        throw new FormatError(
          'SIZE_LIMIT',
          'gzip member',
          reader.offset,
          `expected at most ${maxBytes} inflated bytes`,
        );
      }
      checksum = crc32(chunk, checksum);
      yield chunk;
    }
    reader.unread(await fed);
    await checkTrailer(reader, checksum, size);
  } finally {
    await reader.close();
  }
}

/** pkgbuild writes no flags; archives that other tools made have the name of a file, and inflate to the same everywhere. */
const FLAG = { headerChecksum: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;
/** Longest name, comment or extra field that is passed over, in bytes. */
const FIELD_MAX = 65_536;

async function readHeader(reader: ChunkReader): Promise<void> {
  const data = await reader.read(GZIP_HEADER.size, GZIP_HEADER.name);
  const { magic, method, flags } = GZIP_HEADER.decode(data);
  const fields = [
    ['magic', magic, 0x1f8b],
    ['method', method, 8],
    ['flags', flags & FLAG.reserved, 0],
  ] as const;
  for (const [name, found, expected] of fields) {
    if (found === expected) continue;
    const problem = `expected ${name} ${expected.toString(16)}, found ${found.toString(16)}`;
    throw new FormatError('GZIP_HEADER', GZIP_HEADER.name, GZIP_HEADER.offsetOf(name), problem);
  }
  const parts = [data];
  if (flags & FLAG.extra) {
    const size = await reader.read(2, 'GzipExtra');
    parts.push(size, await reader.read(size.readUInt16LE(0), 'GzipExtra'));
  }
  if (flags & FLAG.name) parts.push(await readText(reader));
  if (flags & FLAG.comment) parts.push(await readText(reader));
  if (flags & FLAG.headerChecksum) await checkHeaderSum(reader, Buffer.concat(parts));
}

/** Reads up to a NUL. */
async function readText(reader: ChunkReader): Promise<Buffer> {
  const bytes: Buffer[] = [];
  while (bytes.length < FIELD_MAX) {
    const byte = await reader.read(1, 'GzipName');
    bytes.push(byte);
    if (byte[0] === 0) return Buffer.concat(bytes);
  }
  throw new FormatError('GZIP_HEADER', GZIP_HEADER.name, reader.offset, `expected a name below ${FIELD_MAX} bytes`);
}

/** The lower half of the CRC-32 of the header. Source: RFC 1952, section 2.3.1. */
async function checkHeaderSum(reader: ChunkReader, header: Buffer): Promise<void> {
  const offset = reader.offset;
  const [found, expected] = [(await reader.read(2, 'GzipHeader')).readUInt16LE(0), crc32(header) & 0xffff];
  if (found === expected) return;
  const problem = `expected header checksum ${expected.toString(16)}, found ${found.toString(16)}`;
  throw new FormatError('GZIP_HEADER', GZIP_HEADER.name, offset, problem);
}

/** Gives the deflate stream to `inflate`; returns what lies behind it in the same chunk. */
async function feed(reader: ChunkReader, inflate: InflateRaw): Promise<Buffer> {
  const start = reader.offset;
  let behind: Buffer = Buffer.alloc(0);
  for await (const chunk of reader.rest()) {
    await writeTo(inflate, chunk);
    // zlib takes no more once it has seen the last block.
    const left = reader.offset - start - inflate.bytesWritten;
    if (left > 0) {
      behind = chunk.subarray(chunk.length - left);
      break;
    }
  }
  inflate.end();
  return behind;
}

function writeTo(inflate: InflateRaw, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    inflate.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}

/** Yields what `inflate` yields, zlib's errors made ours. */
async function* explained(inflate: InflateRaw, reader: ChunkReader): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of inflate) yield chunk as Buffer;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (code === 'Z_BUF_ERROR') {
      const problem = 'expected more deflate blocks, found the end';
      throw new FormatError('FORMAT_TRUNCATED', 'deflate stream', reader.offset, problem, { cause });
    }
    if (!code.startsWith('Z_')) throw cause;
    const problem = `expected deflate blocks, found ${(cause as Error).message}`;
    throw new FormatError('GZIP_DEFLATE', 'deflate stream', inflate.bytesWritten, problem, { cause });
  }
}

async function checkTrailer(reader: ChunkReader, checksum: number, size: number): Promise<void> {
  const start = reader.offset;
  const trailer = GZIP_TRAILER.decode(await reader.read(GZIP_TRAILER.size, GZIP_TRAILER.name));
  if (trailer.checksum !== checksum) {
    const problem = `expected CRC-32 ${checksum.toString(16)} of the inflated bytes, found ${trailer.checksum.toString(16)}`;
    throw new FormatError('GZIP_CHECKSUM', GZIP_TRAILER.name, start, problem);
  }
  if (trailer.size !== gzipSize(size)) {
    throw new FormatError('GZIP_SIZE', GZIP_TRAILER.name, start + 4, `expected size ${size}, found ${trailer.size}`);
  }
  if (await reader.isAtEnd()) return;
  const problem = 'expected the end after one gzip member, found more bytes';
  throw new FormatError('GZIP_TRAILING_BYTES', 'gzip member', reader.offset, problem);
}
