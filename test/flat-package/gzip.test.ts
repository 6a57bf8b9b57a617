import { gunzipSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFLATE_CHUNK_SIZE, deflateChunks } from '../../src/flat-package/deflate.ts';
import { gzipMember } from '../../src/flat-package/gzip.ts';
import { judge, needs } from '../support/needs.ts';
import { collect, inPieces, noise, text } from '../support/payload.ts';

/** Text and noise in turns, longer than two chunks and no multiple of anything. */
const mixed = Buffer.concat([text(100_000), noise(100_000), text(700_001), noise(600_000, 2), text(33)]);

describe('gzipMember', () => {
  it('begins as pkgbuild begins Payload, and closes with CRC-32 and size of the contents', async () => {
    // CRC-32 of the archive in the cpio test, and its 512 bytes; as stock gzip gives.
    const member = await collect(gzipMember(inPieces(Buffer.from('123456789'), 4)));
    expect(member.subarray(0, 10).toString('hex')).toBe('1f8b0800000000000003');
    // 0xcbf43926 is the check value of CRC-32.
    expect(member.subarray(-8).toString('hex')).toBe('2639f4cb09000000');
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a byte', Buffer.from('x')],
    ['exactly one chunk', text(DEFLATE_CHUNK_SIZE)],
    ['noise of one chunk and a byte', noise(DEFLATE_CHUNK_SIZE + 1)],
    ['text and noise', mixed],
    ['a counter', Buffer.from(Array.from({ length: 70_000 }, (_, index) => index & 0xff))],
  ])('is inflated by zlib to %s', async (_, data) => {
    expect(gunzipSync(await collect(gzipMember(inPieces(data, 50_000)))).equals(data)).toBe(true);
  });

  it('makes the same bytes whatever the pieces and the number of threads', async () => {
    const expected = await collect(gzipMember(inPieces(mixed, mixed.length)));
    for (const [piece, concurrency] of [
      [1000, 1],
      [4099, 2],
      [262_144, 3],
      [65_536, 9],
    ] as const) {
      const found = await collect(gzipMember(inPieces(mixed, piece), { concurrency }));
      expect(found.equals(expected)).toBe(true);
    }
  });

  it('inflates to its input for random pieces', async () => {
    const pieces = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 3000 }),
        fc.nat({ max: 40_000 }).map((size) => noise(size)),
      ),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(pieces, async (drawn) => {
        const data = Buffer.concat(drawn);
        async function* input() {
          for (const piece of drawn) yield Buffer.from(piece);
        }
        expect(gunzipSync(await collect(gzipMember(input()))).equals(data)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('gives up when its input does', async () => {
    async function* broken() {
      yield mixed;
      throw new Error('disk on fire');
    }
    await expect(collect(gzipMember(broken()))).rejects.toThrow('disk on fire');
  });

  const gzip = needs('gzip');
  it.skipIf(gzip.missing)(`is a single member that gzip -t takes without a warning${gzip.note}`, async () => {
    const member = await collect(gzipMember(inPieces(mixed, 65_536)));
    expect(judge('gzip', ['-t', '-v'], member)).toBeDefined();
    expect(judge('gzip', ['-dc'], member).equals(mixed)).toBe(true);
  });
});

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
