import { gzipSync } from 'node:zlib';
import { encodeBom } from '../../../src/bom/encode.ts';
import { bomRecords } from '../../../src/bom/payload-records.ts';
import type { PayloadEntry } from '../../../src/tree/entry.ts';
import { deflatedFile, storedFile } from '../../../src/xar/write.ts';
import { directory, file } from '../../support/payload.ts';
import { archive, type Bomb, component, INFO, numbered, PROGRAM, payload } from './kit.ts';

/** Archives and Boms of very many entries, very long names, and circles. */
export function treeBombs(): Bomb[] {
  return [...bundleBombs(), ...entryBombs(), ...bomBombs()];
}

function bundleBombs(): Bomb[] {
  return [
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
      name: '20,000 bundles, 20 inside each other',
      make: () => {
        const info = '<plist><dict/></plist>';
        const bundles = numbered(1000, (index) => {
          let root = `./${index}.b`;
          return Array.from({ length: 20 }, () => {
            const entries = [
              directory(root),
              directory(`${root}/Contents`),
              file(`${root}/Contents/Info.plist`, info),
              directory(`${root}/Contents/_CodeSignature`),
              file(`${root}/Contents/_CodeSignature/CodeResources`, info),
            ];
            root += '/Contents/a.b';
            return entries;
          }).flat();
        });
        return payload(bundles);
      },
      limit: /entries/,
    },
    {
      name: '55,000 links of a bundle',
      make: async () => {
        const links = numbered(55_000, (index) => [
          { ...directory(`./A.app/Contents/Resources/${index}`), kind: 'symlink' as const, target: `../x${index}` },
        ]);
        const folders = [
          './A.app',
          './A.app/Contents',
          './A.app/Contents/_CodeSignature',
          './A.app/Contents/Resources',
        ];
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
}

/** Folders inside each other, with names no other entry shares. */
const deepPath = (index: number, depth: number) => `./${index}${'/a'.repeat(depth)}`;

function entryBombs(): Bomb[] {
  return [
    {
      name: '1,000,000 entries',
      make: () => component([storedFile('Payload', gzipSync(undeclared(1_000_000, (index) => `./${index}`)))]),
      limit: /entries/,
    },
    {
      name: '55,000 entries, each in 480 folders of its own',
      make: () => component([storedFile('Payload', gzipSync(undeclared(55_000, (index) => deepPath(index, 480))))]),
      limit: /bytes of paths/,
    },
    {
      name: '55,000 entries with names of 1,000 bytes',
      make: () =>
        component([storedFile('Payload', gzipSync(undeclared(55_000, (index) => `./${'X'.repeat(990)}${index}`)))]),
      limit: /bytes of paths/,
    },
    {
      name: '55,000 links of 1,000 bytes, held to a policy',
      make: () =>
        payload(
          numbered(55_000, (index) => [
            { ...directory(`./${index}`), kind: 'symlink' as const, target: `${'a/'.repeat(490)}${index + 1}` },
          ]),
        ),
      policy: true,
      limit: /bytes of paths/,
    },
    {
      name: '55,000 links that lead to each other, held to a policy',
      make: () =>
        payload(
          numbered(55_000, (index) => [
            { ...directory(`./${index}`), kind: 'symlink' as const, target: `${index + 1}` },
          ]),
        ),
      policy: true,
      limit: /links whose ends/,
    },
  ];
}

/** Returns an archive of empty files whose folders have no entries. */
function undeclared(count: number, nameOf: (index: number) => string): Buffer {
  const octal = (value: number, width: number) => value.toString(8).padStart(width, '0');
  const parts: string[] = [];
  const entry = (name: string, mode: number, ino: number) =>
    parts.push(
      `070707${octal(0, 6)}${octal(ino, 6)}${octal(mode, 6)}${octal(0, 12)}${octal(1, 6)}${octal(0, 17)}` +
        `${octal(name.length + 1, 6)}${octal(0, 11)}${name}\0`,
    );
  for (let index = 0; index < count; index++) entry(nameOf(index), 0o100644, index + 1);
  entry('TRAILER!!!', 0, 0);
  const data = Buffer.from(parts.join(''));
  return Buffer.concat([data], Math.ceil(data.length / 512) * 512);
}

const withBom = (bom: Buffer) =>
  archive([
    deflatedFile('Bom', bom),
    deflatedFile('PackageInfo', INFO()),
    storedFile('Payload', gzipSync(Buffer.alloc(0))),
  ]);
const bomOf = (entries: readonly PayloadEntry[]) => encodeBom(bomRecords([directory('.'), ...entries], new Map()));
const link = (path: string): PayloadEntry => ({ ...directory(path), kind: 'symlink', target: 'x' });

/** Returns a Bom with a word of one of its blocks changed. */
function changed(bom: Buffer, block: number, at: number, value: number): Buffer {
  const copy = Buffer.from(bom);
  const index = copy.readUInt32BE(16);
  copy.writeUInt32BE(value, copy.readUInt32BE(index + 4 + block * 8) + at);
  return copy;
}

function bomBombs(): Bomb[] {
  return [
    {
      name: 'Bom of 1,500,000 blocks',
      make: () => {
        const count = 1_500_000;
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
      name: 'Bom of 400,000 paths, 70 MiB',
      make: () => withBom(bomOf(numbered(400_000, (index) => [directory(`./${index}`)]))),
      limit: /bytes/,
    },
    {
      name: 'Bom of 60,000 paths',
      make: () => withBom(bomOf(numbered(60_000, (index) => [directory(`./${index}`)]))),
    },
    {
      name: 'Bom of 30,000 paths of 4,000 bytes',
      make: () => {
        const folders = numbered(15, (index) => [directory(`.${`/${'a'.repeat(250)}`.repeat(index + 1)}`)]);
        const deep = `.${`/${'a'.repeat(250)}`.repeat(15)}`;
        return withBom(bomOf([...folders, ...numbered(30_000, (index) => [link(`${deep}/${index}`)])]));
      },
    },
    {
      name: 'Bom whose tree leads back to itself',
      make: () => {
        const bom = bomOf(numbered(600, (index) => [directory(`./${index}`)]));
        return withBom(changed(bom, 3, 12, 3)); // the first child of the root of Paths is that root
      },
      limit: /block 3 once/,
    },
    {
      name: 'Bom whose folders hold each other',
      make: () => {
        const bom = bomOf([directory('./a'), directory('./a/b'), directory('./a/b/c')]);
        return withBom(changed(bom, 15, 0, 3));
      },
      limit: /folders hold each other/,
    },
  ];
}
