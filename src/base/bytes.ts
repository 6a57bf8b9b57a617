import { closeSync, openSync, readSync } from 'node:fs';
import { FormatError } from './errors.ts';

/** A piece of data of known size that can be read once or many times, from memory or from a file. */
export interface ByteSource {
  /** Size in bytes. */
  readonly size: number;
  /**
   * Yields all bytes in order. The memory of a chunk may be used again once the next one is asked for.
   *
   * Throws FormatError `SOURCE_CHANGED` when the bytes are not as many as `size` says.
   */
  chunks(): AsyncIterable<Buffer>;
  /** Yields the same without waiting, from sources that can: in a payload of small files promises cost more than all else. */
  chunksNow?(): Iterable<Buffer>;
}

/** Returns `data` as a source. */
export function fromBuffer(data: Buffer): ByteSource {
  return {
    size: data.length,
    async *chunks() {
      if (data.length > 0) yield data;
    },
    chunksNow: () => (data.length > 0 ? [data] : []),
  };
}

/** Bytes read from a file at once. */
const READ_SIZE = 256 * 1024;
/** Buffers that no reading uses now: a new one for each file would be waste by the hundred megabytes. */
const free: Buffer[] = [];

/**
 * Returns a file as a source.
 *
 * It reads synchronously: a payload has thousands of small files, and a trip through the thread pool for each costs more than
 * the reading, while the pool is busy deflating. A file that has become longer, or is gone, is noticed too.
 *
 * @param path file to read; it is opened anew for each reading
 * @param size bytes it has
 */
export function fromFile(path: string, size: number): ByteSource {
  return new FileSource(path, size);
}

/** A class, because a payload has one for each file: methods are shared, closures are not. */
class FileSource implements ByteSource {
  readonly size: number;
  readonly #path: string;

  constructor(path: string, size: number) {
    this.#path = path;
    this.size = size;
  }

  async *chunks(): AsyncGenerator<Buffer> {
    yield* this.chunksNow();
  }

  *chunksNow(): Generator<Buffer> {
    const file = this.#open();
    const buffer = free.pop() ?? Buffer.allocUnsafeSlow(READ_SIZE);
    try {
      // One byte more than there should be: so the only reading of a small file also tells that it ends there.
      const most = Math.min(READ_SIZE, this.size + 1);
      for (let seen = 0, count = most; seen < this.size || count === most; ) {
        count = readSync(file, buffer, 0, most, seen);
        if (count === 0 && seen === this.size) return;
        seen += count;
        if (count === 0 || seen > this.size) throw this.#changed(seen, `found ${count === 0 ? seen : 'more'}`);
        yield buffer.subarray(0, count);
      }
    } finally {
      free.push(buffer);
      closeSync(file);
    }
  }

  #open(): number {
    try {
      return openSync(this.#path, 'r');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
      throw this.#changed(0, 'found no file any more', cause);
    }
  }

  #changed(offset: number, found: string, cause?: unknown): FormatError {
    return new FormatError('SOURCE_CHANGED', this.#path, offset, `expected ${this.size} bytes, ${found}`, {
      hint: 'The file changed after its size was looked up. Run again.',
      cause,
    });
  }
}
