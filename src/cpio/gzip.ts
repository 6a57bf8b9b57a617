import { crc32 } from 'node:zlib';
import { type DeflateOptions, deflateChunks } from './deflate.ts';

/**
 * Header of a gzip member as pkgbuild writes it: deflate, no flags, no time, XFL 0, made on Unix.
 *
 * @see RFC 1952, section 2.3; observed in every Payload and Scripts made by Apple's tools
 */
export const GZIP_HEADER = Buffer.from('1f8b0800000000000003', 'hex');

/** Returns what the trailer of a gzip member says of the size of its contents: bytes modulo 2^32. Source: RFC 1952, section 2.3.1. */
export function gzipSize(bytes: number): number {
  return bytes >>> 0;
}

/**
 * Yields `input` as one gzip member, deflated by several threads.
 *
 * It is one member because the Installer's extractor refuses several. With the same zlib, the bytes depend on the input's bytes alone.
 *
 * What is yielded holds until the next is asked for.
 *
 * @param input may use the memory of a chunk again once the next one is asked for
 * @example for await (const chunk of gzipMember(writeCpio(entries))) file.write(chunk);
 */
export async function* gzipMember(input: AsyncIterable<Buffer>, options: DeflateOptions = {}): AsyncGenerator<Buffer> {
  let checksum = 0;
  let size = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of input) {
      checksum = crc32(chunk, checksum);
      size += chunk.length;
      yield chunk;
    }
  }
  yield Buffer.from(GZIP_HEADER);
  yield* deflateChunks(counted(), options);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(checksum, 0);
  trailer.writeUInt32LE(gzipSize(size), 4);
  yield trailer;
}
