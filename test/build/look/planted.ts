import { gunzipSync, gzipSync } from 'node:zlib';
import type { PayloadEntry } from '../../../src/tree/entry.ts';
import { deflatedFile } from '../../../src/xar/write.ts';
import { assemble, changeEntry, changeFile, withGap } from '../../mutation/sample.ts';
import { usualSignature } from '../../mutation/signing.ts';
import { BOM } from './planted-bom.ts';
import { CODE, PROGRAM, SIGNATURES, SLICES } from './planted-code.ts';
import {
  extra,
  flipAt,
  inArchive,
  inDistribution,
  inFile,
  inInfo,
  inPayload,
  inScripts,
  inToc,
  type Plants,
  replaced,
} from './plants.ts';

const RESOURCES = './Escrow Buddy.bundle/Contents/Resources';

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
  'a script of another group': [
    /script .\/guard.sh belongs to 0:20/,
    inScripts((entries) => changeEntry(entries, './guard.sh', (entry) => ({ ...entry, gid: 20 }))),
  ],
  'a script that is there twice': [
    /a script is there twice/,
    async ({ sample }) => {
      const archive = gunzipSync(sample.parts.scripts);
      // Size of the first entry's name, and of its contents. Source: cpio(5), old character format.
      const [name, size] = [archive.toString('latin1', 59, 65), archive.toString('latin1', 65, 76)];
      const first = archive.subarray(0, 76 + Number.parseInt(name, 8) + Number.parseInt(size, 8));
      return assemble(sample, { scripts: gzipSync(Buffer.concat([first, archive])) });
    },
  ],
  'a folder of scripts that all may write': [
    /script . has mode 40777, not 40755/,
    inScripts((entries) => changeEntry(entries, '.', (entry) => ({ ...entry, mode: 0o777 }))),
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
  'another group': [
    /belongs to 0:20/,
    inPayload((entries) => changeEntry(entries, PROGRAM, (entry) => ({ ...entry, gid: 20 }))),
  ],
  'no Info.plist': [
    /cannot be read to its end: XML that is cut off/,
    inPayload((entries) => entries.filter(({ path }) => !path.endsWith('Info.plist'))),
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
  'a value of another type': [
    /Info.plist: CFBundleName is {"integer":"Escrow Buddy"}, the sources make "Escrow Buddy"/,
    inFile('./Escrow Buddy.bundle/Contents/Info.plist', (data) =>
      replaced(data, /(<key>CFBundleName<\/key>\s*)<string>(.*)<\/string>/, '$1<integer>$2</integer>'),
    ),
  ],
  'one key less in Info.plist': [
    /Info.plist: CFBundleName is undefined/,
    inFile('./Escrow Buddy.bundle/Contents/Info.plist', (data) =>
      replaced(data, /<key>CFBundleName<\/key>\s*<string>.*<\/string>/, ''),
    ),
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
  'one element more at the end': [
    /Distribution, line \d+: " <strings> ", the sources make "nothing"/,
    inDistribution('</installer-gui-script>', '<strings/></installer-gui-script>'),
  ],
  'one element less at the end': [
    /Distribution, line \d+: "nothing", the sources make " <pkg-ref /,
    inDistribution(/<pkg-ref [^>]*>#[^<]*<\/pkg-ref>\s*(?=<\/installer-gui-script>)/, ''),
  ],
  'a Distribution that is cut off': [/XML that is cut off/, inDistribution('</installer-gui-script>', '')],
  'a Distribution of two elements': [/XML that is cut off/, inDistribution(/$/, '<installer-gui-script/>')],
  'an element that closes another': [
    /XML closes domain that is not open/,
    inDistribution('<domains', '</domain><domains'),
  ],
  'a text that is no XML': [/XML that is not plain: <options =/, inDistribution('<options', '<options =""')],
  'an older macOS allowed': [/Distribution, line/, inDistribution('min="10.14.4"', 'min="10.9"')],
};

const ARCHIVE: Plants = {
  'one member more': [
    /member Resources is not one/,
    ({ sample }) =>
      assemble(sample, {}, usualSignature(sample.authority), { top: [deflatedFile('Resources', Buffer.from('x'))] }),
  ],
  'an unknown part of the archive': [/an unknown part: acl/, inToc('<toc>', '<toc><acl/>')],
  'an unknown part of a member': [/has an unknown part: ea/, inToc('<type>file</type>', '<type>file</type><ea/>')],
  'a member that is a link': [/member .* is a symlink/, inToc('<type>file</type>', '<type>symlink</type>')],
  'a member that is there twice': [
    /member Distribution is there twice/,
    inToc(/<file id="\d+">(?:(?!<file )[\s\S])*?<name>Distribution<[\s\S]*?<\/file>/, '$&$&'),
  ],
  'another digest of the table of contents': [
    /the table of contents has another digest/,
    inArchive(flipAt((file) => 28 + Number(file.readBigUInt64BE(8)))),
  ],
  'an archive of another kind': [/this is not a xar archive/, inArchive(flipAt(() => 0))],
  'a longer header': [/this is not a xar archive/, inArchive(flipAt(() => 5))],
  'the letters of a ticket too early': [
    /17 bytes follow the archive/,
    inArchive((file) => Buffer.concat([file, Buffer.from(`t8lr${'x'.repeat(13)}`)])),
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
  'a payload that is no archive': [
    /Payload is not a cpio archive at 0/,
    ({ sample }) => assemble(sample, { payload: gzipSync(Buffer.from('070702')) }),
  ],
  'a file by two names': [
    /payload .*Info.plist has 2 names/,
    async ({ sample }) => {
      const archive = gunzipSync(sample.parts.payload);
      // Where the number of links stands. Source: cpio(5), old character format.
      archive.write('000002', archive.lastIndexOf('070707', archive.indexOf('Contents/Info.plist')) + 36, 'latin1');
      return assemble(sample, { payload: gzipSync(archive) });
    },
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
