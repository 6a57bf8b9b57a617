import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { gunzipMember } from '../../src/cpio/gunzip.ts';
import { gzipMember } from '../../src/cpio/gzip.ts';
import { collect, faultOf, inPieces, noise, text } from '../support/payload.ts';

const plain = Buffer.concat([text(3000), noise(500)]);
const member = await collect(gzipMember(inPieces(plain, 1000)));

function inflate(data: Buffer, piece = 64): Promise<Buffer> {
  return collect(gunzipMember(inPieces(data, piece)));
}

function corrupt(offset: number, value: number): Buffer {
  const data = Buffer.from(member);
  data.writeUInt8(value, offset < 0 ? data.length + offset : offset);
  return data;
}

describe('gunzipMember', () => {
  it.each([1, 2, 3, 7, 10, 64, 4096, 100_000])('inflates a member that comes in pieces of %i bytes', async (piece) => {
    expect((await inflate(member, piece)).equals(plain)).toBe(true);
  });

  it('inflates what zlib made, large and empty', async () => {
    const large = text(2_000_000);
    expect((await inflate(gzipSync(large), 10_000)).equals(large)).toBe(true);
    expect(await inflate(gzipSync(Buffer.alloc(0)), 1)).toEqual(Buffer.alloc(0));
  });

  it('gives pieces of 128 KiB', async () => {
    const sizes: number[] = [];
    for await (const chunk of gunzipMember(inPieces(gzipSync(Buffer.alloc(300_000)), 1000))) sizes.push(chunk.length);
    expect(sizes).toEqual([128 * 1024, 128 * 1024, 300_000 - 256 * 1024]);
  });

  it('refuses every truncation', async () => {
    for (let size = 0; size < member.length; size++) {
      expect(await faultOf(() => inflate(member.subarray(0, size), 1 << 20))).toMatchObject({
        code: 'FORMAT_TRUNCATED',
      });
    }
  });

  it.each([
    ['magic', 0, 0x1e, 'GZIP_HEADER', 0],
    ['magic, second byte', 1, 0x8c, 'GZIP_HEADER', 0],
    ['method', 2, 9, 'GZIP_HEADER', 2],
    ['flags', 3, 0x20, 'GZIP_HEADER', 3],
    ['CRC-32', -5, 0, 'GZIP_CHECKSUM', member.length - 8],
    ['size', -1, 1, 'GZIP_SIZE', member.length - 4],
  ])('refuses another %s', async (_, offset, value, code, at) => {
    expect(await faultOf(() => inflate(corrupt(offset, value)))).toEqual({ code, offset: at });
  });

  it('refuses a block type that does not exist', async () => {
    expect(await faultOf(() => inflate(corrupt(10, 0xff)))).toMatchObject({ code: 'GZIP_DEFLATE' });
  });

  it.each([1, 8, 4096])('refuses anything behind the member, pieces of %i', async (piece) => {
    const fault = { code: 'GZIP_TRAILING_BYTES', offset: member.length };
    expect(await faultOf(() => inflate(Buffer.concat([member, Buffer.alloc(1)]), piece))).toEqual(fault);
    expect(await faultOf(() => inflate(Buffer.concat([member, member]), piece))).toEqual(fault);
  });

  it('stops at the limit of inflated bytes and not before', async () => {
    const limited = (maxBytes: number) => collect(gunzipMember(inPieces(member, 64), { maxBytes }));
    expect((await limited(plain.length)).length).toBe(plain.length);
    expect(await faultOf(() => limited(plain.length - 1))).toMatchObject({ code: 'SIZE_LIMIT' });
  });

  it('stops a bomb early', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    expect(await faultOf(() => collect(gunzipMember(inPieces(bomb, 1024), { maxBytes: 1000 })))).toMatchObject({
      code: 'SIZE_LIMIT',
    });
  });

  it('passes on what its source throws', async () => {
    async function* broken() {
      yield member.subarray(0, 200);
      throw new Error('disk on fire');
    }
    await expect(collect(gunzipMember(broken()))).rejects.toThrow('disk on fire');
  });

  it('closes its source when it is left early', async () => {
    let closed = false;
    async function* source() {
      try {
        yield* inPieces(member, 100);
      } finally {
        closed = true;
      }
    }
    for await (const _ of gunzipMember(source())) break;
    expect(closed).toBe(true);
  });
});
