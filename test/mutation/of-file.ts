import { parseCms } from '../../src/pki/cms/parse.ts';
import { XAR_HEADER } from '../../src/xar/layout.ts';
import { buildTrailer } from '../../src/xar/trailer.ts';
import type { Mutation } from './outcome.ts';
import { flip, type Sample } from './sample.ts';

const STRUCTURE = ['xar-structure', 'toc-checksum'];

/** Changes of single bits anywhere in the finished file, and of its end; nothing is repaired. */
export function fileMutations(sample: Sample): Mutation[] {
  const { file, archive } = sample;
  const { headerSize, tocCompressedSize } = archive.header;
  return [
    ...bits('header', range(0, headerSize, headerSize), STRUCTURE, headerField),
    ...bits('TOC', range(headerSize, tocCompressedSize, 40), STRUCTURE),
    ...bits('TOC digest', range(archive.heapStart, archive.checksum.range.size, 5), ['toc-checksum']),
    ...signatureBits(sample),
    ...archive.members.flatMap(({ path, data }) =>
      data
        ? bits(`member ${shortName(path)}`, range(archive.heapStart + data.offset, data.length, 10), [
            'member-checksums',
          ])
        : [],
    ),
    ...endings(file),
  ];
}

const shortName = (path: string) => path.slice(path.lastIndexOf('/') + 1);

/** Returns `count` offsets spread evenly over a range. */
function range(start: number, size: number, count: number): number[] {
  const step = size / Math.min(count, size);
  return Array.from({ length: Math.min(count, size) }, (_, at) => start + Math.floor(at * step));
}

function bits(
  region: string,
  offsets: readonly number[],
  expected: readonly string[],
  name?: (at: number) => string,
): Mutation[] {
  return offsets.map((offset, index) => ({
    region,
    what: `bit ${index % 8} of byte ${offset}${name ? ` (${name(offset)})` : ''}`,
    expected,
    make: ({ file }) => flip(file, offset, 1 << (index % 8)),
  }));
}

function headerField(offset: number): string {
  return XAR_HEADER.fields.find((field) => offset < field.offset + field.width)?.name ?? '';
}

/** Places inside the CMS are named by what they are. */
function signatureBits({ file, archive }: Sample): Mutation[] {
  const [rsa, cms] = archive.signatures.map(({ range: place }) => ({
    ...place,
    offset: archive.heapStart + place.offset,
  }));
  if (!rsa || !cms) throw new Error('expected an RSA and a CMS signature');
  const slot = file.subarray(cms.offset, cms.offset + cms.size);
  const parsed = parseCms(slot);
  const place = (part: Buffer) => cms.offset + slot.indexOf(part);
  const token = parsed.timestampToken as Buffer;
  const first = parsed.certificates[0]!;
  const certificatesSize = parsed.certificates.reduce((sum, { der }) => sum + der.length, 0);
  const attributes = (parsed.signedAttributesDer as Buffer).subarray(4);
  const certificateChecks = ['package-cms', 'package-chain', 'package-key-info'];
  return [
    ...bits('RSA signature', range(rsa.offset, rsa.size, 12), ['package-rsa']),
    ...bits('CMS head', range(cms.offset, place(first.der) - cms.offset, 24), ['package-cms']),
    ...bits('CMS certificates', range(place(first.der), certificatesSize, 40), certificateChecks),
    ...bits('CMS attributes', range(place(attributes), attributes.length, 16), ['package-cms']),
    ...bits('CMS signature', range(place(parsed.signature), parsed.signature.length, 8), ['package-cms']),
    ...bits('timestamp token', range(place(token), token.length, 48), ['package-timestamp', 'package-cms']),
    ...bits('CMS padding', range(cms.offset + parsed.encodedSize, cms.size - parsed.encodedSize, 8), [
      'package-padding',
    ]),
  ];
}

function endings(file: Buffer): Mutation[] {
  const region = 'end of the file';
  const append = (what: string, bytes: Buffer, expected: string[]): Mutation => ({
    region,
    what,
    expected,
    make: () => Buffer.concat([file, bytes]),
  });
  return [
    append('one zero byte more', Buffer.alloc(1), ['trailing-bytes']),
    append('one byte more', Buffer.from('x'), ['trailing-bytes']),
    append('2000 bytes more', Buffer.alloc(2000, 7), ['trailing-bytes']),
    append('another package behind it', file, ['trailing-bytes']),
    append('a staple whose ticket is none', buildTrailer(Buffer.from('not a ticket')), ['ticket']),
    append('an empty staple', buildTrailer(Buffer.alloc(0)), ['ticket']),
    ...[1, 100, 10_000].map((less) => ({
      region,
      what: `${less} bytes less`,
      expected: STRUCTURE,
      make: () => file.subarray(0, file.length - less),
    })),
  ];
}
