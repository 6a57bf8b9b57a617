import type { FileHandle } from 'node:fs/promises';
import type { ByteSource } from './bytes.ts';
import { FormatError } from './errors.ts';

/** Data of known size of which any part can be read at any time. */
export interface RandomAccess {
  /** Size in bytes. */
  readonly size: number;
  /**
   * Returns exactly `length` bytes from `offset` on.
   *
   * Throws FormatError `FORMAT_TRUNCATED` when the range does not lie inside the data, `SOURCE_CHANGED` when a file got
   * shorter since it was opened.
   */
  read(offset: number, length: number): Promise<Buffer>;
}

/** A piece of data: where it begins and how long it is, in bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly size: number;
}

/** Bytes read at once when a range is streamed. */
const CHUNK_SIZE = 1 << 18;

/**
 * Returns a buffer as data that can be read anywhere.
 *
 * @example await accessBuffer(Buffer.from('xar!')).read(1, 2) // <61 72>
 */
export function accessBuffer(data: Buffer): RandomAccess {
  return {
    size: data.length,
    async read(offset, length) {
      checkRange(data.length, offset, length);
      return data.subarray(offset, offset + length);
    },
  };
}

/**
 * Returns an open file as data that can be read anywhere. The caller closes the handle; `withFile` does both.
 */
export async function accessFile(handle: FileHandle): Promise<RandomAccess> {
  const { size } = await handle.stat();
  return {
    size,
    async read(offset, length) {
      checkRange(size, offset, length);
      const target = Buffer.allocUnsafe(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await handle.read(target, filled, length - filled, offset + filled);
        if (bytesRead === 0) {
          throw new FormatError('SOURCE_CHANGED', 'file', offset + filled, `expected ${size} bytes, found fewer`, {
            hint: 'The file was shortened while it was read. Run again, or fetch the file anew.',
          });
        }
        filled += bytesRead;
      }
      return target;
    },
  };
}

/** Returns part of `access` as a source that is streamed in pieces of 256 KiB; nothing is read before it is asked for. */
export function fromRange(access: RandomAccess, range: ByteRange): ByteSource {
  return {
    size: range.size,
    async *chunks() {
      for (let done = 0; done < range.size; done += CHUNK_SIZE) {
        yield await access.read(range.offset + done, Math.min(CHUNK_SIZE, range.size - done));
      }
    },
  };
}

function checkRange(size: number, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= size) return;
  const found = Math.max(0, size - Math.max(0, offset));
  throw new FormatError('FORMAT_TRUNCATED', 'file', Math.min(size, offset), `expected ${length} bytes, found ${found}`);
}
