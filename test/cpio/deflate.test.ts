import { inflateRawSync } from 'node:zlib';
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

  it('asks for no more input than its threads need', async () => {
    let asked = 0;
    async function* endless() {
      for (;;) {
        asked++;
        yield mixed.subarray(0, DEFLATE_CHUNK_SIZE);
      }
    }
    const stream = deflateChunks(endless(), { concurrency: 2 });
    for (let count = 0; count < 5; count++) await stream.next();
    expect(asked).toBeLessThan(9);
    await stream.return(undefined);
  });
});
