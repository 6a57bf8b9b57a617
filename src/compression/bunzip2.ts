/// <reference path="./unbzip2.d.ts" />
import bitIterator from 'unbzip2-stream/lib/bit_iterator.js';
import decoder from 'unbzip2-stream/lib/bzip2.js';
import { FormatError } from '../base/errors.ts';

/** Bytes that a compressed block may have beyond those of its contents: its tables. */
const TABLES = 25_000;
/** Contents of a block by the digit in the header. */
const BLOCK_UNIT = 100_000;
const OUTPUT_SIZE = 64 * 1024;
const HEADER_SIZE = 4;

/**
 * Yields the contents of a source that is exactly one bzip2 stream. A block is held at a time.
 *
 * @param spend receives the bytes before they are held; what it throws ends the work in the middle of a block, which can have 45 MB
 * @throws FormatError `BZIP2`: not such a stream, damaged, or more behind it
 */
export async function* bunzip2(
  source: AsyncIterable<Buffer>,
  spend: (bytes: number) => void = () => undefined,
): AsyncGenerator<Buffer> {
  const input = new Input(source);
  await input.fill(HEADER_SIZE);
  const bits = bitIterator(() => input.next());
  const units = explained(() => decoder.header(bits));
  const scratch = new Int32Array(BLOCK_UNIT * units);
  for (let checksum: number | null = 0; checksum !== null; ) {
    await input.fill(bits.bytesRead + TABLES + scratch.length);
    const output = new Output(spend);
    const before: number = checksum;
    checksum = explained(() => decoder.decompress(bits, (byte) => output.put(byte), scratch, scratch.length, before));
    yield* output.chunks();
  }
  // More was asked for than the end of a stream takes.
  if (input.total > bits.bytesRead) throw damaged('more bytes behind the stream');
}

/** Gives the decoder what was read ahead for it. */
class Input {
  readonly #source: AsyncIterator<Buffer>;
  readonly #queue: Buffer[] = [];
  /** Bytes that came since the start. */
  total = 0;

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Reads until so many bytes came since the start, or all. */
  async fill(total: number): Promise<void> {
    while (this.total < total) {
      const { done, value } = await this.#source.next();
      if (done) break;
      if (value.length === 0) continue;
      this.#queue.push(Buffer.from(value)); // its memory may be used again
      this.total += value.length;
    }
  }

  next(): Buffer {
    return this.#queue.shift() ?? fail('the end of the stream');
  }
}

class Output {
  readonly #spend: (bytes: number) => void;
  readonly #full: Buffer[] = [];
  #current = Buffer.alloc(0);
  #used = 0;

  constructor(spend: (bytes: number) => void) {
    this.#spend = spend;
  }

  put(byte: number): void {
    if (this.#used === this.#current.length) {
      this.#spend(OUTPUT_SIZE);
      if (this.#used > 0) this.#full.push(this.#current);
      this.#current = Buffer.allocUnsafe(OUTPUT_SIZE);
      this.#used = 0;
    }
    this.#current[this.#used++] = byte;
  }

  *chunks(): Generator<Buffer> {
    yield* this.#full;
    if (this.#used > 0) yield this.#current.subarray(0, this.#used);
  }
}

/** The decoder's own errors are jokes. */
function explained<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw damaged(`a block that is damaged (${error instanceof Error ? error.message : error})`);
  }
}

function damaged(found: string): FormatError {
  return new FormatError('BZIP2', 'bzip2 stream', 0, `expected one whole bzip2 stream, found ${found}`);
}

function fail(found: string): never {
  throw damaged(found);
}
