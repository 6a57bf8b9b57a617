import { deflateSync, gzipSync } from 'node:zlib';
import { encodeBom } from '../../src/bom/encode.ts';
import { bomRecords } from '../../src/bom/payload-records.ts';
import { writeCpio } from '../../src/cpio/write.ts';
import { FAT_ARCH, FAT_HEADER } from '../../src/macho/layout.ts';
import type { PayloadEntry } from '../../src/tree/entry.ts';
import {
  deflatedFile,
  emitXar,
  layoutXar,
  storedFile,
  type XarEntry,
  directory as xarDirectory,
} from '../../src/xar/write.ts';
import { collect, directory, file } from '../support/payload.ts';
import { sealXar } from '../support/xar.ts';

/** A small file that is made to cost much. */
export interface Bomb {
  readonly name: string;
  make(): Promise<Buffer>;
  /** What the report names, where it must name a limit. */
  readonly limit?: RegExp;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const INFO = (extra = '') =>
  Buffer.from(`<pkg-info identifier="com.example.bomb" version="1"><payload numberOfFiles="1"/>${extra}</pkg-info>`);
const EMPTY_BOM = encodeBom(bomRecords([directory('.')], new Map()));
/** A thin arm64 program that is nothing but a header. */
const PROGRAM = Buffer.alloc(32);
PROGRAM.writeUInt32LE(0xfeedfacf, 0);
PROGRAM.writeUInt32LE(0x0100000c, 4);
PROGRAM.writeUInt32LE(2, 12);

const archive = (members: readonly XarEntry[]) =>
  collect(emitXar(layoutXar(members, { creationTime: 0, signatures: [] })));
const component = (members: readonly XarEntry[], info = INFO()) =>
  archive([deflatedFile('Bom', EMPTY_BOM), deflatedFile('PackageInfo', info), ...members]);
const cpio = (entries: readonly PayloadEntry[]) => collect(writeCpio([directory('.'), ...entries]));
const payload = async (entries: readonly PayloadEntry[]) =>
  component([storedFile('Payload', gzipSync(await cpio(entries)))]);

/** Returns the archive of one file of zeros with what is at its start, deflated without ever being held. */
function zeros(name: string, size: number, start = Buffer.alloc(0)): Buffer {
  const octal = (value: number, width: number) => value.toString(8).padStart(width, '0');
  const header =
    `070707${octal(0, 6)}${octal(1, 6)}${octal(0o100755, 6)}${octal(0, 6)}${octal(0, 6)}${octal(1, 6)}${octal(0, 6)}` +
    `${octal(0, 11)}${octal(name.length + 1, 6)}${octal(size, 11)}${name}\0`;
  const first = Buffer.concat([Buffer.from(header), start]);
  // One block of zeros is deflated once and repeated; the stream is cut off, which nobody gets to see.
  const block = deflateRawBlock(4 * MIB);
  const parts = [Buffer.from('1f8b0800000000000003', 'hex'), deflateRawOf(first)];
  for (let done = 0; done < size; done += 4 * MIB) parts.push(block);
  return Buffer.concat(parts);
}

/** zlib's stream without its header and end, flushed to a byte, so that another may follow. */
function deflateRawOf(data: Buffer): Buffer {
  const whole = deflateSync(data, { finishFlush: 2 }); // Z_SYNC_FLUSH
  return whole.subarray(2);
}
const deflateRawBlock = (size: number) => deflateRawOf(Buffer.alloc(size));

const numbered = (count: number, make: (index: number) => PayloadEntry[]) =>
  Array.from({ length: count }, (_, index) => make(index)).flat();

/** Every way to make a small file cost much that somebody thought of. */
export const BOMBS: readonly Bomb[] = [
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
    name: 'a program of 90 MiB',
    make: () => payload([file('./tool', Buffer.concat([PROGRAM, Buffer.alloc(90 * MIB)]), 0o755)]),
  },
  {
    name: '20,000 bundles beside each other',
    make: () => {
      const info = '<plist><dict><key>CFBundleExecutable</key><string>a</string></dict></plist>';
      const bundles = numbered(20_000, (index) => {
        const root = `./A.app/Contents/PlugIns/${index}.bundle`;
        const folders = [root, `${root}/Contents`, `${root}/Contents/MacOS`].map((path) => directory(path));
        return [
          ...folders,
          file(`${root}/Contents/Info.plist`, info),
          file(`${root}/Contents/MacOS/a`, PROGRAM, 0o755),
        ];
      });
      const above = ['./A.app', './A.app/Contents', './A.app/Contents/PlugIns'].map((path) => directory(path));
      return payload([...above, ...bundles]);
    },
    limit: /slices of code and packages|entries/,
  },
  {
    name: '60 bundles inside each other',
    make: () => {
      const entries: PayloadEntry[] = [];
      let root = '.';
      for (let depth = 0; depth < 60; depth++) {
        root += depth === 0 ? '/A.b' : '/Contents/A.b';
        entries.push(directory(root), directory(`${root}/Contents`));
        entries.push(file(`${root}/Contents/Info.plist`, '<plist><dict/></plist>'));
        entries.push(
          directory(`${root}/Contents/_CodeSignature`),
          file(`${root}/Contents/_CodeSignature/CodeResources`, ''),
        );
      }
      return payload(entries);
    },
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
    name: '1,000,000 entries',
    make: () => payload(numbered(1_000_000, (index) => [file(`./${index}`, '')])),
    limit: /entries/,
  },
  {
    name: 'TOC, 2,000,000 elements',
    make: async () => sealXar(`<xar><toc>${'<a/>'.repeat(1_900_000)}</toc></xar>`),
    limit: /elements/,
  },
  {
    name: 'TOC, 1,000,000 attributes',
    make: async () => {
      const attributes = Array.from({ length: 1_000_000 }, (_, index) => `a${index}=""`);
      return sealXar(
        `<xar><toc ${attributes
          .join(' ')
          .slice(0, 8 * MIB - 64)
          .replace(/ [^ ]*$/, '')}/></xar>`,
      );
    },
    limit: /attributes/,
  },
  { name: 'TOC, 8 MiB of text', make: async () => sealXar(`<xar><toc><a>${'x'.repeat(8 * MIB - 64)}</a></toc></xar>`) },
  { name: 'TOC of 100 MiB', make: async () => sealXar(`<xar>${' '.repeat(100 * MIB)}</xar>`), limit: /TOC of at most/ },
  {
    name: '6,000 components',
    make: () =>
      archive(
        Array.from({ length: 6000 }, (_, index) => xarDirectory(`${index}.pkg`, [deflatedFile('PackageInfo', INFO())])),
      ),
    limit: /components/,
  },
  {
    name: 'PackageInfo, 100,000 elements inside each other',
    make: () => component([], INFO('<a>'.repeat(100_000) + '</a>'.repeat(100_000))),
    limit: /inside each other/,
  },
  {
    name: 'PackageInfo of 200 MiB',
    make: () => component([], Buffer.concat([INFO(), Buffer.alloc(200 * MIB, ' ')])),
    limit: /bytes/,
  },
  {
    name: 'CodeResources, 1,000,000 elements',
    make: () => {
      const many = `<plist><dict>${'<key>a</key><string/>'.repeat(500_000)}</dict></plist>`;
      const folders = ['./A.app', './A.app/Contents', './A.app/Contents/_CodeSignature'].map((path) => directory(path));
      return payload([
        ...folders,
        file(
          './A.app/Contents/Info.plist',
          '<plist><dict><key>CFBundleExecutable</key><string>a</string></dict></plist>',
        ),
        file('./A.app/Contents/_CodeSignature/CodeResources', many),
      ]);
    },
    limit: /elements/,
  },
  {
    name: 'Bom of 2,000,000 blocks',
    make: () => {
      const count = 2_000_000;
      const bom = Buffer.alloc(512 + 4 + count * 8 + 4 + 16);
      bom.write('BOMStore', 0);
      for (const [at, value] of [1, 0, 512, 4 + count * 8 + 4, bom.length - 16, 16].entries())
        bom.writeUInt32BE(value, 8 + at * 4);
      bom.writeUInt32BE(count, 512);
      return archive([
        deflatedFile('Bom', bom),
        deflatedFile('PackageInfo', INFO()),
        storedFile('Payload', gzipSync(Buffer.alloc(0))),
      ]);
    },
    limit: /blocks/,
  },
  {
    name: 'a signature of 1,000,000 bytes of nested ASN.1',
    make: () => {
      const nested = Buffer.alloc(1_000_000, Buffer.from('3080', 'hex'));
      const layout = layoutXar([deflatedFile('PackageInfo', INFO())], {
        creationTime: 0,
        signatures: [{ style: 'CMS', size: nested.length, certificates: [] }],
      });
      return collect(emitXar(layout, [nested]));
    },
  },
  {
    name: '60,000 links of a bundle',
    make: async () => {
      const links = numbered(60_000, (index) => [
        { ...directory(`./A.app/Contents/Resources/${index}`), kind: 'symlink' as const, target: `../x${index}` },
      ]);
      const folders = ['./A.app', './A.app/Contents', './A.app/Contents/_CodeSignature', './A.app/Contents/Resources'];
      return payload([
        ...folders.map((path) => directory(path)),
        file(
          './A.app/Contents/Info.plist',
          '<plist><dict><key>CFBundleExecutable</key><string>a</string></dict></plist>',
        ),
        file('./A.app/Contents/_CodeSignature/CodeResources', '<plist><dict><key>files2</key><dict/></dict></plist>'),
        ...links,
      ]);
    },
  },
];
