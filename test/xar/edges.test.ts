import { deflateSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { accessBuffer, type RandomAccess } from '../../src/base/random-access.ts';
import { type ChecksumStyle, DEFLATED, isWeak, readXarHeader, STORED, XAR_HEADER } from '../../src/xar/layout.ts';
import { extractMember, type XarArchive } from '../../src/xar/read.ts';
import type { XarMember } from '../../src/xar/toc.ts';
import { readTrailer } from '../../src/xar/trailer.ts';
import { deflatedFile, emitXar, layoutXar } from '../../src/xar/write.ts';
import { collect, errorOf } from '../support/payload.ts';
import { faultOf, readWhole, sealXar } from '../support/xar.ts';

describe('the digests of a TOC', () => {
  // Identifiers of xar.h; 3 and 4 are Apple's.
  it.each<[ChecksumStyle, number, boolean]>([
    ['none', 0, true],
    ['sha1', 1, false],
    ['md5', 2, true],
    ['sha256', 3, false],
    ['sha512', 4, false],
  ])('%s has the number %i', async (style, checksumAlgorithm, weak) => {
    const header = { magic: 'xar!', headerSize: 28, version: 1, tocCompressedSize: 0n, tocSize: 0n, checksumAlgorithm };
    expect(await readXarHeader(accessBuffer(XAR_HEADER.encode(header)))).toMatchObject({ checksum: style });
    expect(isWeak(style)).toBe(weak);
  });

  it('are those of a header that says it is one', async () => {
    expect((await faultOf(() => readXarHeader(accessBuffer(Buffer.from('PK\x03\x04'))))).code).toBe('XAR_MAGIC');
    expect((await faultOf(() => readXarHeader(accessBuffer(Buffer.from('PK\x03'))))).code).toBe('FORMAT_TRUNCATED');
  });
});

/** A member alone in a heap. */
function member(heap: Buffer, encoding: string, size: number, spent: [number, number][] = []) {
  const archive = {
    access: accessBuffer(heap),
    heapStart: 0,
    budget: { spend: (bytes: number, cost: number) => spent.push([bytes, cost]) },
  };
  const data = { offset: 0, length: heap.length, size, encoding };
  return extractMember(archive as unknown as XarArchive, { path: 'a', data } as unknown as XarMember);
}

describe('a member', () => {
  it('costs by its encoding', async () => {
    const spent: [number, number][] = [];
    await collect(member(Buffer.from('stored'), STORED, 6, spent));
    await collect(member(deflateSync('deflated'), DEFLATED, 8, spent));
    expect(spent).toEqual([
      [6, 0.3],
      [8, 1],
    ]);
  });

  it('is not given beyond its size', async () => {
    const given: Buffer[] = [];
    const error = await errorOf(async () => {
      for await (const chunk of member(Buffer.from('stored'), STORED, 5)) given.push(chunk);
    });
    expect(error).toMatchObject({ code: 'XAR_MEMBER_SIZE', message: expect.stringContaining('expected 5 bytes, found more') });
    expect(given).toEqual([]);
    const less = await errorOf(() => collect(member(Buffer.from('stored'), STORED, 7)));
    expect(less.message).toContain('expected 7 bytes, found 6');
  }); // biome-ignore format: short

  it('of xz that is empty is refused as what it is', async () => {
    const { code } = await faultOf(() => collect(member(Buffer.alloc(0), 'application/x-xz', 0)));
    expect(code).not.toBe('XAR_ENCODING');
    const lzma = await faultOf(() => collect(member(Buffer.from('5d0000800000', 'hex'), 'application/x-lzma', 0)));
    expect(lzma.code).toBe('XAR_ENCODING');
  });
});

describe('a certificate in a TOC', () => {
  const HEAP = Buffer.from('....');
  const toc = (text: string) => `<?xml version="1.0" encoding="UTF-8"?>
<xar><toc><checksum style="sha1"><offset>0</offset><size>20</size></checksum>
<signature style="RSA"><offset>20</offset><size>4</size><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>${text}</X509Certificate></X509Data></KeyInfo></signature></toc></xar>
`;
  const read = async (text: string) =>
    (await readWhole(sealXar(toc(text), HEAP))).archive.signatures[0]?.certificates.map((one) => one.toString('hex'));

  it('is any bytes but none', async () => {
    expect(await read('MAA=')).toEqual(['3000']);
    expect(await read('MA==')).toEqual(['30']);
    expect((await faultOf(() => read(''))).code).toBe('XAR_CERTIFICATE');
    expect((await faultOf(() => read('M?A='))).code).toBe('XAR_CERTIFICATE');
  });
});

describe('the bytes behind an archive', () => {
  it('are read up to 16 MiB', async () => {
    const read: number[] = [];
    const access: RandomAccess = {
      size: 0,
      read: async (_, size) => {
        read.push(size);
        return Buffer.from('x');
      },
    };
    const most = 16 * 1024 * 1024;
    expect(await readTrailer(access, { offset: 0, size: most })).toEqual({ kind: 'unknown', size: 1 });
    expect(await readTrailer(access, { offset: 0, size: most + 1 })).toEqual({ kind: 'unknown', size: most + 1 });
    expect(read).toEqual([most]);
  });
});

describe('an archive that is written', () => {
  it('takes one signature for each that has a room', async () => {
    const entries = [deflatedFile('a', Buffer.from('x'))];
    const none = layoutXar(entries, { creationTime: 0 });
    await expect(collect(emitXar(none, [Buffer.alloc(256)]))).rejects.toThrow('expected 0 signatures, got 1');
    const certificates = [Buffer.from('3000', 'hex')];
    const room = layoutXar(entries, { creationTime: 0, signatures: [{ style: 'RSA', size: 256, certificates }] });
    await expect(collect(emitXar(room))).rejects.toThrow('expected 1 signatures, got 0');
    expect((await collect(emitXar(room, [Buffer.alloc(256)]))).length).toBeGreaterThan(256);
  });

  it('has certificates in lines of 72 characters', async () => {
    const of = async (size: number) => {
      const certificates = [Buffer.alloc(size, 0x30)];
      const layout = layoutXar([deflatedFile('a', Buffer.from('x'))], {
        creationTime: 0,
        signatures: [{ style: 'RSA', size: 256, certificates }],
      });
      const xml = inflateSync(layout.compressedToc).toString();
      return /<X509Certificate>([^<]*)</
        .exec(xml)?.[1]
        ?.split('\n')
        .map((line) => line.length);
    };
    expect(await of(54)).toEqual([72]);
    expect(await of(55)).toEqual([72, 4]);
    expect(await of(108)).toEqual([72, 72]);
  });
});
