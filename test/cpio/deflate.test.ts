import { syncBuiltinESMExports } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';
import zlib, { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DEFLATE_CHUNK_SIZE, deflateChunks } from '../../src/cpio/deflate.ts';
import { collect, inPieces, noise, text } from '../support/payload.ts';

/** Text and noise in turns, longer than two chunks and no multiple of anything. */
const mixed = Buffer.concat([text(100_000), noise(100_000), text(700_001), noise(600_000, 2), text(33)]);

describe('deflateChunks', () => {
  it('stores what looks random, in blocks without compression', async () => {
    const data = noise(200_000);
    const stream = await collect(deflateChunks(inPieces(data, 65_536)));
    expect(stream.length).toBe(200_000 + 4 * 5 + 2);
    expect(stream.subarray(0, 5).toString('hex')).toBe('00ffff0000');
    expect(inflateRawSync(stream).equals(data)).toBe(true);
  });

  it('stores noise between text and deflates the text', async () => {
    const size = (await collect(deflateChunks(inPieces(mixed, 65_536)))).length;
    const alone = (await collect(deflateChunks(inPieces(text(800_000), 65_536)))).length;
    expect(size).toBeLessThan(700_000 * 1.01 + alone * 1.5);
  });

  it('deflates what is spread too evenly to be random', async () => {
    const counter = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index & 0xff));
    expect((await collect(deflateChunks(inPieces(counter, 65_536)))).length).toBeLessThan(3000);
  });

  it('lets matches reach back into the chunk before', async () => {
    const block = text(20_000);
    const data = Buffer.concat([text(DEFLATE_CHUNK_SIZE - block.length), block, block]);
    const whole = (await collect(deflateChunks(inPieces(data, 65_536)))).length;
    const without = (await collect(deflateChunks(inPieces(data.subarray(0, DEFLATE_CHUNK_SIZE), 65_536)))).length;
    expect(whole - without).toBeLessThan(600);
  });

  it.each([
    [{}, 4],
    [{ concurrency: 1 }, 1],
    [{ concurrency: 2 }, 2],
  ])('asks for no more input than its threads need: with %o, %i chunks', async (options, most) => {
    let asked = 0;
    async function* endless() {
      for (;;) {
        asked++;
        yield mixed.subarray(0, DEFLATE_CHUNK_SIZE);
      }
    }
    const stream = deflateChunks(endless(), options);
    await stream.next();
    expect(asked).toBe(most);
    await stream.return(undefined);
  });
});

describe('deflateChunks while others wait', () => {
  it('lets them go on, also where nothing shrinks', async () => {
    let heard = false;
    setImmediate(() => {
      heard = true;
    });
    await collect(deflateChunks(inPieces(noise(5000), 5000)));
    expect(heard).toBe(true);
  });

  it('tells of an error when its turn comes, and once', async () => {
    const untold: unknown[] = [];
    const listen = (error: unknown) => untold.push(error);
    process.on('unhandledRejection', listen);
    try {
      const wrong = collect(deflateChunks(inPieces(text(DEFLATE_CHUNK_SIZE * 2), 100_000), { level: 99 }));
      await expect(wrong).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
      await nextTurn();
      expect(untold).toEqual([]);
    } finally {
      process.off('unhandledRejection', listen);
    }
  });
});

/** Runs `work` while zlib is asked by way of `ask`. */
async function askedBy(ask: (asked: Parameters<typeof deflateRaw>) => void, work: () => Promise<void>): Promise<void> {
  Object.assign(zlib, { deflateRaw: (...asked: Parameters<typeof deflateRaw>) => ask(asked) });
  syncBuiltinESMExports();
  try {
    await work();
  } finally {
    Object.assign(zlib, { deflateRaw });
    syncBuiltinESMExports();
  }
}
const { deflateRaw } = zlib;

describe('what deflateChunks asks of zlib', () => {
  it('is waited for when the stream is left early, as threads read the chunks', async () => {
    const held: (() => void)[] = [];
    let asked = 0;
    const holdAllButFirst = ([run, options, tell]: Parameters<typeof deflateRaw>) => {
      const isFirst = asked++ === 0;
      deflateRaw(run, options, (error, made) => (isFirst ? tell(error, made) : held.push(() => tell(error, made))));
    };
    await askedBy(holdAllButFirst, async () => {
      const stream = deflateChunks(inPieces(text(DEFLATE_CHUNK_SIZE * 4), DEFLATE_CHUNK_SIZE));
      await stream.next();
      let isLeft = false;
      const left = stream.return(undefined).then(() => {
        isLeft = true;
      });
      while (held.length < 3) {
        await nextTurn();
        expect(isLeft).toBe(false);
      }
      for (const tell of held) tell();
      await left;
      expect(asked).toBe(4);
    });
  });

  it('comes back in one piece where a run shrinks to half of it', async () => {
    const room: unknown[] = [];
    await askedBy(
      ([run, options, tell]) => {
        room.push([(run as Buffer).length, options.chunkSize]);
        deflateRaw(run, options, tell);
      },
      async () => void (await collect(deflateChunks(inPieces(text(DEFLATE_CHUNK_SIZE + 2001), 65_536)))),
    );
    expect(room).toEqual([
      [512 * 1024, 257 * 1024],
      [2001, 2024],
    ]);
  });

  it('may fail, which is told', async () => {
    const error = Object.assign(new Error('no memory'), { code: 'Z_MEM_ERROR' });
    await askedBy(
      ([, , tell]) => setImmediate(tell, error, Buffer.alloc(0)),
      () => expect(collect(deflateChunks(inPieces(text(2000), 500)))).rejects.toBe(error),
    );
  });
});

describe('the memory of deflateChunks', () => {
  // Noise is stored, so that what comes out lies in the buffers.
  it.each([
    [1, 2],
    [2, 3],
    [undefined, 5],
  ])('is one chunk more than are deflated at once: %s, %i buffers in turn', async (concurrency, buffers) => {
    const chunk = noise(DEFLATE_CHUNK_SIZE);
    const repeated = inPieces(Buffer.concat(Array.from({ length: 7 }, () => chunk)), 700_000);
    const memory: ArrayBufferLike[] = [];
    for await (const part of deflateChunks(repeated, { ...(concurrency && { concurrency }) }))
      if (part.length > 5 && part.buffer !== memory.at(-1)) memory.push(part.buffer);
    expect(memory.map((one) => memory.indexOf(one))).toEqual([0, 1, 2, 3, 4, 5, 6].map((at) => at % buffers));
  });
});

/** What zlib makes of a run as the docstrings say: level 5, most memory, ended at a byte, with the bytes before it where they shrink. */
function deflated(run: Buffer, dictionary?: Buffer): Buffer {
  const options = { level: 5, memLevel: 9, finishFlush: constants.Z_SYNC_FLUSH };
  return deflateRawSync(run, dictionary ? { ...options, dictionary } : options);
}

/** Stored blocks by RFC 1951, section 3.2.4, none of them the last. */
function stored(data: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < data.length; at += 65_535) {
    const part = data.subarray(at, at + 65_535);
    const [low, high] = [part.length & 0xff, part.length >> 8];
    parts.push(Buffer.from([0, low, high, low ^ 0xff, high ^ 0xff]), part);
  }
  return Buffer.concat(parts);
}

const END = Buffer.from([3, 0]);
const make = (...parts: readonly Buffer[]) => collect(deflateChunks(inPieces(Buffer.concat(parts), 65_536)));

describe('the blocks of deflateChunks', () => {
  const K = 1024;

  it('are those of zlib for each 512 KiB of text, with the 32 KiB before', async () => {
    const data = text(1200 * K);
    const [first, second, third] = [
      data.subarray(0, 512 * K),
      data.subarray(512 * K, 1024 * K),
      data.subarray(1024 * K),
    ];
    const expected = [
      deflated(first),
      deflated(second, first.subarray(-32 * K)),
      deflated(third, second.subarray(-32 * K)),
    ];
    expect((await make(data)).equals(Buffer.concat([...expected, END]))).toBe(true);
  });

  it('change at 16 KiB between what shrinks and what does not, and look back only at text', async () => {
    const [words, random, more] = [text(48 * K), noise(64 * K), text(80 * K).subarray(48 * K)];
    const expected = [deflated(words), stored(random), deflated(more)];
    expect((await make(words, random, more)).equals(Buffer.concat([...expected, END]))).toBe(true);
  });

  it('look back over noise to text only where the last 16 KiB are text', async () => {
    const [random, words] = [noise(512 * K - 16 * K), text(48 * K)];
    const [first, rest] = [words.subarray(0, 16 * K), words.subarray(16 * K)];
    const window = Buffer.concat([random.subarray(-16 * K), first]);
    const expected = [stored(random), deflated(first), deflated(rest, window)];
    expect((await make(random, words)).equals(Buffer.concat([...expected, END]))).toBe(true);
  });

  it.each([65_534, 65_535, 65_536, 131_070, 131_071])('are stored in as few blocks as hold %i bytes', async (size) => {
    expect((await make(noise(size))).equals(Buffer.concat([stored(noise(size)), END]))).toBe(true);
  });

  it('look back into the chunk before at its start alone', async () => {
    const [words, random, more] = [text(512 * K), noise(16 * K), text(80 * K).subarray(48 * K)];
    const expected = [deflated(words), stored(random), deflated(more)];
    expect((await make(words, random, more)).equals(Buffer.concat([...expected, END]))).toBe(true);
  });

  it("are stored where zlib makes as many bytes, and zlib's where it makes one less", async () => {
    const letters = Buffer.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ');
    const candidates = Array.from({ length: 200 }, (_, count) =>
      Buffer.concat([letters.subarray(0, 30), Buffer.alloc(count, 0x2e)]),
    );
    const differing = (by: number) => candidates.find((data) => data.length - deflated(data).length === by) as Buffer;
    expect((await make(differing(0))).equals(Buffer.concat([stored(differing(0)), END]))).toBe(true);
    expect((await make(differing(1))).equals(Buffer.concat([deflated(differing(1)), END]))).toBe(true);
  });
});

/**
 * Returns 1,024 bytes in order whose counts have this sum of squares, between 4,096 (each value four times) and 6,144.
 *
 * Pearson's statistic of them is the sum / 4 - 1,024: see any textbook, for 256 values and 1,024 draws.
 */
function sample(squares: number): Buffer {
  const counts = new Array<number>(256).fill(4);
  let rest = squares - 4096;
  for (let at = 0; rest > 0; at += 2) {
    const by = rest >= 32 ? 4 : rest >= 18 ? 3 : rest >= 8 ? 2 : 1;
    counts[at] = 4 + by;
    counts[at + 1] = 4 - by;
    rest -= 2 * by * by;
  }
  return Buffer.concat(counts.map((count, value) => Buffer.alloc(count, value)));
}

describe('what counts as random', () => {
  // The mean is 255, the deviation 22.6: between 74.2 and 435.8 a sample is stored, although zlib would make less of it.
  it.each([
    [4392, false],
    [4394, true],
    [5838, true],
    [5840, false],
  ])('a sample whose squares add up to %i: %s', async (squares, isRandom) => {
    const data = sample(squares);
    const counts = new Array<number>(256).fill(0);
    for (const byte of data) counts[byte] = (counts[byte] as number) + 1;
    expect([data.length, counts.reduce((sum, count) => sum + count * count, 0)]).toEqual([1024, squares]);
    expect(deflated(data).length).toBeLessThan(1024);
    expect((await make(data)).equals(Buffer.concat([isRandom ? stored(data) : deflated(data), END]))).toBe(true);
    // What is shorter is tried.
    expect((await make(data.subarray(0, 1023))).equals(Buffer.concat([deflated(data.subarray(0, 1023)), END]))).toBe(
      true,
    );
  });

  it('is told from 256 bytes at the start, at the end and at both thirds', async () => {
    const bytes = sample(5838); // begins with zeros: one more in the sample would make it uneven
    for (const size of [16_384, 10_000, 1030, 1026, 1025]) {
      const data = Buffer.alloc(size);
      const step = Math.floor((size - 256) / 3);
      for (let place = 0; place < 4; place++) bytes.copy(data, place * step, place * 256, place * 256 + 256);
      expect((await make(data)).equals(Buffer.concat([stored(data), END]))).toBe(true);
    }
  });
});
