import { describe, expect, it } from 'vitest';
import { cksum } from '../../src/tree/cksum.ts';
import { FactGatherer } from '../../src/tree/file-facts.ts';
import { noise } from '../support/payload.ts';

function gather(data: Buffer, piece: number) {
  const gatherer = new FactGatherer(data.length);
  for (let start = 0; start < data.length; start += piece) {
    const chunk = Buffer.from(data.subarray(start, start + piece));
    gatherer.update(chunk);
    chunk.fill(0); // sources may use their memory again
  }
  return gatherer.finish();
}

function fatFile(): Buffer {
  // Longer than the head that tells what a file is (8 bytes and 204 records of 20): what follows is fed piece by piece.
  const data = noise(20_000);
  const words = [0xcafebabe, 2, 0x01000007, 3, 400, 6000, 12, 0x0100000c, 0, 9000, 10_999, 14];
  for (const [index, word] of words.entries()) data.writeUInt32BE(word, index * 4);
  return data;
}

describe('FactGatherer', () => {
  it.each([1, 7, 1000, 4087, 4088, 4089, 6399, 6400, 6401, 9001, 30_000])(
    'sums the slices of a fat file that comes in pieces of %i bytes',
    (piece) => {
      const data = fatFile();
      expect(gather(data, piece)).toEqual({
        size: 20_000,
        cksum: cksum(data),
        macho: {
          fat: true,
          architectures: [
            { cpuType: 0x01000007, cpuSubtype: 3, size: 6000, cksum: cksum(data.subarray(400, 6400)) },
            { cpuType: 0x0100000c, cpuSubtype: 0, size: 10_999, cksum: cksum(data.subarray(9000, 19_999)) },
          ],
        },
      });
    },
  );

  it('gives a thin file the sum of the whole', () => {
    const data = noise(100);
    data.writeUInt32LE(0xfeedfacf, 0);
    data.writeUInt32LE(0x0100000c, 4);
    data.writeUInt32LE(0, 8);
    const architectures = [{ cpuType: 0x0100000c, cpuSubtype: 0, size: 100, cksum: cksum(data) }];
    expect(gather(data, 9)).toEqual({ size: 100, cksum: cksum(data), macho: { fat: false, architectures } });
  });

  it('knows an empty file and a short one', () => {
    expect(gather(Buffer.alloc(0), 1)).toEqual({ size: 0, cksum: 0xffffffff });
    expect(gather(Buffer.from('hello'), 2)).toEqual({ size: 5, cksum: 3287646509 });
  });

  it('says how many bytes came', () => {
    const gatherer = new FactGatherer(5);
    gatherer.update(Buffer.from('he'));
    expect(gatherer.seen).toBe(2);
    gatherer.update(Buffer.from('llo'));
    expect(gatherer.seen).toBe(5);
  });

  it('sums slices that touch the end of the file, or reach beyond the first piece alone', () => {
    const data = fatFile();
    data.writeUInt32BE(11_000, 10 * 4);
    for (const piece of [400, 6399, 6400, 6401, 8999, 9000, 9001, 19_999]) {
      expect(gather(data, piece).macho?.architectures.map((one) => one.cksum)).toEqual([
        cksum(data.subarray(400, 6400)),
        cksum(data.subarray(9000, 20_000)),
      ]);
    }
  });
});
