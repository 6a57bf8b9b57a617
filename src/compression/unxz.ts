import { XzReadableStream } from 'xz-decompress';
import { FormatError } from '../base/errors.ts';

/** First bytes of every xz stream. Source: xz-file-format.txt. */
const XZ_MAGIC = Buffer.from('fd377a585a00', 'hex');
/** Bytes that tell an xz stream. */
export const XZ_MAGIC_SIZE = XZ_MAGIC.length;

/** Returns whether bytes begin as an xz stream does. */
export function isXz(head: Buffer): boolean {
  return head.subarray(0, XZ_MAGIC.length).equals(XZ_MAGIC);
}

/** The decoder has one place for one stream at a time: a second one would wait for the first, which waits for the second. */
let busy = false;

/**
 * Yields the contents of a source that is xz streams and nothing else. The decoder (xz-embedded, as WebAssembly) holds at most a dictionary
 * of 64 MiB.
 *
 * @throws FormatError `XZ`: not such a stream, damaged, with a larger dictionary, or more behind it; `XZ_NESTED` while another one is
 *   being read
 */
export async function* unxz(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (busy) throw new FormatError('XZ_NESTED', 'xz stream', 0, 'an xz stream inside another one is not supported');
  busy = true;
  const input = new LastByteApart(source);
  const reader = new XzReadableStream(input.stream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (value.length > 0) yield Buffer.from(value.buffer, value.byteOffset, value.length);
    }
    if (!input.isUsedUp) throw damaged('more bytes behind it');
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw input.error ?? damaged(`what its decoder refuses (${error instanceof Error ? error.message : error})`);
  } finally {
    await reader.cancel().catch(() => undefined);
    busy = false;
  }
}

/** Hands out the last byte by itself: the decoder does not tell what it left, but it does ask for that byte when it needs it. */
class LastByteApart {
  readonly #source: AsyncIterator<Buffer>;
  #held: Buffer | undefined;
  #ended = false;
  isUsedUp = false;
  /** What the source threw; the decoder would hide it. */
  error: unknown;

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  stream(): ReadableStream<Uint8Array> {
    // Nothing is fetched before it is asked for.
    return new ReadableStream({ pull: (controller) => this.#pull(controller) }, { highWaterMark: 0 });
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const piece = await this.#next();
      if (piece) controller.enqueue(piece);
      else controller.close(); // the decoder may still have output, and notices by itself when it has not enough
    } catch (error) {
      this.error = error;
      controller.error(error);
    }
  }

  async #next(): Promise<Buffer | undefined> {
    while (!this.#ended) {
      const { done, value } = await this.#source.next();
      if (done) {
        this.#ended = true;
        this.isUsedUp = true;
        return this.#held;
      }
      if (value.length === 0) continue;
      const before = this.#held ?? Buffer.alloc(0);
      this.#held = Buffer.from(value.subarray(-1));
      const piece = Buffer.concat([before, value.subarray(0, -1)]);
      if (piece.length > 0) return piece;
    }
    return undefined;
  }
}

function damaged(found: string): FormatError {
  return new FormatError('XZ', 'xz stream', 0, `expected one whole xz stream, found ${found}`);
}
