import { describe, expect, it } from 'vitest';
import { gzipMember } from '../../src/cpio/gzip.ts';
import { openPayload } from '../../src/cpio/payload-stream.ts';
import { writeCpio } from '../../src/cpio/write.ts';
import { collect, directory, errorOf, inPieces } from '../support/payload.ts';

const archive = await collect(writeCpio([directory('.')]));
const gzipped = await collect(gzipMember(inPieces(archive, 100)));

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

  it('says what to do about compressions of Apple’s own', async () => {
    const error = await errorOf(() => collect(openPayload(inPieces(Buffer.from('pbz4----'), 8))));
    expect(error.hint).toContain('pkgutil');
  });
});
