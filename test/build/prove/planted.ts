import { fromBuffer } from '../../../src/base/bytes.ts';
import { gzipMember } from '../../../src/cpio/gzip.ts';
import { writeCpio } from '../../../src/cpio/write.ts';
import { slicesOf } from '../../../src/macho/fat.ts';
import { parseMacho } from '../../../src/macho/macho.ts';
import { listSymbols } from '../../../src/macho/symbols.ts';
import type { PayloadEntry } from '../../../src/tree/entry.ts';
import {
  assemble,
  changeEntry,
  changeFile,
  collect,
  contentOf,
  flip,
  packScripts,
  payloadParts,
  type Sample,
  withGap,
  withPayload,
} from '../../mutation/sample.ts';

/** A difference that somebody put into a package that they could sign, and the words that must name it. */
export interface Planted {
  readonly what: string;
  /** Those of a kind are found by the same comparison. */
  readonly kind: string;
  readonly id: string;
  readonly words: RegExp;
  make(sample: Sample): Promise<Buffer> | Buffer;
}

const BUNDLE = './Escrow Buddy.bundle';
const EXECUTABLE = `${BUNDLE}/Contents/MacOS/Escrow Buddy`;

const inTree = (
  what: string,
  words: RegExp,
  change: (entries: readonly PayloadEntry[]) => Promise<PayloadEntry[]>,
) => ({
  what,
  kind: 'tree',
  id: 'rebuilt-tree',
  words,
  make: async (sample: Sample) => withPayload(sample, await change(sample.payload)),
});

const inFile = (path: string, what: string, words: RegExp, change: (content: Buffer) => Buffer): Planted => ({
  ...inTree(`${path}: ${what}`, words, (entries) => changeFile(entries, path, change)),
  kind: 'file',
});

const replaced = (from: string | RegExp, to: string) => (content: Buffer) => {
  const text = content.toString();
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`${from} is not there`);
  return Buffer.from(changed);
};

/** Places in a slice by the name that a finding must have, as the file itself lists them. */
export async function codePlants(sample: Sample): Promise<Planted[]> {
  const program = await contentOf(sample.payload, EXECUTABLE);
  return slicesOf(program).flatMap((slice) => {
    const macho = parseMacho(slice);
    const base = slice.byteOffset - program.byteOffset;
    const text = macho.segments.find(({ name }) => name === '__TEXT')!;
    const of = (kind: string, what: string, words: RegExp, at: number): Planted => ({
      ...inFile(EXECUTABLE, `${macho.architecture}, ${what}`, words, (data) => flip(data, base + at)),
      kind: `${kind} of ${macho.architecture}`,
    });
    const sections = macho.segments
      .flatMap(({ name, sections: list }) => list.map((section) => ({ ...section, segment: name })))
      .filter(({ fileOffset, size }) => fileOffset > 0 && size > 0)
      .map(({ segment, name, fileOffset, size }) =>
        of(
          'section',
          `${segment},${name}`,
          new RegExp(`${macho.architecture}, ${segment},${name}, byte ${size - 1}[ :]`),
          fileOffset + size - 1,
        ),
      );
    const code = text.sections.find(({ name }) => name === '__text')!;
    const symbols = listSymbols(slice, macho)
      .filter(({ defined, address }) => {
        const at = Number(address - text.vmAddress);
        return defined && at >= code.fileOffset && at < code.fileOffset + code.size;
      })
      .slice(0, 3)
      .map(({ name, address }) =>
        of(
          'symbol',
          `the symbol ${name}`,
          new RegExp(`${macho.architecture}, __TEXT,__text, byte \\d+ \\(${name}\\+0x2\\)`),
          Number(address - text.vmAddress) + 2,
        ),
      );
    return [...sections, ...symbols];
  });
}

const add = (entry: PayloadEntry) => async (entries: readonly PayloadEntry[]) => [...entries, entry];

/** Differences in the files of the payload and what archives say of them. */
const PAYLOAD: readonly Planted[] = [
  inFile(
    `${BUNDLE}/Contents/Info.plist`,
    'another version',
    /Info\.plist, line \d+, .*9\.9\.9/,
    replaced('1.1.0', '9.9.9'),
  ),
  inFile(
    `${BUNDLE}/Contents/Resources/AuthDBSetup.sh`,
    'a line more',
    /AuthDBSetup\.sh, line 2, .*: expected .*, found "touch/,
    replaced('\n', '\ntouch /tmp/x\n'),
  ),
  inFile(`${BUNDLE}/Contents/Resources/status.sh`, 'a byte less', /status\.sh, line \d+/, (data) =>
    data.subarray(0, -1),
  ),
  inFile(`${BUNDLE}/Contents/Resources/uninstall.sh`, 'empty', /uninstall\.sh, line 1, byte 0/, () => Buffer.alloc(0)),
  inFile(
    `${BUNDLE}/Contents/_CodeSignature/CodeResources`,
    'another digest',
    /CodeResources, line \d+/,
    replaced(/[A-Za-z0-9+/]{40}/, 'A'.repeat(40)),
  ),
  inTree('a setuid bit', /Escrow Buddy: mode 4755, expected 0755/, async (entries) =>
    changeEntry(entries, EXECUTABLE, (entry) => ({ ...entry, mode: 0o4755 })),
  ),
  inTree('another owner', /Info\.plist: owner 501:20, expected 0:0/, async (entries) =>
    changeEntry(entries, `${BUNDLE}/Contents/Info.plist`, (entry) => ({ ...entry, uid: 501, gid: 20 })),
  ),
  inTree('another time', /Info\.plist: time 1, expected \d+/, async (entries) =>
    changeEntry(entries, `${BUNDLE}/Contents/Info.plist`, (entry) => ({ ...entry, mtimeSeconds: 1 })),
  ),
  inTree('a world-writable folder', /Contents: mode 0777, expected 0755/, async (entries) =>
    changeEntry(entries, `${BUNDLE}/Contents`, (entry) => ({ ...entry, mode: 0o777 })),
  ),
  inTree(
    'one file more',
    /\.\/extra does not belong in it/,
    add({
      kind: 'file',
      path: './extra',
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtimeSeconds: 0,
      source: fromBuffer(Buffer.from('x')),
    }),
  ),
  inTree('one file less', /status\.sh is missing/, async (entries) =>
    entries.filter(({ path }) => !path.endsWith('/status.sh')),
  ),
  inTree('a link in place of a file', /status\.sh: kind symlink, expected file/, async (entries) =>
    changeEntry(entries, `${BUNDLE}/Contents/Resources/status.sh`, (entry) => {
      const { path, mode, uid, gid, mtimeSeconds } = entry;
      return { kind: 'symlink', path, mode, uid, gid, mtimeSeconds, target: '/tmp/x' };
    }),
  ),
  {
    what: 'another compression of the payload',
    kind: 'compression',
    id: 'rebuilt-compression',
    words: /Payload.*the same content in another compressed stream/,
    make: async (sample) =>
      assemble(sample, { payload: await collect(gzipMember(writeCpio(sample.payload), { level: 1 })) }),
  },
];

const inScript = (name: string, what: string, words: RegExp, change: (content: Buffer) => Buffer): Planted => ({
  what: `Scripts/${name}: ${what}`,
  kind: 'script',
  id: 'rebuilt-tree',
  words,
  make: async (sample) =>
    assemble(sample, { scripts: await packScripts(await changeFile(sample.scripts, `./${name}`, change)) }),
});

const SCRIPTS: readonly Planted[] = [
  inScript('preinstall', 'a command more', /preinstall, line \d+/, (data) =>
    Buffer.concat([data, Buffer.from('id\n')]),
  ),
  inScript(
    'postinstall',
    'another mechanism',
    /postinstall, line \d+, .*Elsewhere/,
    replaced('Invoke,privileged', 'Elsewhere,privileged'),
  ),
  inScript(
    'postinstall',
    'another requirement',
    /postinstall, line \d+, .*CODE_REQUIREMENT/,
    replaced(/CODE_REQUIREMENT='.*'/, "CODE_REQUIREMENT='anchor apple'"),
  ),
  inScript('guard.sh', 'a letter', /guard\.sh, line \d+/, replaced('then', 'them')),
];

const inDocument = (
  part: 'distribution' | 'packageInfo',
  what: string,
  words: RegExp,
  from: string | RegExp,
  to: string,
): Planted => ({
  what: `${part}: ${what}`,
  kind: part,
  id: 'rebuilt-document',
  words,
  make: (sample) => assemble(sample, { [part]: replaced(from, to)(sample.parts[part]) }),
});

const DOCUMENTS: readonly Planted[] = [
  inDocument('distribution', 'another title', /Distribution, byte \d+.*Escrow Body/, 'Escrow Buddy', 'Escrow Body'),
  inDocument('distribution', 'another oldest macOS', /Distribution, byte \d+/, /min="[\d.]+"/, 'min="10.9"'),
  inDocument('distribution', 'a comment', /Distribution, byte \d+/, '</installer', '<!-- x --></installer'),
  inDocument(
    'packageInfo',
    'a restart',
    /PackageInfo, byte \d+/,
    'postinstall-action="none"',
    'postinstall-action="restart"',
  ),
  inDocument(
    'packageInfo',
    'another place',
    /PackageInfo, byte \d+/,
    /install-location="[^"]*"/,
    'install-location="/tmp"',
  ),
  {
    what: 'Bom: a checksum',
    kind: 'Bom',
    id: 'rebuilt-document',
    words: /the Bom's record of .*Info\.plist: cksum \d+, expected \d+/,
    make: async (sample) => {
      const changed = await changeFile(sample.payload, `${BUNDLE}/Contents/Info.plist`, (data) => flip(data, 0));
      const { bom = Buffer.alloc(0) } = await payloadParts(sample, changed);
      return assemble(sample, { bom });
    },
  },
];

const ARCHIVE: readonly Planted[] = [
  {
    what: 'bytes between two members',
    kind: 'archive',
    id: 'rebuilt-toc',
    words: /table of contents, byte \d+/,
    make: withGap,
  },
];

export const PLANTED: readonly Planted[] = [...PAYLOAD, ...SCRIPTS, ...DOCUMENTS, ...ARCHIVE];
