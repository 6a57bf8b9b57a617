import { crc32, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { gunzipMember } from '../../src/cpio/gunzip.ts';
import { gzipSize } from '../../src/cpio/gzip.ts';
import { collect, faultOf, inPieces } from '../support/payload.ts';

/** Bits of the flags. Source: RFC 1952, section 2.3.1. */
const [FHCRC, FEXTRA, FNAME, FCOMMENT] = [2, 4, 8, 16];

const u16 = (value: number) => Buffer.from([value & 0xff, value >> 8]);
const u32 = (value: number) => Buffer.from([value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24]);

/** A member of `hello` by RFC 1952; with bytes between its header and its stream. */
function member(flags: number, ...fields: readonly Buffer[]): Buffer {
  const header = Buffer.from([0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 5, 6]);
  const data = Buffer.from('hello');
  return Buffer.concat([header, ...fields, deflateRawSync(data), u32(crc32(data)), u32(data.length)]);
}

const read = (data: Buffer, piece = 3) => collect(gunzipMember(inPieces(data, piece)));
const sumOf = (flags: number, ...fields: readonly Buffer[]) =>
  u16(crc32(Buffer.concat([Buffer.from([0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 5, 6]), ...fields])) & 0xffff);

describe('gunzipMember, where other tools wrote more into the header', () => {
  const name = Buffer.from('name\0');
  const comment = Buffer.from('a comment\0');
  const extra = Buffer.concat([u16(300), Buffer.alloc(300, 7)]);
  const all = FHCRC | FEXTRA | FNAME | FCOMMENT;

  it.each<[string, Buffer]>([
    ['a name', member(FNAME, name)],
    ['a comment', member(FCOMMENT, comment)],
    ['an extra field', member(FEXTRA, extra)],
    ['an extra field of no bytes', member(FEXTRA, u16(0))],
    ['a checksum of the header', member(FHCRC, sumOf(FHCRC))],
    ['all of them', member(all, extra, name, comment, sumOf(all, extra, name, comment))],
    ['the mark of a text', member(1)],
  ])('passes over %s', async (_, data) => {
    for (const piece of [1, 10, 1000]) expect((await read(data, piece)).toString()).toBe('hello');
  });

  it('names the place of a checksum that is another', async () => {
    const fields = [extra, name, comment];
    for (const bad of [1, 0x100]) {
      const sum = u16(sumOf(all, ...fields).readUInt16LE(0) ^ bad);
      const offset = 10 + Buffer.concat(fields).length;
      expect(await faultOf(() => read(member(all, ...fields, sum)))).toEqual({ code: 'GZIP_HEADER', offset });
    }
  });

  it('reads a name of 65,535 bytes with its NUL and refuses a longer one', async () => {
    const text = (size: number) => Buffer.from(`${'n'.repeat(size - 1)}\0`);
    expect((await read(member(FNAME, text(65_536)), 10_000)).toString()).toBe('hello');
    expect(await faultOf(() => read(member(FNAME, text(65_537)), 10_000))).toEqual({
      code: 'GZIP_HEADER',
      offset: 10 + 65_536,
    });
  });

  it.each([0x20, 0x40, 0x80])('refuses flag %i, which is reserved', async (flag) => {
    expect(await faultOf(() => read(member(flag)))).toEqual({ code: 'GZIP_HEADER', offset: 3 });
  });
});

describe('gunzipMember, faults', () => {
  const whole = member(0);

  it('tells a checksum from a size, each by its place', async () => {
    const changed = (at: number) => {
      const data = Buffer.from(whole);
      data.writeUInt8(data.readUInt8(data.length + at) ^ 1, data.length + at);
      return data;
    };
    for (const at of [-8, -7, -6, -5])
      expect(await faultOf(() => read(changed(at)))).toEqual({ code: 'GZIP_CHECKSUM', offset: whole.length - 8 });
    for (const at of [-4, -3, -2, -1])
      expect(await faultOf(() => read(changed(at)))).toEqual({ code: 'GZIP_SIZE', offset: whole.length - 4 });
  });

  it('passes on what fails while the stream is read', async () => {
    async function* broken() {
      yield whole.subarray(0, 11);
      throw Object.assign(new Error('gone'), { code: 'NO_Z_ERROR' });
    }
    await expect(collect(gunzipMember(broken()))).rejects.toMatchObject({ code: 'NO_Z_ERROR' });
  });

  it('takes empty pieces behind the member for nothing', async () => {
    async function* pieces() {
      yield whole;
      yield Buffer.alloc(0);
    }
    expect((await collect(gunzipMember(pieces()))).toString()).toBe('hello');
  });
});

describe('the size in the trailer of a gzip member', () => {
  it.each([
    [0, 0],
    [2 ** 31 - 1, 0x7fffffff],
    [2 ** 31, 0x80000000],
    [2 ** 32 - 1, 0xffffffff],
    [2 ** 32, 0],
    [5 * 2 ** 30, 2 ** 30],
  ])('of %i bytes is %i', (bytes, expected) => {
    expect(gzipSize(bytes)).toBe(expected);
  });
});
