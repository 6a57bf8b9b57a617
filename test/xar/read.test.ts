import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { accessBuffer, accessFile } from '../../src/base/random-access.ts';
import { XAR_HEADER } from '../../src/xar/layout.ts';
import { extractMember, findMember, memberSource, readHeap, readXar } from '../../src/xar/read.ts';
import { deflatedFile, directory, emitXar, layoutXar, storedFile } from '../../src/xar/write.ts';
import { realPackages } from '../support/needs.ts';
import { collect, extract, faultOf, readWhole, SECONDS, sealXar } from '../support/xar.ts';

const small = () =>
  collect(
    emitXar(
      layoutXar(
        [
          deflatedFile('Distribution', Buffer.from('text '.repeat(9))),
          directory('a', [storedFile('b', Buffer.from('beta'))]),
        ],
        {
          creationTime: SECONDS,
        },
      ),
    ),
  );

/** Returns an archive whose TOC is changed by `change`; heap and members stay. */
async function withToc(change: (xml: string) => string): Promise<Buffer> {
  const archive = await small();
  const tocEnd = 28 + Number(archive.readBigUInt64BE(8));
  const xml = inflateSync(archive.subarray(28, tocEnd)).toString();
  const changed = change(xml);
  expect(changed).not.toBe(xml);
  return sealXar(changed, archive.subarray(tocEnd + 20));
}

describe('readXar', () => {
  it('finds members, their stored bytes and the digest', async () => {
    const archive = await readXar(accessBuffer(await small()));
    const member = findMember(archive, 'a/b')!;
    expect((await collect(memberSource(archive, member).chunks())).toString()).toBe('beta');
    expect(findMember(archive, 'b')).toBeUndefined();
    expect(await readHeap(archive, archive.checksum.range)).toEqual(archive.checksum.value);
    expect(await collect(memberSource(archive, findMember(archive, 'a')!).chunks())).toHaveLength(0);
  });

  it('tells where bytes behind the heap are', async () => {
    const whole = await small();
    const archive = await readXar(accessBuffer(Buffer.concat([whole, Buffer.from('behind')])));
    expect(archive.trailing).toEqual({ offset: whole.length, size: 6 });
  });

  it('refuses every prefix', async () => {
    const whole = await small();
    for (let length = 0; length < whole.length; length++) {
      const fault = await faultOf(() => readXar(accessBuffer(whole.subarray(0, length))));
      expect(fault.code, `${length} bytes`).toMatch(/^(FORMAT_TRUNCATED|XAR_TOC_TRUNCATED|XAR_RANGE_OUTSIDE)$/);
    }
  });

  it('refuses every byte with one changed bit', async () => {
    const whole = await small();
    for (let offset = 0; offset < whole.length; offset++) {
      const changed = Buffer.from(whole);
      changed[offset]! ^= 1 << (offset % 8);
      const fault = await faultOf(() => readWhole(changed));
      expect(fault.code, `offset ${offset}`).toMatch(/^(XAR|FORMAT)_/);
    }
  });

  it('refuses a TOC of another length than declared', async () => {
    const xml = '<xar><toc/></xar>';
    for (const size of [xml.length - 1, xml.length + 1, 0]) {
      expect((await faultOf(() => readXar(accessBuffer(sealXar(xml, undefined, size))))).code).toBe('XAR_TOC_LENGTH');
    }
  });

  it('refuses a TOC that is not a whole zlib stream, and bytes behind the stream', async () => {
    const seal = (compressed: Buffer, size: number) => {
      const [tocCompressedSize, tocSize] = [BigInt(compressed.length), BigInt(size)];
      const fields = { magic: 'xar!', headerSize: 28, version: 1, tocCompressedSize, tocSize, checksumAlgorithm: 1 };
      return accessBuffer(Buffer.concat([XAR_HEADER.encode(fields), compressed, Buffer.alloc(20)]));
    };
    const xml = Buffer.from('<xar><toc/></xar>');
    const stream = deflateSync(xml);
    const codeOf = async (compressed: Buffer) => (await faultOf(() => readXar(seal(compressed, xml.length)))).code;
    expect(await codeOf(xml)).toBe('XAR_TOC_INFLATE');
    expect(await codeOf(Buffer.alloc(0))).toBe('XAR_TOC_INFLATE');
    expect(await codeOf(stream.subarray(0, -1))).toBe('XAR_TOC_INFLATE');
    expect(await codeOf(Buffer.concat([stream, Buffer.alloc(1)]))).toBe('XAR_TOC_TRAILING');
  });

  it('refuses bombs before they cost anything', async () => {
    const declared = sealXar('', undefined, 64 * 1024 * 1024 + 1);
    const understated = sealXar(Buffer.alloc(48 * 1024 * 1024), undefined, 1000);
    const elements = sealXar(`<xar>${'<a/>'.repeat(1_000_000)}</xar>`);
    const reads: number[] = [];
    const source = accessBuffer(declared);
    const watched = {
      ...source,
      read: (offset: number, length: number) => {
        reads.push(offset + length);
        return source.read(offset, length);
      },
    };
    expect((await faultOf(() => readXar(watched))).code).toBe('XAR_TOC_SIZE');
    const stopped = await faultOf(() => readXar(accessBuffer(understated)));
    expect(stopped.code).toBe('XAR_TOC_LENGTH');
    expect(stopped.message).toMatch(/found more$/);
    // Nothing but the header was looked at.
    expect(Math.max(...reads)).toBeLessThanOrEqual(512);
    expect((await faultOf(() => readXar(accessBuffer(elements)))).code).toBe('XML_ELEMENTS');
  });
});

describe('extractMember', () => {
  it('yields nothing for folders and empty files', async () => {
    const layout = layoutXar([directory('a', [storedFile('b', Buffer.alloc(0))])], { creationTime: SECONDS });
    const archive = await readXar(accessBuffer(await collect(emitXar(layout))));
    for (const member of archive.members) expect(await extract(archive, member)).toHaveLength(0);
  });

  it('streams a member that is larger than any piece', async () => {
    const content = Buffer.alloc(1_000_000);
    for (let index = 0; index < content.length; index += 4)
      content.writeUInt32LE(Math.imul(index, 2654435761) >>> 0, index);
    const layout = layoutXar([deflatedFile('a', content), storedFile('b', content)], { creationTime: SECONDS });
    const { contents } = await readWhole(await collect(emitXar(layout)));
    expect(contents.get('a')?.equals(content)).toBe(true);
    expect(contents.get('b')?.equals(content)).toBe(true);
  });

  it('can be left early', async () => {
    const layout = layoutXar([deflatedFile('a', Buffer.alloc(1_000_000))], { creationTime: SECONDS });
    const archive = await readXar(accessBuffer(await collect(emitXar(layout))));
    for await (const chunk of extractMember(archive, archive.members[0]!)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
  });

  const digits = /(<extracted-checksum style="sha1">)[0-9a-f]{2}/;
  const archivedDigits = /(<archived-checksum style="sha1">)[0-9a-f]{2}/;
  const faults: [string, (xml: string) => string, string][] = [
    ['another extracted checksum', (xml) => xml.replace(digits, '$100'), 'XAR_EXTRACTED_CHECKSUM'],
    ['another archived checksum', (xml) => xml.replace(archivedDigits, '$100'), 'XAR_ARCHIVED_CHECKSUM'],
    ['fewer bytes than declared', (xml) => xml.replace('<size>45<', '<size>46<'), 'XAR_MEMBER_SIZE'],
    ['more bytes than declared', (xml) => xml.replace('<size>45<', '<size>44<'), 'XAR_MEMBER_SIZE'],
    ['a stored member of two sizes', (xml) => xml.replace('<size>4<', '<size>5<'), 'XAR_MEMBER_SIZE'],
    [
      'a zlib stream that is cut',
      (xml) => xml.replace(/<length>(1\d)</, (_, n) => `<length>${n - 1}<`),
      'XAR_MEMBER_INFLATE',
    ],
    ['data that is not a zlib stream', (xml) => xml.replace('octet-stream', 'x-gzip'), 'XAR_MEMBER_INFLATE'],
    ['another encoding', (xml) => xml.replace('x-gzip', 'x-lzfse'), 'XAR_ENCODING'],
    ['LZMA without a container', (xml) => xml.replace('x-gzip', 'x-lzma'), 'XAR_ENCODING'],
  ];
  it.each(faults)('refuses %s', async (_, change, code) => {
    const fault = await faultOf(async () => readWhole(await withToc(change)));
    expect(fault.code).toBe(code);
    expect(fault.format).toMatch(/^xar member (Distribution|a\/b)$/);
  });

  it('refuses bytes behind the zlib stream of a member', async () => {
    const file = deflatedFile('a', Buffer.from('alpha'));
    const padded = Buffer.concat([await collect(file.heap.chunks()), Buffer.alloc(1)]);
    const heap = { size: padded.length, chunks: () => storedFile('a', padded).heap.chunks() };
    const archivedChecksum = storedFile('a', padded).archivedChecksum;
    const layout = layoutXar([{ ...file, heap, archivedChecksum }], { creationTime: SECONDS });
    const fault = await faultOf(async () => readWhole(await collect(emitXar(layout))));
    expect(fault).toMatchObject({ code: 'XAR_MEMBER_TRAILING', offset: padded.length - 1 });
  });

  it('stops a bomb at the declared size', async () => {
    const file = { ...deflatedFile('a', Buffer.alloc(32 * 1024 * 1024)), size: 100_000 };
    const archive = await readXar(accessBuffer(await collect(emitXar(layoutXar([file], { creationTime: SECONDS })))));
    let yielded = 0;
    const fault = await faultOf(async () => {
      for await (const chunk of extractMember(archive, archive.members[0]!)) yielded += chunk.length;
    });
    expect(fault).toMatchObject({ code: 'XAR_MEMBER_SIZE', offset: 100_000 });
    expect(yielded).toBeLessThanOrEqual(100_000);
  });
});

describe('packages of other makers', () => {
  it.skipIf(realPackages.missing)(`are read, every member with the right checksums${realPackages.note}`, async () => {
    const folder = join(realPackages.folder as string, 'pkg');
    const names = (await readdir(folder)).filter((name) => name.endsWith('.pkg'));
    expect(names.length).toBeGreaterThanOrEqual(7);
    for (const name of names) {
      const handle = await open(join(folder, name));
      try {
        const archive = await readXar(await accessFile(handle));
        for (const member of archive.members) {
          expect(await extract(archive, member), `${name} ${member.path}`).toHaveLength(member.data?.size ?? 0);
        }
        expect(
          archive.members.some(({ path }) => /(^|\/)PackageInfo$/.test(path)),
          name,
        ).toBe(true);
        for (const { certificates } of archive.signatures) expect(certificates, name).toHaveLength(3);
      } finally {
        await handle.close();
      }
    }
  });
});
