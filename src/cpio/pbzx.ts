import { FormatError } from '../base/errors.ts';
import { ascii, layout, u64be } from '../base/layout.ts';
import { isXz, unxz, XZ_MAGIC_SIZE } from '../compression/unxz.ts';
import { ChunkReader } from './chunk-reader.ts';

/** First bytes. Source: pkgbuild --compression latest of macOS 12 to 26, observed. */
const HEADER = layout('PbzxHeader', {
  magic: ascii(4), // pbzx
  blockSize: u64be, // bytes; 16 MiB in all seen
});
/** What stands in front of each chunk. */
const CHUNK = layout('PbzxChunk', {
  inflatedSize: u64be, // bytes; the size of a block but for the last chunk
  storedSize: u64be, // bytes
});
/** Largest block that is read; Apple's have 16 MiB. */
const BLOCK_MAX = 64n * 1024n * 1024n;

/**
 * Yields the contents of a pbzx stream: chunks of xz, or bytes as they are where these are not longer.
 *
 * Older readers look at one bit of the size to tell whether another chunk follows, so that all chunks but the last must be whole.
 *
 * @throws FormatError `PBZX`, those of `unxz`, `FORMAT_TRUNCATED`
 */
export async function* unpbzx(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const reader = new ChunkReader(source);
  try {
    const { blockSize } = HEADER.decode(await reader.read(HEADER.size, HEADER.name));
    if (blockSize === 0n || blockSize > BLOCK_MAX)
      throw bad(HEADER.offsetOf('blockSize'), `blocks of ${blockSize} bytes`);
    for (let isLast = false; !(await reader.isAtEnd()); ) {
      const at = reader.offset;
      if (isLast) throw bad(at, 'more behind a chunk that is smaller than a block');
      const { inflatedSize, storedSize } = CHUNK.decode(await reader.read(CHUNK.size, CHUNK.name));
      if (inflatedSize > blockSize || storedSize > inflatedSize || inflatedSize === 0n) {
        throw bad(at, `a chunk of ${inflatedSize} bytes, stored in ${storedSize}`);
      }
      isLast = inflatedSize < blockSize;
      yield* chunkContents(reader, { stored: Number(storedSize), inflated: Number(inflatedSize) }, at);
    }
  } finally {
    await reader.close();
  }
}

async function* chunkContents(
  reader: ChunkReader,
  size: { readonly stored: number; readonly inflated: number },
  at: number,
): AsyncGenerator<Buffer> {
  const head = await reader.read(Math.min(size.stored, XZ_MAGIC_SIZE), CHUNK.name);
  const isPlain = size.stored === size.inflated;
  if (isPlain === isXz(head)) throw bad(at, isPlain ? 'plain bytes that begin like xz' : 'a chunk that is not xz');
  const stored = storedBytes(reader, head, size.stored);
  if (isPlain) return yield* stored;
  let got = 0;
  for await (const part of unxz(stored)) {
    got += part.length;
    if (got > size.inflated) break;
    yield part;
  }
  if (got !== size.inflated) {
    throw bad(at, `${got > size.inflated ? 'more' : got} bytes in a chunk of ${size.inflated}`);
  }
}

/** Yields a chunk as it comes: a block of 64 MiB is never held. */
async function* storedBytes(reader: ChunkReader, head: Buffer, size: number): AsyncGenerator<Buffer> {
  let left = size - head.length;
  yield head;
  for await (const part of reader.take(left)) {
    left -= part.length;
    yield part;
  }
  if (left === 0) return;
  const problem = `expected ${size} bytes, found ${size - left}`;
  throw new FormatError('FORMAT_TRUNCATED', CHUNK.name, reader.offset, problem);
}

function bad(offset: number, found: string): FormatError {
  return new FormatError('PBZX', 'pbzx stream', offset, `expected chunks of xz, found ${found}`);
}
