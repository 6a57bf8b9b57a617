import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cksum, cksum } from '../../src/tree/cksum.ts';
import { check, needs } from '../support/needs.ts';
import { noise } from '../support/payload.ts';

/** The algorithm as POSIX words it, a bit at a time. */
function cksumBitwise(data: Uint8Array, length = data.length): number {
  const tail: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) tail.push(rest % 256);
  let crc = 0;
  for (const byte of [...data, ...tail]) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return ~crc >>> 0;
}

const cksumOfTail = (length: number) => cksumBitwise(new Uint8Array(0), length);

describe('Cksum', () => {
  // Printed by cksum of GNU coreutils 9.1; the second is the check value of CRC-32/CKSUM.
  it.each([
    ['', 4294967295],
    ['123456789', 930766865],
    ['hello', 3287646509],
  ])('gives what cksum prints for %j', (data, expected) => {
    expect(cksum(Buffer.from(data))).toBe(expected);
  });

  it('gives what a Bom of Apple holds for the target faust.txt', () => {
    expect(cksum(Buffer.from('faust.txt'))).toBe(0xccb0a091);
  });

  it('agrees with the definition for any bytes, pieces and alignment', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 600 }),
        fc.nat({ max: 7 }),
        fc.integer({ min: 1, max: 50 }),
        (data, shift, size) => {
          const shifted = Buffer.concat([Buffer.alloc(shift), data]).subarray(shift);
          const sum = new Cksum();
          for (let start = 0; start < data.length; start += size) sum.update(shifted.subarray(start, start + size));
          expect(sum.digest()).toBe(cksumBitwise(data));
          expect(cksum(shifted)).toBe(cksumBitwise(data));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('takes more bytes after a digest', () => {
    const sum = new Cksum().update(Buffer.from('12345'));
    sum.digest();
    expect(sum.update(Buffer.from('6789')).digest()).toBe(930766865);
  });

  it('feeds the length it is told', () => {
    expect(new Cksum().digest(0)).toBe(0xffffffff);
    expect(new Cksum().digest(1)).toBe(cksumOfTail(1));
    for (const length of [255, 256, 65536, 2 ** 33, 2 ** 40 + 3])
      expect(new Cksum().digest(length)).toBe(cksumOfTail(length));
    expect(new Cksum().update(Buffer.from('123456789')).digest(9)).toBe(930766865);
  });

  const tool = needs('cksum');
  it.skipIf(tool.missing)(`agrees with the cksum program over its own buffers' edges${tool.note}`, () => {
    for (const size of [1, 3, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 300_001]) {
      const data = noise(size, size);
      expect(cksum(data)).toBe(Number(check('cksum', [], data).toString().split(' ')[0]));
    }
  });
});
