import { FormatError } from '../base/errors.ts';

/** Reads exact numbers of bytes from chunks of any size, whose memory may be used again once the next chunk is asked for. */
export class ChunkReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #current: Buffer = Buffer.alloc(0);
  /** Bytes handed out so far. */
  offset = 0;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /**
   * Returns a copy of the next `size` bytes.
   *
   * @param size bytes; the caller bounds it, as this many are held in memory
   * @param structure name for the error
   * @throws FormatError `FORMAT_TRUNCATED` when the input ends before
   */
  async read(size: number, structure: string): Promise<Buffer> {
    const start = this.offset;
    // Copied piece by piece: the input may use the memory of a chunk again once the next one is asked for.
    const data = Buffer.allocUnsafe(size);
    let got = 0;
    for await (const part of this.take(size)) got += part.copy(data, got);
    if (got < size) {
      throw new FormatError('FORMAT_TRUNCATED', structure, start + got, `expected ${size} bytes, found ${got}`);
    }
    return data;
  }

  /** Yields the next `size` bytes as they come, fewer when the input ends before. */
  async *take(size: number): AsyncGenerator<Buffer> {
    let left = size;
    while (left > 0 && (await this.#fill())) {
      const part = this.#current.subarray(0, left);
      this.#current = this.#current.subarray(part.length);
      this.offset += part.length;
      left -= part.length;
      yield part;
    }
  }

  /** Returns whether nothing is left. */
  async isAtEnd(): Promise<boolean> {
    return !(await this.#fill());
  }

  /** Yields whatever is next, in the pieces it comes in. */
  async *rest(): AsyncGenerator<Buffer> {
    yield* this.take(Number.POSITIVE_INFINITY);
  }

  /** Puts bytes back that were handed out last; they must be what is left of the chunk they came in. */
  unread(bytes: Buffer): void {
    this.#current = bytes;
    this.offset -= bytes.length;
  }

  /** Tells the input that no more will be read. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #fill(): Promise<boolean> {
    while (this.#current.length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return false;
      this.#current = next.value;
    }
    return true;
  }
}
