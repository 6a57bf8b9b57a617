import { deflateSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { accessBuffer, type RandomAccess } from '../../src/base/random-access.ts';
import { type ChecksumStyle, DEFLATED, isWeak, readXarHeader, STORED, XAR_HEADER } from '../../src/xar/layout.ts';
import { extractMember, readXar, type XarArchive } from '../../src/xar/read.ts';
import type { XarMember } from '../../src/xar/toc.ts';
import type { XarAttributes } from '../../src/xar/toc-render.ts';
import { readTrailer } from '../../src/xar/trailer.ts';
import { deflatedFile, emitXar, layoutXar, storedFile } from '../../src/xar/write.ts';
import { collect, errorOf, noise } from '../support/payload.ts';
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
function member(
  heap: Buffer,
  encoding: string,
  size: number,
  spent: [number, number][] = [],
  access = accessBuffer(heap),
) {
  const archive = {
    access,
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

describe('a member of another encoding', () => {
  // 1,000 times `0`, by `xz --check=none` (xz 5.4) and `bzip2` (1.0.8).
  const XZ =
    'fd377a585a000000ff12d9410200210116000000742fe5a3e003e7000b5d00186ffbbffea3b0b9a65600000000011fe80700000034d0a6b4a8000afc020000000000595a';
  const BZIP2 = '425a68393141592653590d6f5f6d0000018801c00000800008200020aa6d4198ba83c5dc914e1424035bd7db40';

  it.each([
    ['application/x-xz', XZ, 1],
    ['application/x-lzma', XZ, 1],
    ['application/x-bzip2', BZIP2, 20],
  ])('is decoded: %s', async (encoding, heap, cost) => {
    const spent: [number, number][] = [];
    const content = await collect(member(Buffer.from(heap, 'hex'), encoding, 1000, spent));
    expect(content.toString()).toBe('0'.repeat(1000));
    expect(spent).toEqual([[1000, cost]]);
  });

  it.each([
    ['application/x-lzfse', 'the encoding application/x-lzfse is not supported'],
    ['application/x-xz', 'LZMA without a container'],
    ['application/x-lzma', 'LZMA without a container'],
  ])('is refused where it is another: %s', async (encoding, words) => {
    const error = await errorOf(() => collect(member(Buffer.from('5d00008000', 'hex'), encoding, 1)));
    expect(error).toMatchObject({ code: 'XAR_ENCODING', message: expect.stringContaining(words) });
  });
});

describe('a deflated member', () => {
  const LIMIT = 256 * 1024;
  const pieces = async (heap: Buffer, size: number) => {
    const sizes: number[] = [];
    for await (const chunk of member(heap, DEFLATED, size)) sizes.push(chunk.length);
    return sizes;
  };
  /** Bytes that take `length` in stored blocks, which are longer than what they hold. */
  const filling = (length: number) => {
    let size = length - 11;
    while (deflateSync(Buffer.alloc(size), { level: 0 }).length > length) size--;
    return { size, heap: deflateSync(Buffer.alloc(size), { level: 0 }) };
  };

  it('comes in one piece where it has up to 256 KiB, and no more in the heap', async () => {
    for (const size of [1, LIMIT]) expect(await pieces(deflateSync(Buffer.alloc(size)), size)).toEqual([size]);
    expect((await pieces(deflateSync(Buffer.alloc(LIMIT + 1)), LIMIT + 1)).length).toBeGreaterThan(1);
    const [fits, beyond] = [filling(LIMIT), filling(LIMIT + 1)];
    expect([fits.heap.length, beyond.heap.length]).toEqual([LIMIT, LIMIT + 1]);
    expect(beyond.size).toBeLessThan(LIMIT);
    expect(await pieces(fits.heap, fits.size)).toEqual([fits.size]);
    expect((await pieces(beyond.heap, beyond.size)).length).toBeGreaterThan(1);
  });

  it('passes on an error without a code', async () => {
    const read = () => Promise.reject(new TypeError('wrong'));
    const size = LIMIT + 1;
    await expect(collect(member(Buffer.alloc(9), DEFLATED, size, [], { size: 9, read }))).rejects.toThrow(TypeError);
  });

  it.each([1000, LIMIT + 1])('of %i bytes passes on what fails while it is read', async (size) => {
    const heap = deflateSync(Buffer.alloc(size));
    const error = Object.assign(new Error('gone'), { code: 'NO_Z_ERROR' });
    const access = { size: heap.length, read: () => Promise.reject(error) };
    await expect(collect(member(heap, DEFLATED, size, [], access))).rejects.toBe(error);
  });

  it.each([1000, LIMIT + 1])('of %i bytes is refused where it ends before, or goes on', async (size) => {
    const heap = deflateSync(Buffer.alloc(size));
    for (const [changed, code, offset] of [
      [heap.subarray(0, -1), 'XAR_MEMBER_INFLATE', undefined],
      [Buffer.concat([heap, Buffer.alloc(1)]), 'XAR_MEMBER_TRAILING', heap.length],
    ] as const) {
      const fault = await faultOf(() => collect(member(changed, DEFLATED, size)));
      expect(fault).toMatchObject({ code, format: 'xar member a', ...(offset && { offset }) });
      expect(fault.hint).toContain('Fetch it anew');
    }
  });

  it('is inflated to one byte more than it says', async () => {
    for (const [size, expected] of [
      [4, [[5, 1]]],
      [3, []],
      [0, []],
    ] as const) {
      const spent: [number, number][] = [];
      const error = await errorOf(() => collect(member(deflateSync('12345'), DEFLATED, size, spent)));
      expect(error).toMatchObject({ code: 'XAR_MEMBER_SIZE', message: expect.stringContaining('found more') });
      expect(spent).toEqual(expected);
    }
  });
});

describe('a TOC', () => {
  const LIMIT = 4 * 1024 * 1024;
  const XML = Buffer.from('<xar><toc/></xar>');
  const sealed = async (tocSize: number) => (await faultOf(() => readWhole(sealXar(XML, undefined, tocSize)))) as Error;

  it('is inflated to one byte more than it says', async () => {
    expect((await sealed(16)).message).toContain('expected 16 bytes of XML, found 17');
    expect((await sealed(15)).message).toContain('expected 15 bytes of XML, found more');
  });

  it('has 4 MiB at most, as XML and deflated', async () => {
    const codeOf = async (tocSize: number, tocCompressedSize: number) => {
      const [magic, headerSize, version, checksumAlgorithm] = ['xar!', 28, 1, 1];
      const sizes = { tocCompressedSize: BigInt(tocCompressedSize), tocSize: BigInt(tocSize) };
      const header = XAR_HEADER.encode({ magic, headerSize, version, ...sizes, checksumAlgorithm });
      const read = async (offset: number, size: number) => (offset === 0 ? header : Buffer.alloc(Math.min(size, 100)));
      const { code, message, offset } = await faultOf(() => readXar({ size: 2 * LIMIT, read }));
      return `${code} ${offset} ${/ (a .*) of at most/.exec(message)?.[1]}`;
    };
    expect(await codeOf(LIMIT, LIMIT)).toBe('XAR_TOC_INFLATE 0 undefined');
    expect(await codeOf(LIMIT + 1, LIMIT)).toBe('XAR_TOC_SIZE 16 a TOC');
    expect(await codeOf(LIMIT, LIMIT + 1)).toBe('XAR_TOC_SIZE 16 a deflated TOC');
  });

  it.each([
    ['', '&#97;'],
    ['é', '&#x61;'],
  ])('has no character by its number, %s before', async (before, reference) => {
    const xml = `<xar><toc><x>${before}${reference}</x></toc></xar>`;
    const fault = await faultOf(() => readWhole(sealXar(xml)));
    expect(fault).toMatchObject({ code: 'XAR_REFERENCE', offset: Buffer.from(xml).indexOf('&') });
  });

  it('may have no digest', async () => {
    const xml = '<xar><toc><checksum style="none"><offset>0</offset><size>0</size></checksum></toc></xar>';
    const archive = sealXar(xml);
    archive.writeUInt32BE(0, 24);
    const { checksum } = (await readWhole(archive)).archive;
    expect(checksum).toEqual({ style: 'none', range: { offset: 0, size: 0 }, value: Buffer.alloc(0) });
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

  it('has no data of an empty file, and the names of owner and group 0 alone', () => {
    const attributes = { mode: 0o7, uid: 0, gid: 0, mtime: 0 };
    const xmlOf = (content: string, facts: Partial<XarAttributes>) => {
      const file = storedFile('a', Buffer.from(content), { ...attributes, ...facts });
      return inflateSync(layoutXar([file], { creationTime: 0 }).compressedToc).toString();
    };
    expect(xmlOf('', {})).not.toContain('<data>');
    expect(xmlOf('x', {})).toContain('<data>');
    expect(xmlOf('', {})).toMatch(/<group>wheel<.*<gid>0<.*<user>root<.*<uid>0<.*<mode>0007</s);
    expect(xmlOf('', { uid: 1 })).toMatch(/<group>wheel<(?!.*<user>).*<uid>1</s);
    expect(xmlOf('', { gid: 1 })).toMatch(/<gid>1<.*<user>root</s);
    expect(xmlOf('', { gid: 1 })).not.toContain('<group>');
  });

  it('has members deflated by level 7 and a TOC by level 9', async () => {
    const content = Buffer.from(noise(20_000).map((byte) => byte & 1));
    const layout = layoutXar([deflatedFile('a', content)], { creationTime: 0 });
    const levels = [6, 7, 8, 9].map((level) => deflateSync(content, { level }));
    expect(new Set(levels.map((one) => one.toString('hex'))).size).toBe(4);
    expect((await collect(layout.heap[0]!.chunks())).equals(levels[1]!)).toBe(true);
    const digits = content.map((byte) => 48 + byte).toString();
    const names = Array.from({ length: 40 }, (_, at) => storedFile(digits.slice(at * 500, at * 500 + 500), content));
    const { compressedToc } = layoutXar(names, { creationTime: 0 });
    const toc = inflateSync(compressedToc);
    expect(deflateSync(toc, { level: 8 }).equals(compressedToc)).toBe(false);
    expect(deflateSync(toc, { level: 9 }).equals(compressedToc)).toBe(true);
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
