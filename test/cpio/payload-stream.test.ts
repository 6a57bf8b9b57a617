import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/base/errors.ts';
import { gzipMember } from '../../src/cpio/gzip.ts';
import { openPayload } from '../../src/cpio/payload-stream.ts';
import { writeCpio } from '../../src/cpio/write.ts';
import { collect, directory, errorOf, inPieces } from '../support/payload.ts';

const archive = await collect(writeCpio([directory('.')]));
const gzipped = await collect(gzipMember(inPieces(archive, 100)));

/** 1,000 times `0`, by `xz --check=none` (xz 5.4) and `bzip2` (1.0.8); what stands in front of a pbzx stream of it. */
const XZ =
  'fd377a585a000000ff12d9410200210116000000742fe5a3e003e7000b5d00186ffbbffea3b0b9a65600000000011fe80700000034d0a6b4a8000afc020000000000595a';
const BZIP2 = '425a68393141592653590d6f5f6d0000018801c00000800008200020aa6d4198ba83c5dc914e1424035bd7db40';
const PBZX = `${Buffer.from('pbzx').toString('hex')}${'00000000000003e8'.repeat(2)}0000000000000044`;

describe('openPayload', () => {
  it.each([1, 3, 4, 100_000])('gives the archive inside gzip and a bare one, pieces of %i', async (piece) => {
    expect((await collect(openPayload(inPieces(gzipped, piece)))).equals(archive)).toBe(true);
    expect((await collect(openPayload(inPieces(archive, piece)))).equals(archive)).toBe(true);
  });

  it.each([
    ['pbze\0\0\0\0\x01', 'PAYLOAD_UNSUPPORTED', /not supported/],
    ['pbzx\0\0\0\0\x01', 'FORMAT_TRUNCATED', /12 bytes/],
    ['BZh91AY&SY', 'BZIP2', /the end of the stream/],
    ['PK\x03\x04', 'PAYLOAD_COMPRESSION', /504b0304/],
    ['\x1f', 'PAYLOAD_COMPRESSION', /1f/],
    ['', 'PAYLOAD_COMPRESSION', /nothing/],
  ])('refuses %j', async (head, code, message) => {
    const error = await errorOf(() => collect(openPayload(inPieces(Buffer.from(head, 'latin1'), 2))));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it.each(['pbze', 'pbz4', 'pbzz', 'pbzb'])('knows %s and does not read it', async (magic) => {
    const error = await errorOf(() => collect(openPayload(inPieces(Buffer.from(`${magic}----`), 3))));
    expect(error.code).toBe('PAYLOAD_UNSUPPORTED');
    expect(error.message).toContain(`compressed as ${magic} (`);
  });

  // What a byte costs, one inflated byte being 1; Node has no bzip2 and no xz: these are what the tools make of 1,000 zeros.
  it.each([
    ['gzip', gzipSync(Buffer.alloc(1000, 0x30)), 1000, 1],
    ['xz', Buffer.from(XZ, 'hex'), 1000, 4],
    ['bzip2', Buffer.from(BZIP2, 'hex'), 65_536, 20],
    ['pbzx', Buffer.concat([Buffer.from(PBZX, 'hex'), Buffer.from(XZ, 'hex')]), 1000, 4],
  ])('tells what %s costs, byte by byte', async (_, member, expected, cost) => {
    let told = 0;
    const spend = (bytes: number, each: number) => {
      told += bytes;
      expect(each).toBe(cost);
    };
    expect((await collect(openPayload(inPieces(member, 9), { spend }))).toString()).toBe('0'.repeat(1000));
    expect(told).toBe(expected);
    const refuse = () => {
      throw new Error('too dear');
    };
    await expect(collect(openPayload(inPieces(member, 9), { spend: refuse }))).rejects.toThrow('too dear');
  });

  it('spends nothing on an archive that is not compressed', async () => {
    const spend = () => expect.fail('nothing was decoded');
    expect((await collect(openPayload(inPieces(archive, 100), { spend }))).equals(archive)).toBe(true);
  });

  it.each([
    ['what it does not read', Buffer.from('pbz4--------')],
    ['what it does not know', Buffer.from('PK\x03\x04----')],
    ['an archive left early', archive],
    ['a member left early', gzipped],
  ])('closes its source after %s', async (_, member) => {
    let closed = false;
    async function* source() {
      try {
        yield* inPieces(member, 6);
      } finally {
        closed = true;
      }
    }
    try {
      for await (const _ of openPayload(source())) break;
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
    }
    expect(closed).toBe(true);
  });

  it('says what to do about compressions of Apple’s own', async () => {
    const error = await errorOf(() => collect(openPayload(inPieces(Buffer.from('pbz4----'), 8))));
    expect(error.hint).toContain('pkgutil');
  });
});
