import { closeSync, openSync, readSync } from 'node:fs';
import { FormatError } from './errors.ts';

/** A piece of data of known size that can be read once or many times, from memory or from a file. */
export interface ByteSource {
  /** Size in bytes. */
  readonly size: number;
  /**
   * Yields all bytes in order. The memory of a chunk may be used again once the next one is asked for.
   *
   * Throws FormatError `SOURCE_CHANGED` when fewer bytes come than `size` says.
   */
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

/** Bytes read from a file at once. */
const READ_SIZE = 256 * 1024;

/**
 * Returns `size` bytes of a file, from `start`, as a source.
 *
 * It reads synchronously: a payload has thousands of small files, and a trip through the thread pool for each costs more than
 * the reading, while the pool is busy deflating.
 *
 * @param path file to read; it is opened anew for each reading
 * @param start first byte
 * @param size bytes to read
 */
export function fromFile(path: string, start: number, size: number): ByteSource {
  return {
    size,
    async *chunks() {
      const file = openSync(path, 'r');
      try {
        const buffer = Buffer.allocUnsafe(Math.min(READ_SIZE, size));
        for (let seen = 0; seen < size; ) {
          const count = readSync(file, buffer, 0, Math.min(buffer.length, size - seen), start + seen);
          if (count === 0) throw shortened(path, start + seen, size, seen);
          seen += count;
          yield buffer.subarray(0, count);
        }
      } finally {
        closeSync(file);
      }
    },
  };
}

function shortened(path: string, offset: number, expected: number, found: number): FormatError {
  return new FormatError('SOURCE_CHANGED', path, offset, `expected ${expected} bytes, found ${found}`, {
    hint: 'The file changed while it was read, or is shorter than its index says. Run again, or fetch the file anew.',
  });
}
