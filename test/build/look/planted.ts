import { gunzipSync, gzipSync } from 'node:zlib';
import { fromBuffer } from '../../../src/base/bytes.ts';
import type { PayloadEntry } from '../../../src/tree/entry.ts';
import { deflatedFile } from '../../../src/xar/write.ts';
import {
  assemble,
  changeEntry,
  changeFile,
  packScripts,
  type Sample,
  withGap,
  withPayload,
} from '../../mutation/sample.ts';
import { usualSignature } from '../../mutation/signing.ts';
import { BOM } from './planted-bom.ts';

/** Path of the program in the payload. */
export const PROGRAM = './Escrow Buddy.bundle/Contents/MacOS/Escrow Buddy';
const RESOURCES = './Escrow Buddy.bundle/Contents/Resources';

/** The package that differences are planted in. */
export interface Ground {
  readonly sample: Sample;
  readonly epoch: string;
}

/** Returns a package with one difference, signed anew: outside, nothing is wrong with it. */
export type Plant = (ground: Ground) => Promise<Buffer>;
const replaced = (text: Buffer, from: string | RegExp, to: string) => {
  const changed = text.toString().replace(from, to);
  if (changed === text.toString()) throw new Error(`nothing to replace: ${from}`);
  return Buffer.from(changed);
};
const inPayload =
  (change: (entries: readonly PayloadEntry[]) => PayloadEntry[] | Promise<PayloadEntry[]>): Plant =>
  async ({ sample }) =>
    withPayload(sample, await change(sample.payload));
const inFile = (path: string, change: (data: Buffer) => Buffer): Plant =>
  inPayload((entries) => changeFile(entries, path, change));
const inScripts =
  (change: (entries: readonly PayloadEntry[]) => PayloadEntry[] | Promise<PayloadEntry[]>): Plant =>
  async ({ sample }) =>
    assemble(sample, { scripts: await packScripts(await change(sample.scripts)) });
const inInfo =
  (from: string | RegExp, to: string): Plant =>
  ({ sample }) =>
    assemble(sample, { packageInfo: replaced(sample.parts.packageInfo, from, to) });
const inDistribution =
  (from: string | RegExp, to: string): Plant =>
  ({ sample }) =>
    assemble(sample, { distribution: replaced(sample.parts.distribution, from, to) });
const extra = (path: string, mode = 0o755, content = '#!/bin/sh\n') => ({
  kind: 'file' as const,
  path,
  mode,
  uid: 0,
  gid: 0,
  mtimeSeconds: 0,
  source: fromBuffer(Buffer.from(content)),
});

/** Offsets of the slices in the universal file. */
const sliceAt = (program: Buffer, index: number) => ({
  offset: program.readUInt32BE(16 + index * 20),
  size: program.readUInt32BE(20 + index * 20),
});
const flipAt = (place: (program: Buffer) => number) => (program: Buffer) => {
  const copy = Buffer.from(program);
  const at = place(copy);
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
};
/** A byte of machine code: the first one of the section __text, a little way in. */
const textOf = (index: number) => (program: Buffer) => {
  const { offset } = sliceAt(program, index);
  const name = program.indexOf('__text\0', offset);
  return offset + program.readUInt32LE(name + 48) + 40;
};
const signatureOf = (program: Buffer, index: number) =>
  program.indexOf(Buffer.from('fade0cc0', 'hex'), sliceAt(program, index).offset);

/** Differences by what they are: the words of the finding, and how to make them. */
type Plants = Readonly<Record<string, readonly [RegExp, Plant]>>;

const CODE: Plants = {
  'a byte of x86_64 code': [/code of x86_64: byte/, inFile(PROGRAM, flipAt(textOf(0)))],
  'a byte of arm64 code': [/code of arm64: byte/, inFile(PROGRAM, flipAt(textOf(1)))],
  'a bit of a Mach-O header': [
    /code of x86_64: byte/,
    inFile(
      PROGRAM,
      flipAt((p) => sliceAt(p, 0).offset + 24),
    ),
  ],
};

const SLICES: Plants = {
  'slices exchanged': [
    /slices are arm64, x86_64/,
    inFile(PROGRAM, (p) => Buffer.concat([p.subarray(0, 8), p.subarray(28, 48), p.subarray(8, 28), p.subarray(48)])),
  ],
  'one slice left out': [
    /slices are x86_64, not/,
    inFile(PROGRAM, (p) => {
      const copy = Buffer.from(p);
      copy.writeUInt32BE(1, 4);
      return copy;
    }),
  ],
  'a slice of another processor': [
    /slices are x86_64, processor 12/,
    inFile(PROGRAM, (p) => {
      const copy = Buffer.from(p);
      copy.writeUInt32BE(12, 28);
      return copy;
    }),
  ],
  'bytes behind the program': [
    /bytes follow the program/,
    inFile(PROGRAM, (p) => Buffer.concat([p, Buffer.from('x')])),
  ],
  'bytes between slices': [
    /does not lie where it should/,
    inFile(
      PROGRAM,
      flipAt((p) => sliceAt(p, 0).offset - 3),
    ),
  ],
};

const SIGNATURES: Plants = {
  'entitlements in a signature': [
    /signature of x86_64 has the parts 0, 5, 65536/,
    inFile(PROGRAM, (p) => {
      const copy = Buffer.from(p);
      copy.writeUInt32BE(5, signatureOf(copy, 0) + 20);
      return copy;
    }),
  ],
  'bytes behind a signature': [
    /bytes follow the signature of arm64/,
    inFile(
      PROGRAM,
      flipAt((p) => sliceAt(p, 1).offset + sliceAt(p, 1).size - 1),
    ),
  ],
};

const SCRIPTS: Plants = {
  'a letter of postinstall': [
    /script .\/postinstall, line/,
    inScripts((entries) =>
      changeFile(entries, './postinstall', (data) =>
        replaced(data, 'register_bundle || exit 1', 'register_bundle || exit 0'),
      ),
    ),
  ],
  'a line behind preinstall': [
    /script .\/preinstall, line/,
    inScripts((entries) =>
      changeFile(entries, './preinstall', (data) => Buffer.concat([data, Buffer.from('/tmp/x\n')])),
    ),
  ],
  'another value in a script': [
    /script .\/guard.sh, line .*loginwindow:done/,
    inScripts((entries) =>
      changeFile(entries, './guard.sh', (data) => replaced(data, /^ANCHOR=.*$/m, "ANCHOR='loginwindow:login'")),
    ),
  ],
  'a script writable by all': [
    /script .\/postinstall has mode 100777/,
    inScripts((entries) => changeEntry(entries, './postinstall', (entry) => ({ ...entry, mode: 0o777 }))),
  ],
  'one script more': [/script .\/preflight is not one/, inScripts((entries) => [...entries, extra('./preflight')])],
  'one script less': [
    /script .\/guard.sh is missing/,
    inScripts((entries) => entries.filter(({ path }) => path !== './guard.sh')),
  ],
};

const TREE: Plants = {
  'a letter of a script in the bundle': [
    /payload .*status.sh, line/,
    inFile(`${RESOURCES}/status.sh`, (data) => replaced(data, 'exit 0', 'exit 1')),
  ],
  'a file in the bundle that runs as root': [
    /uninstall.sh has mode 104755/,
    inPayload((entries) => changeEntry(entries, `${RESOURCES}/uninstall.sh`, (entry) => ({ ...entry, mode: 0o4755 }))),
  ],
  'one file more': [
    /payload .*extra.sh is not one/,
    inPayload((entries) => [...entries, extra(`${RESOURCES}/extra.sh`)].sort(byPath)),
  ],
  'one bundle more': [
    /payload .\/Other.bundle is not one/,
    inPayload((entries) =>
      [
        ...entries,
        {
          kind: 'directory' as const,
          path: './Other.bundle',
          mode: 0o755,
          uid: 0,
          gid: 0,
          mtimeSeconds: 0,
        },
      ].sort(byPath),
    ),
  ],
  'one file less': [
    /AuthDBTeardown.sh is missing/,
    inPayload((entries) => entries.filter(({ path }) => !path.endsWith('AuthDBTeardown.sh'))),
  ],
  'another owner': [
    /belongs to 501:0/,
    inPayload((entries) => changeEntry(entries, PROGRAM, (entry) => ({ ...entry, uid: 501 }))),
  ],
  'another time': [
    /has the time 1,/,
    inPayload((entries) => changeEntry(entries, PROGRAM, (entry) => ({ ...entry, mtimeSeconds: 1 }))),
  ],
  'a link in the place of a script': [
    /status.sh has mode 120755/,
    inPayload((entries) =>
      changeEntry(
        entries,
        `${RESOURCES}/status.sh`,
        (entry) => ({ ...extra(entry.path), kind: 'symlink', target: '/tmp/x' }) as PayloadEntry,
      ),
    ),
  ],
};

const INFO_PLIST: Plants = {
  'another value in Info.plist': [
    /Info.plist: LSMinimumSystemVersion/,
    inFile('./Escrow Buddy.bundle/Contents/Info.plist', (data) => replaced(data, '10.14.4', '10.15')),
  ],
  'one key more in Info.plist': [
    /Info.plist: LSEnvironment/,
    inFile('./Escrow Buddy.bundle/Contents/Info.plist', (data) =>
      replaced(data, '<dict>', '<dict><key>LSEnvironment</key><dict><key>A</key><string>b</string></dict>'),
    ),
  ],
};

const SEAL: Plants = {
  'a file that the seal leaves out': [
    /CodeResources has other rules/,
    inFile('./Escrow Buddy.bundle/Contents/_CodeSignature/CodeResources', (data) =>
      replaced(data, '<key>^PkgInfo$</key>', '<key>^PkgInf.$</key>'),
    ),
  ],
  'another digest in the seal': [
    /CodeResources, line/,
    inFile('./Escrow Buddy.bundle/Contents/_CodeSignature/CodeResources', (data) =>
      replaced(data, /[A-Za-z0-9+/]{26}=\n/, `${'A'.repeat(26)}=\n`),
    ),
  ],
};

const PACKAGE_INFO: Plants = {
  'another place to install to': [
    /PackageInfo, line 1/,
    inInfo('install-location="/Library/Security/SecurityAgentPlugins"', 'install-location="/"'),
  ],
  'a bundle that may be moved': [
    /PackageInfo, line/,
    inInfo('<relocate/>', '<relocate><bundle id="com.netflix.Escrow-Buddy"/></relocate>'),
  ],
  'a script that PackageInfo adds': [
    /PackageInfo, line/,
    inInfo('<scripts>', '<scripts><preflight file="./preinstall"/>'),
  ],
  'a restart after installing': [
    /PackageInfo, line 1/,
    inInfo('postinstall-action="none"', 'postinstall-action="restart"'),
  ],
};

const DISTRIBUTION: Plants = {
  'JavaScript in the Distribution': [
    /Distribution, line/,
    inDistribution('<choice id="default"/>', '<script>system.run("/tmp/x")</script><choice id="default"/>'),
  ],
  'an older macOS allowed': [/Distribution, line/, inDistribution('min="10.14.4"', 'min="10.9"')],
};

const ARCHIVE: Plants = {
  'one member more': [
    /member Resources is not one/,
    ({ sample }) =>
      assemble(sample, {}, usualSignature(sample.authority), { top: [deflatedFile('Resources', Buffer.from('x'))] }),
  ],
  'bytes in a gap of the archive': [/bytes that belong to nothing/, ({ sample }) => withGap(sample)],
  'bytes behind the archive': [
    /bytes follow the archive/,
    async ({ sample }) => Buffer.concat([sample.file, Buffer.from('more')]),
  ],
};

const STREAMS: Plants = {
  'a second archive behind the payload': [
    /more than one gzip member/,
    async ({ sample }) =>
      assemble(sample, { payload: Buffer.concat([sample.parts.payload, gzipSync(Buffer.from('more'))]) }),
  ],
  'bytes behind the end of the payload': [
    /Payload has bytes behind its end/,
    async ({ sample }) =>
      assemble(sample, { payload: gzipSync(Buffer.concat([gunzipSync(sample.parts.payload), Buffer.from('more')])) }),
  ],
};

const byPath = (a: PayloadEntry, b: PayloadEntry) => (a.path < b.path ? -1 : 1);

/** By the part of the package that they are in. */
export const PLANTED: Readonly<Record<string, Plants>> = {
  code: CODE,
  slices: SLICES,
  signatures: SIGNATURES,
  scripts: SCRIPTS,
  tree: TREE,
  'Info.plist': INFO_PLIST,
  seal: SEAL,
  PackageInfo: PACKAGE_INFO,
  Distribution: DISTRIBUTION,
  archive: ARCHIVE,
  streams: STREAMS,
  Bom: BOM,
};
