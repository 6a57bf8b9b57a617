import { setImmediate } from 'node:timers/promises';
import { constants, deflateRaw } from 'node:zlib';

/** Bytes of input worked on as one, at fixed places of the stream whatever pieces it comes in. */
export const DEFLATE_CHUNK_SIZE = 512 * 1024;
/** Chunks being deflated at once: so many that libuv's four threads have work while this one reads and writes. */
const CONCURRENCY = 4;
/** Of sources and executables, 6 makes 1 % less in up to half as much time again (measured with Node 20's zlib). */
const LEVEL = 5;
/** Bytes checked as one: small enough that a file of 100 kB that does not shrink is mostly stored. */
const SEGMENT_SIZE = 16 * 1024;
/** Largest stored block. Source: RFC 1951, section 3.2.4. */
const STORED_MAX = 0xffff;
/** Farthest a deflate match reaches back. Source: RFC 1951, section 2. */
const WINDOW_SIZE = 32 * 1024;
/** A last, empty block with fixed codes: what closes a stream of blocks that were all marked as not the last. */
const LAST_BLOCK = Buffer.from([0x03, 0x00]);

const NOTHING: Buffer = Buffer.alloc(0);

export interface DeflateOptions {
  /** Chunks being deflated at once, 4 by default. The bytes made do not depend on it. */
  readonly concurrency?: number;
  /** zlib level, 5 by default. */
  readonly level?: number;
}

/**
 * Yields one raw deflate stream of `input`, made by several threads, in order.
 *
 * Chunks of 512 KiB are deflated apart, each ended at a byte by an empty block (Z_SYNC_FLUSH), so that they follow each other in one
 * stream; parts that would not shrink become stored blocks. At most `concurrency` + 1 chunks are in memory, and what is yielded may lie
 * in them: it holds until the next is asked for. With the same zlib, the bytes depend on the input's bytes alone.
 *
 * @param input may use the memory of a chunk again once the next one is asked for
 * @see RFC 1951
 */
export async function* deflateChunks(
  input: AsyncIterable<Buffer>,
  options: DeflateOptions = {},
): AsyncGenerator<Buffer> {
  const { concurrency = CONCURRENCY, level = LEVEL } = options;
  const jobs: Promise<Buffer[]>[] = [];
  try {
    let window = NOTHING;
    for await (const chunk of regroup(input, concurrency + 1)) {
      const job = deflateChunk(chunk, window, level);
      job.catch(() => undefined); // reported when its turn comes
      jobs.push(job);
      window = chunk.subarray(-WINDOW_SIZE);
      // Where nothing shrinks, nothing waits either, and no signal would be heard.
      await setImmediate();
      if (jobs.length >= concurrency) yield* (await jobs.shift()) as Buffer[];
    }
    while (jobs.length > 0) yield* (await jobs.shift()) as Buffer[];
    yield LAST_BLOCK;
  } finally {
    // The threads still read the chunks: leave only when none does.
    await Promise.allSettled(jobs);
  }
}

/** Yields the input in chunks of equal size, the last one shorter, from `buffers` buffers used in turn. */
async function* regroup(input: AsyncIterable<Buffer>, buffers: number): AsyncGenerator<Buffer> {
  const used: Buffer[] = [];
  let chunk: Buffer | undefined;
  let filled = 0;
  for await (const piece of input) {
    for (let start = 0; start < piece.length; ) {
      chunk ??= used.length < buffers ? Buffer.allocUnsafeSlow(DEFLATE_CHUNK_SIZE) : (used.shift() as Buffer);
      const copied = piece.copy(chunk, filled, start);
      start += copied;
      filled += copied;
      if (filled < DEFLATE_CHUNK_SIZE) continue;
      yield chunk;
      used.push(chunk);
      chunk = undefined;
      filled = 0;
    }
  }
  if (chunk) yield chunk.subarray(0, filled);
}

/** Returns the blocks of one chunk, its parts deflated side by side; `window` is the end of the chunk before. */
async function deflateChunk(chunk: Buffer, window: Buffer, level: number): Promise<Buffer[]> {
  const runs: (Buffer[] | Promise<Buffer[]>)[] = [];
  for (let start = 0; start < chunk.length; ) {
    const shrinks = seemsToShrink(chunk.subarray(start, start + SEGMENT_SIZE));
    let end = start + SEGMENT_SIZE;
    while (end < chunk.length && seemsToShrink(chunk.subarray(end, end + SEGMENT_SIZE)) === shrinks)
      end += SEGMENT_SIZE;
    const run = chunk.subarray(start, end);
    // In front of the others lies what looks random, where no match is.
    runs.push(shrinks ? deflateRun(run, start === 0 ? window : NOTHING, level) : storedBlocks(run));
    start = end;
  }
  return (await Promise.all(runs)).flat();
}

/** Returns the deflated run, or stored blocks when that is not shorter. */
function deflateRun(run: Buffer, window: Buffer, level: number): Promise<Buffer[]> {
  const options = {
    level,
    memLevel: 9,
    finishFlush: constants.Z_SYNC_FLUSH,
    // Mostly enough, so that the thread is entered once; more would lie about unused until memory is tidied up.
    chunkSize: (run.length >> 1) + 1024,
    ...(seemsToShrink(window.subarray(-SEGMENT_SIZE)) ? { dictionary: window } : {}),
  };
  return new Promise((resolve, reject) => {
    deflateRaw(run, options, (error, deflated) => {
      if (error) reject(error);
      else resolve(deflated.length < run.length ? [deflated] : storedBlocks(run));
    });
  });
}

/** Returns `run` as deflate blocks without compression, none of them the last: a header before each part of it, which is not copied. */
function storedBlocks(run: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  for (let start = 0; start < run.length; start += STORED_MAX) {
    const part = run.subarray(start, start + STORED_MAX);
    const header = Buffer.alloc(5); // BFINAL 0, BTYPE 00, padding to the byte
    header.writeUInt16LE(part.length, 1);
    header.writeUInt16LE(part.length ^ 0xffff, 3);
    blocks.push(header, part);
  }
  return blocks;
}

/** Bytes looked at in a segment, in SAMPLE_WINDOWS places. */
const SAMPLE_SIZE = 1024;
const SAMPLE_WINDOWS = 4;
/** Pearson's statistic of 1,024 random bytes has mean 255 and standard deviation 22.6: eight of them away is not an accident. */
const CHI_SQUARE_MEAN = 255;
const CHI_SQUARE_TOLERANCE = 8 * 22.6;
const counts = new Uint16Array(256);

/**
 * Returns whether the bytes of a sample are spread unlike random ones: too unevenly, as in text, or too evenly, as in a counter.
 *
 * Compressed and encrypted data looks random. So do random bytes that repeat at a distance; they are stored, which is right but longer.
 * What is shorter than a sample is tried.
 */
function seemsToShrink(segment: Buffer): boolean {
  if (segment.length < SAMPLE_SIZE) return true;
  counts.fill(0);
  const windowSize = SAMPLE_SIZE / SAMPLE_WINDOWS;
  const step = Math.floor((segment.length - windowSize) / (SAMPLE_WINDOWS - 1));
  for (let place = 0; place < SAMPLE_WINDOWS; place++) {
    const end = place * step + windowSize;
    for (let index = place * step; index < end; index++) {
      const byte = segment[index] as number;
      counts[byte] = (counts[byte] as number) + 1;
    }
  }
  let squares = 0;
  for (const count of counts) squares += count * count;
  const chiSquare = (squares * 256) / SAMPLE_SIZE - SAMPLE_SIZE;
  return Math.abs(chiSquare - CHI_SQUARE_MEAN) > CHI_SQUARE_TOLERANCE;
}
