import { createReadStream } from 'node:fs';
import { FormatError } from './errors.ts';

/** A piece of data of known size that can be read once or many times, from memory or from a file. */
export interface ByteSource {
  /** Size in bytes. */
  readonly size: number;
  /** Yields all bytes in order. Throws FormatError `SOURCE_CHANGED` when fewer or more bytes come than `size` says. */
  chunks(): AsyncIterable<Buffer>;
}

/** Returns `data` as a source. */
export function fromBuffer(data: Buffer): ByteSource {
  return {
    size: data.length,
    async *chunks() {
      if (data.length > 0) yield data;
    },
  };
}

/**
 * Returns `size` bytes of a file, from `start`, as a source.
 *
 * @param path file to read; it is opened anew for each reading
 * @param start first byte
 * @param size bytes to read
 */
export function fromFile(path: string, start: number, size: number): ByteSource {
  return {
    size,
    async *chunks() {
      if (size === 0) return;
      let seen = 0;
      for await (const chunk of createReadStream(path, { start, end: start + size - 1, highWaterMark: 1 << 18 })) {
        seen += (chunk as Buffer).length;
        yield chunk as Buffer;
      }
      if (seen !== size) {
        throw new FormatError('SOURCE_CHANGED', path, start + seen, `expected ${size} bytes, found ${seen}`, {
          hint: 'The file changed while it was read, or is shorter than its index says. Run again, or fetch the file anew.',
        });
      }
    },
  };
}

/** Returns all bytes of a source in one buffer. For members known to be small; `limit` (bytes) guards against others. */
export async function readAll(source: ByteSource, limit = 64 * 1024 * 1024): Promise<Buffer> {
  if (source.size > limit) {
    throw new FormatError('SIZE_LIMIT', 'member', 0, `expected at most ${limit} bytes, found ${source.size}`);
  }
  const parts: Buffer[] = [];
  for await (const chunk of source.chunks()) parts.push(chunk);
  return Buffer.concat(parts);
}
