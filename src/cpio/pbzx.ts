import { fromBuffer } from '../base/bytes.ts';
import { FormatError } from '../base/errors.ts';
import { ascii, layout, u64be } from '../base/layout.ts';
import { isXz, unxz } from '../compression/unxz.ts';
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
      yield* chunkContents(await reader.read(Number(storedSize), 'PbzxChunk'), Number(inflatedSize), at);
    }
  } finally {
    await reader.close();
  }
}

async function* chunkContents(stored: Buffer, size: number, at: number): AsyncGenerator<Buffer> {
  const isPlain = stored.length === size;
  if (isPlain === isXz(stored)) throw bad(at, isPlain ? 'plain bytes that begin like xz' : 'a chunk that is not xz');
  if (isPlain) return yield stored;
  let got = 0;
  for await (const part of unxz(fromBuffer(stored).chunks())) {
    got += part.length;
    if (got > size) break;
    yield part;
  }
  if (got !== size) throw bad(at, `${got > size ? 'more' : got} bytes in a chunk of ${size}`);
}

function bad(offset: number, found: string): FormatError {
  return new FormatError('PBZX', 'pbzx stream', offset, `expected chunks of xz, found ${found}`);
}
