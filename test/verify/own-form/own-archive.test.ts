import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { CheckList } from '../../../src/base/check.ts';
import { accessBuffer } from '../../../src/base/random-access.ts';
import type { OurForm } from '../../../src/verify/expectations.ts';
import { checkOwnArchive } from '../../../src/verify/own-form/own-archive.ts';
import { readXar, type XarArchive } from '../../../src/xar/read.ts';
import type { XarData, XarMember, XarSignature } from '../../../src/xar/toc.ts';
import { builtPackage } from '../../support/built-package.ts';

let file: Buffer;
let archive: XarArchive;
let ours: OurForm;
beforeAll(async () => {
  file = readFileSync(builtPackage());
  archive = await readXar(accessBuffer(file));
  const folder = archive.members.find(({ path }) => path.endsWith('.pkg'))?.path as string;
  ours = { identifier: folder.slice(0, -'.pkg'.length), scripts: ['preinstall'] } as unknown as OurForm;
});

/** What fails of the archive with other values, or with another first header. */
async function failures(change: Partial<XarArchive> = {}, header: (head: Buffer) => Buffer = (head) => head) {
  const { access } = archive;
  const read = async (at: number, size: number) => (at === 0 ? header(await access.read(at, size)) : access.read(at, size));
  const list = new CheckList('a');
  await checkOwnArchive(list, { ...archive, access: { ...access, size: access.size, read }, ...change }, ours);
  return list.checks.filter(({ status }) => status === 'fail').map(({ id, reason }) => `${id}: ${reason}`);
} // biome-ignore format: short

const flipped = (at: number) => (head: Buffer) => {
  const copy = Buffer.from(head);
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
};

describe('the archive of a package of ours', () => {
  it('is what our writer makes', async () => expect(await failures()).toEqual([]));

  // The places of the fields: xar's header, as its wiki and xar.h have it.
  it.each<[number, string]>([
    [0, 'magic'],
    [3, 'magic'],
    [4, 'headerSize'],
    [5, 'headerSize'],
    [6, 'version'],
    [7, 'version'],
    [8, 'tocCompressedSize'],
    [15, 'tocCompressedSize'],
    [16, 'tocSize'],
    [23, 'tocSize'],
    [24, 'checksumAlgorithm'],
    [27, 'checksumAlgorithm'],
  ])('names the field of its header that byte %i lies in', async (at, field) => {
    const [before, after] = [file.subarray(0, 28), flipped(at)(file.subarray(0, 28))];
    const four = (head: Buffer) => head.toString('hex', at, Math.min(28, at + 4));
    expect(await failures({}, flipped(at))).toEqual([
      `form-header: xar header, byte ${at} (${field}): expected ${four(before)}, found ${four(after)}`,
    ]);
  });

  it('has a header of 28 bytes', async () => {
    expect(await failures({}, (head) => Buffer.concat([head, Buffer.alloc(2)]))).toEqual([
      'form-header: xar header, byte 28 (end): expected the end, found 0000; the header has 30 bytes, expected 28',
    ]);
  });

  it('has streams of zlib whose first bytes are those of the strongest compression, where it has any', async () => {
    const distribution = archive.members.find(({ path }) => path === 'Distribution')?.data as XarData;
    const payload = archive.members.find(({ path }) => path.endsWith('/Payload'))?.data as XarData;
    const with9c = (at: number) => {
      const changed = Buffer.from(file);
      changed[at] = 0x9c;
      return failures({ access: accessBuffer(changed) });
    };
    const words = (name: string, found = '789c') => `form-toc: the zlib stream of ${name} begins with ${found}, expected 78da`;
    expect(await with9c(29)).toEqual([words('the table of contents')]);
    expect(await with9c(archive.heapStart + distribution.offset + 1)).toEqual([words('Distribution')]);
    expect(await with9c(archive.heapStart + distribution.offset + 2)).toEqual([]);
    expect(await with9c(archive.heapStart + payload.offset + 1)).toEqual([]);
    const short = (length: number) => {
      const data = { ...distribution, offset: file.length - archive.heapStart - length, length };
      return failures({ members: [...archive.members, { ...(archive.members[0] as XarMember), path: 'more', data }] });
    };
    for (const length of [0, 1]) expect(await short(length)).toEqual([expect.stringContaining('the zlib stream of more begins with ')]);
  }); // biome-ignore format: short

  it('has one CMS, the first of its signatures of that style', async () => {
    const { signatures } = archive;
    const broken = { ...(signatures[1] as XarSignature), range: { offset: 0, size: 20 } };
    expect(await failures({ signatures: [...signatures, broken] })).not.toContainEqual(expect.stringContaining('form-signature'));
    expect(await failures({ signatures: [broken, ...signatures] })).toContainEqual(expect.stringContaining('form-signature'));
  }); // biome-ignore format: short

  it.each<[string, () => Partial<XarArchive>, string]>([
    ['no time', () => ({ creationTime: undefined }), 'the table of contents has no creation time'],
    [
      'a signature of another style',
      () => ({ signatures: archive.signatures.map((one) => ({ ...one, style: one.style === 'RSA' ? 'X' : one.style })) }),
      'a signature of style X in the element signature',
    ],
    [
      'a signature in another element',
      () => ({ signatures: archive.signatures.map((one) => ({ ...one, element: 'signature' as const })) }),
      'a signature of style CMS in the element signature',
    ],
    [
      'both signatures in the other element',
      () => ({ signatures: archive.signatures.map((one) => ({ ...one, element: 'x-signature' as const })) }),
      'a signature of style RSA in the element x-signature',
    ],
    [
      'a CMS of another style',
      () => ({ signatures: archive.signatures.map((one) => ({ ...one, style: one.style === 'CMS' ? 'X' : one.style })) }),
      'a signature of style X in the element x-signature',
    ],
    [
      'a member that is missing',
      () => ({ members: archive.members.filter(({ path }) => path !== 'Distribution') }),
      'Distribution is missing or empty',
    ],
    ...(['archivedChecksum', 'extractedChecksum'] as const).map((name): [string, () => Partial<XarArchive>, string] => [
      `no ${name}`,
      () => ({ members: archive.members.map((one) => ({ ...one, data: one.data && { ...one.data, [name]: undefined } })) }),
      'Distribution has not both digests',
    ]),
  ])('is not made with %s', async (_, change, words) => {
    expect(await failures(change())).toContain(`form-toc: ${words}`);
  }); // biome-ignore format: a table
});
