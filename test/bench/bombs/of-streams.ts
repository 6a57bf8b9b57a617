import { gzipSync } from 'node:zlib';
import { fromBuffer } from '../../../src/base/bytes.ts';
import { FAT_ARCH, FAT_HEADER } from '../../../src/macho/layout.ts';
import { deflatedFile, storedFile, type XarEntry } from '../../../src/xar/write.ts';
import { file } from '../../support/payload.ts';
import {
  archive,
  type Bomb,
  component,
  cpio,
  DECODED,
  INFO,
  MIB,
  numbered,
  oneFile,
  packed,
  pbzx,
  zeros,
} from './kit.ts';

const NAMES = ['Payload', 'Scripts'] as const;

/** Small streams that inflate to much, in every compression and one inside another. */
export function streamBombs(): Bomb[] {
  return [...gzipBombs(), ...NAMES.flatMap(otherBombs), ...memberBombs()];
}

function gzipBombs(): Bomb[] {
  return [
    {
      name: 'gzip, 4 GiB of zeros',
      make: () => component([storedFile('Payload', zeros('./a', 4 * 1024 * MIB))]),
      limit: /bytes decoded in all/,
    },
    {
      name: 'zlib over gzip, 4 GiB of zeros',
      make: () => component([deflatedFile('Payload', zeros('./a', 4 * 1024 * MIB))]),
      limit: /bytes decoded in all/,
    },
    {
      name: 'a universal file of 1 GiB',
      make: () => {
        const fat = Buffer.concat([
          FAT_HEADER.encode({ magic: 0xcafebabe, count: 1 }),
          FAT_ARCH.encode({ cpuType: 0x0100000c, cpuSubtype: 0, offset: 0x4000, size: 900 * MIB, alignment: 14 }),
        ]);
        return component([storedFile('Payload', zeros('./tool', 1024 * MIB, fat))]);
      },
      limit: /bytes (decoded in all|of a code file)/,
    },
    {
      name: '400 scripts of 4 MiB',
      make: async () => {
        const script = Buffer.concat([Buffer.from('#!/bin/sh\n'), Buffer.alloc(4 * MIB - 10, 'a')]);
        const scripts = numbered(400, (index) => [file(`./s${index}`, script, 0o755)]);
        return component([storedFile('Scripts', gzipSync(await cpio(scripts), { level: 1 }))]);
      },
      limit: /bytes (of scripts|decoded in all)/,
    },

    {
      name: 'gzip, 300 MiB of words, held to a policy',
      make: () => {
        const words = Buffer.alloc(300 * MIB, "x=$y; a:b ,privileged 'c:d' &amp; \\x41 ZWNobyBhOmIK\n");
        const packed = gzipSync(Buffer.concat([oneFile('./a', words.length), words]), { level: 1 });
        return component([storedFile('Payload', packed)]);
      },
      limit: DECODED,
      policy: true,
    },
    {
      name: 'gzip, 900 MiB of zeros, held to a policy',
      make: () => component([storedFile('Payload', zeros('./a', 900 * MIB))]),
      limit: DECODED,
      policy: true,
    },
  ];
}

/** One file of zeros, larger than what may be decoded; its end is missing, which nobody gets to see. */
const start = (size: number) => Buffer.concat([oneFile('./a', 0o77777777777), Buffer.alloc(size)]);

/** The compressions beside gzip, as a payload and as scripts. */
function otherBombs(name: (typeof NAMES)[number]): Bomb[] {
  const one = (words: string, needs: 'xz' | 'bzip2', make: () => Buffer): Bomb => ({
    name: `${name} in ${words}`,
    needs,
    make: () => component([storedFile(name, make())]),
    limit: DECODED,
  });
  const block = 16 * MIB;
  return [
    one('pbzx, 2 GiB of zeros', 'xz', () => {
      const first = pbzx(block, packed('xz', start(block).subarray(0, block), '--check=none'), 1);
      const rest = pbzx(block, packed('xz', Buffer.alloc(block), '--check=none'), 127);
      return Buffer.concat([first, rest.subarray(12)]);
    }),
    one('xz, 400 MiB of zeros', 'xz', () => packed('xz', start(400 * MIB), '-0')),
    one('xz, 400 MiB of zeros with a dictionary of 64 MiB', 'xz', () =>
      packed('xz', start(400 * MIB), '--lzma2=preset=0,dict=64MiB'),
    ),
    one('xz, a thousand streams of 1 MiB', 'xz', () => {
      const next = packed('xz', Buffer.alloc(MIB));
      return Buffer.concat([packed('xz', start(MIB)), ...Array.from({ length: 1000 }, () => next)]);
    }),
    one('bzip2, 100 MiB of zeros', 'bzip2', () => packed('bzip2', start(100 * MIB))),
  ];
}

/** Members that are compressed themselves, and over a compressed archive. */
function memberBombs(): Bomb[] {
  const documents = (encoding: string, data: Buffer, size: number) =>
    archive([{ ...storedFile('PackageInfo', data), encoding, size } as XarEntry]);
  const member = (name: string, encoding: string, stored: Buffer, size: number) =>
    component([{ ...storedFile(name, Buffer.alloc(0)), heap: fromBuffer(stored), encoding, size } as XarEntry]);
  return [
    {
      name: 'a PackageInfo of 16 MiB in bzip2',
      needs: 'bzip2',
      make: () =>
        documents(
          'application/x-bzip2',
          packed('bzip2', Buffer.concat([INFO(), Buffer.alloc(15 * MIB, ' ')])),
          15 * MIB + INFO().length,
        ),
    },
    {
      name: 'a member of 1 GiB in bzip2, nobody knows it',
      needs: 'bzip2',
      make: () => member('other', 'application/x-bzip2', packed('bzip2', Buffer.alloc(200 * MIB)), 200 * MIB),
      limit: DECODED,
    },
    ...['application/x-xz', 'application/x-lzma'].map(
      (encoding): Bomb => ({
        name: `xz over gzip as ${encoding}, 4 GiB of zeros`,
        needs: 'xz',
        make: () => {
          const inner = zeros('./a', 4 * 1024 * MIB);
          return member('Payload', encoding, packed('xz', inner), inner.length);
        },
        limit: DECODED,
      }),
    ),
    {
      name: 'bzip2 over gzip, 4 GiB of zeros',
      needs: 'bzip2',
      make: () => {
        const inner = zeros('./a', 4 * 1024 * MIB);
        return member('Payload', 'application/x-bzip2', packed('bzip2', inner), inner.length);
      },
      limit: DECODED,
    },
    {
      name: 'zlib over pbzx with chunks of 64 MiB as they are',
      make: () => {
        const block = 64 * MIB;
        return component([deflatedFile('Payload', pbzx(block, start(block).subarray(0, block), 3))]);
      },
    },
    {
      name: 'a package of 60 MiB in a package of 60 MiB among scripts, with a program of 50 MiB',
      make: async () => {
        const program = Buffer.alloc(50 * MIB);
        Buffer.from('cffaedfe0c000001', 'hex').copy(program);
        const stored = async (entry: [string, Buffer]) =>
          storedFile('Scripts', gzipSync(await cpio([file(...entry, 0o755)]), { level: 1 }));
        const filler = storedFile('filler', Buffer.alloc(10 * MIB));
        const plain = storedFile('Payload', await cpio([file('./tool', program, 0o755)]));
        const inner = await component([plain, filler]);
        return component([
          await stored([
            './inner.pkg',
            await component([await stored(['./innermost.pkg', inner]), storedFile('filler', Buffer.alloc(60 * MIB))]),
          ]),
        ]);
      },
    },
  ];
}
