import { gunzipSync, gzipSync } from 'node:zlib';
import { fromBuffer } from '../../src/base/bytes.ts';
import { ODC_HEADER } from '../../src/cpio/header.ts';
import type { PayloadEntry } from '../../src/tree/entry.ts';
import { assemble, changeEntry, contentOf, packScripts, type Sample, withPayload } from '../mutation/sample.ts';
import type { Attack } from './attack.ts';
import { withArchive, withMember } from './rebuild.ts';

type Part = 'payload' | 'scripts';
const TRAILER = 'TRAILER!!!\0';

/** Hostile archives in a package of ours: what is installed and what is run. */
export function treeAttacks(): Attack[] {
  return [
    ...(['payload', 'scripts'] as const).flatMap((part) => [...headers(part), ...shapes(part), ...wrappings(part)]),
    ...trees(),
  ];
}

function attack(part: Part, name: string, expect: RegExp, make: (sample: Sample) => Promise<Buffer>): Attack {
  return {
    name: `${part === 'payload' ? 'Payload' : 'Scripts'}: ${name}`,
    on: 'ours',
    expect,
    make: ({ ours }) => make(ours),
  };
}

/** The last entry's header: that of a file which the package installs or runs. */
function headerAt(archive: Buffer, part: Part): number {
  const name = part === 'payload' ? './Escrow Buddy.bundle/Contents/Info.plist\0' : './guard.sh\0';
  return archive.indexOf(name) - ODC_HEADER.size;
}

function headers(part: Part): Attack[] {
  const field = (name: 'dev' | 'ino' | 'nlink' | 'rdev' | 'mtime' | 'uid' | 'gid', value: number) =>
    attack(part, `${name} of a header changed`, new RegExp(`field ${name}|belongs to|uid|gid|mtime`), (sample) =>
      withArchive(sample, part, (archive) => {
        const copy = Buffer.from(archive);
        const { offset, width } = ODC_HEADER.fields.find((each) => each.name === name)!;
        copy.write(value.toString(8).padStart(width, '0'), headerAt(copy, part) + offset, 'latin1');
        return copy;
      }),
    );
  return [
    field('dev', 1),
    field('ino', 9),
    field('nlink', 2),
    field('rdev', 7),
    field('mtime', 1),
    field('uid', 501),
    field('gid', 20),
  ];
}

function shapes(part: Part): Attack[] {
  const change = (name: string, expect: RegExp, edit: (archive: Buffer) => Buffer) =>
    attack(part, name, expect, (sample) => withArchive(sample, part, edit));
  const entry = (archive: Buffer) => {
    const start = headerAt(archive, part);
    const { nameSize, fileSize } = ODC_HEADER.decode(archive, start);
    return { start, end: start + ODC_HEADER.size + nameSize + fileSize };
  };
  const trailerAt = (archive: Buffer) => archive.lastIndexOf(TRAILER) - ODC_HEADER.size;
  const insert = (archive: Buffer, at: number, bytes: Buffer) =>
    Buffer.concat([archive.subarray(0, at), bytes, archive.subarray(at)]);
  return [
    change('an entry there twice', /is there twice|Repeated|repeated|twice/, (archive) => {
      const { start, end } = entry(archive);
      return pad(insert(archive, trailerAt(archive), archive.subarray(start, end)));
    }),
    change('an entry at another place', /field ino|in the (name|header) of/, (archive) => {
      const { start, end } = entry(archive);
      const without = Buffer.concat([archive.subarray(0, start), archive.subarray(end)]);
      return insert(without, trailerAt(without), archive.subarray(start, end));
    }),
    change('a block of zeros more', /trailer and its padding|the end/, (archive) =>
      Buffer.concat([archive, Buffer.alloc(512)]),
    ),
    change('bytes in the padding', /zeros|padding/, (archive) => {
      const copy = Buffer.from(archive);
      copy[copy.length - 1] = 1;
      return copy;
    }),
    change('a second archive behind the trailer', /zeros|padding/, (archive) => Buffer.concat([archive, archive])),
    change('numbers in the trailer', /trailer/, (archive) => {
      const copy = Buffer.from(archive);
      copy.write('000007', trailerAt(copy) + 24, 'latin1');
      return copy;
    }),
    change('a name without ./', /in the (name|header) of|field nameSize/, (archive) => {
      const { start, end } = entry(archive);
      const { nameSize } = ODC_HEADER.decode(archive, start);
      const header = ODC_HEADER.encode({ ...ODC_HEADER.decode(archive, start), nameSize: nameSize - 2 });
      const rest = archive.subarray(start + ODC_HEADER.size + 2, end);
      return pad(Buffer.concat([archive.subarray(0, start), header, rest, archive.subarray(end)]));
    }),
  ];
}

/** Cuts the old padding off and pads to whole blocks again. */
function pad(archive: Buffer): Buffer {
  const end = archive.lastIndexOf(TRAILER) + TRAILER.length;
  return Buffer.concat([archive.subarray(0, end)], Math.ceil(end / 512) * 512);
}

/** The same archive, wrapped in another way. */
function wrappings(part: Part): Attack[] {
  const change = (name: string, expect: RegExp, edit: (member: Buffer) => Buffer) =>
    attack(part, name, expect, (sample) => withMember(sample, part, edit));
  const headerByte = (at: number, value: number) => (member: Buffer) => {
    const copy = Buffer.from(member);
    copy[at] = value;
    return copy;
  };
  return [
    change('a time in the gzip header', /gzip header/, headerByte(4, 1)),
    change('a level in the gzip header', /gzip header/, headerByte(8, 2)),
    change('another system in the gzip header', /gzip header/, headerByte(9, 7)),
    change('a name in the gzip header', /gzip header|flags/i, (member) =>
      Buffer.concat([
        member.subarray(0, 3),
        Buffer.from([8]),
        member.subarray(4, 10),
        Buffer.from('x\0'),
        member.subarray(10),
      ]),
    ),
    change('a second gzip member', /one gzip member/, (member) => Buffer.concat([member, gzipSync('')])),
    change('bytes behind the gzip member', /one gzip member/, (member) => Buffer.concat([member, Buffer.from('x')])),
    change('not compressed', /gzip|magic/i, (member) => gunzipSync(member)),
  ];
}

type Entries = readonly PayloadEntry[];
const COMMON = { mode: 0o755, uid: 0, gid: 0 };

function trees(): Attack[] {
  const scripts = (name: string, expect: RegExp, change: (entries: Entries) => Entries | Promise<Entries>) =>
    attack('scripts', name, expect, async (sample) =>
      assemble(sample, { scripts: await packScripts(await change(sample.scripts)) }),
    );
  const payload = (name: string, expect: RegExp, change: (entries: Entries) => Entries) =>
    attack('payload', name, expect, (sample) => withPayload(sample, change(sample.payload)));
  const time = (entries: Entries) => entries[0]?.mtimeSeconds ?? 0;
  const file = (entries: Entries, path: string, text = '#!/bin/sh\n'): PayloadEntry => ({
    ...COMMON,
    mtimeSeconds: time(entries),
    kind: 'file',
    path,
    source: fromBuffer(Buffer.from(text)),
  });
  const root = (fields: Partial<Pick<PayloadEntry, 'mode' | 'uid' | 'mtimeSeconds'>>) => (entries: Entries) =>
    changeEntry(entries, '.', (entry) => ({ ...entry, ...fields }));
  return [
    scripts('one more, which nothing names', /\.\/helper does not belong/, (entries) => [
      ...entries,
      file(entries, './helper'),
    ]),
    scripts('one that old Installers run', /\.\/preflight does not belong/, (entries) => [
      ...entries,
      file(entries, './preflight'),
    ]),
    scripts('a folder', /\.\/lib does not belong/, (entries) => [
      ...entries,
      { ...COMMON, mtimeSeconds: time(entries), kind: 'directory', path: './lib' },
    ]),
    scripts('a link', /\.\/link does not belong/, (entries) => [
      ...entries,
      { ...COMMON, mtimeSeconds: time(entries), kind: 'symlink', path: './link', target: 'postinstall' },
    ]),
    scripts('two with each other’s content', /is another script/, async (entries) => {
      const [one, other] = [await contentOf(entries, './preinstall'), await contentOf(entries, './postinstall')];
      const put = (path: string, content: Buffer) => (all: Entries) =>
        changeEntry(all, path, (entry) => ({ ...entry, source: fromBuffer(content) }) as PayloadEntry);
      return put('./postinstall', one)(put('./preinstall', other)(entries));
    }),
    scripts('their folder writable by all', /header of \., field mode/, root({ mode: 0o777 })),
    scripts('their folder belongs to a user', /header of \., field uid/, root({ uid: 501 })),
    scripts('their folder of another time', /header of \., field mtime/, root({ mtimeSeconds: 1 })),
    payload('its folder of another time', /header of \., field mtime/, root({ mtimeSeconds: 1 })),
    payload('metadata of a file beside it', /\._Escrow Buddy\.bundle does not belong/, (entries) => [
      ...entries,
      file(entries, './._Escrow Buddy.bundle', 'x'),
    ]),
    payload('a second bundle', /Other\.bundle does not belong/, (entries) => [
      ...entries,
      { ...COMMON, mtimeSeconds: time(entries), kind: 'directory', path: './Other.bundle' },
    ]),
  ];
}
