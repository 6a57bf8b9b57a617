import { fromBuffer } from '../../src/base/bytes.ts';
import type { PayloadEntry } from '../../src/tree/entry.ts';
import type { Mutation } from './outcome.ts';
import { assemble, changeEntry, changeFile, payloadParts, type Sample, withPayload } from './sample.ts';

const BUNDLE = './Escrow Buddy.bundle';
const COMMON = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 1_700_000_000 };

/** Changes of what is laid down. Bom, counters, checksums and the package's signature are made anew, by default. */
export function payloadMutations(sample: Sample): Mutation[] {
  return [...sample.payload.flatMap(entryCases), ...additions(), ...others(), ...contentCases(sample)];
}

type Change = (entries: readonly PayloadEntry[]) => readonly PayloadEntry[] | Promise<readonly PayloadEntry[]>;

function repacked(region: string, what: string, expected: string[], change: Change): Mutation {
  return { region, what, expected, make: async (sample) => withPayload(sample, await change(sample.payload)) };
}

/** The payload alone is changed, its Bom is the old one. */
function unlisted(what: string, change: Change): Mutation {
  return {
    region: 'payload against Bom',
    what,
    expected: ['bom-payload'],
    async make(sample) {
      const { payload } = await payloadParts(sample, await change(sample.payload));
      return assemble(sample, { payload: payload as Buffer });
    },
  };
}

function entryCases({ path, mode, kind }: PayloadEntry): Mutation[] {
  const owners = ['owners-modes'];
  const change =
    (fields: Partial<Pick<PayloadEntry, 'mode' | 'uid' | 'gid' | 'mtimeSeconds'>>) =>
    (entries: readonly PayloadEntry[]) =>
      changeEntry(entries, path, (entry) => ({ ...entry, ...fields }));
  return [
    repacked('modes and owners', `${path} writable by all`, owners, change({ mode: mode | 0o022 })),
    repacked('modes and owners', `${path} set-user-ID`, owners, change({ mode: mode | 0o4000 })),
    repacked('modes and owners', `${path} readable by root alone`, owners, change({ mode: mode & 0o700 })),
    repacked('modes and owners', `${path} belongs to a user`, owners, change({ uid: 501 })),
    repacked('modes and owners', `${path} belongs to group staff`, owners, change({ gid: 20 })),
    unlisted(`${path} another mode`, change({ mode: mode ^ 0o001 })),
    unlisted(`${path} another time`, change({ mtimeSeconds: 1 })),
    ...(kind === 'file'
      ? [
          repacked('removed', path, ['payload-paths'], (entries) => entries.filter((entry) => entry.path !== path)),
          repacked('kind', `${path} becomes a link`, ['owners-modes'], (entries) =>
            changeEntry(entries, path, () => ({ ...COMMON, mode, kind: 'symlink', path, target: '/tmp/other' })),
          ),
          unlisted(`${path} one byte more`, (entries) =>
            changeFile(entries, path, (data) => Buffer.concat([data, Buffer.from('\n')])),
          ),
        ]
      : []),
  ];
}

function additions(): Mutation[] {
  const file = (path: string, mode = 0o644): PayloadEntry => ({
    ...COMMON,
    mode,
    kind: 'file',
    path,
    source: fromBuffer(Buffer.from('#!/bin/sh\n')),
  });
  const add = (path: string, expected: string[]) =>
    repacked('added', path, expected, (entries) => [...entries, file(path)]);
  return [
    add(`${BUNDLE}/Contents/Resources/other.sh`, ['seal-added', 'payload-paths']),
    add(`${BUNDLE}/Contents/MacOS/other`, ['seal-added', 'payload-paths']),
    add(`${BUNDLE}/Contents/other`, ['seal-added', 'payload-paths']),
    add(`${BUNDLE}/Contents/_CodeSignature/other`, ['bundle-places', 'payload-paths']),
    add(`${BUNDLE}/other`, ['bundle-places', 'payload-paths']),
    add(`${BUNDLE}/Contents/CodeResources`, ['payload-paths']),
    add('./other', ['payload-paths']),
    add('./._Escrow Buddy.bundle', ['payload-paths']),
    add(`${BUNDLE}/.DS_Store`, ['payload-paths']),
    repacked('added', 'a folder', ['payload-paths'], (entries) => [
      ...entries,
      { ...COMMON, mode: 0o755, kind: 'directory', path: './Folder' },
    ]),
    repacked('added', 'a link in Resources', ['payload-paths'], (entries) => [
      ...entries,
      { ...COMMON, mode: 0o755, kind: 'symlink', path: `${BUNDLE}/Contents/Resources/link`, target: 'status.sh' },
    ]),
  ];
}

function others(): Mutation[] {
  return [
    repacked('removed', 'the whole bundle', ['payload-paths'], (entries) => entries.filter(({ path }) => path === '.')),
    repacked('renamed', 'the bundle', ['payload-paths'], (entries) =>
      entries.map((entry) => ({ ...entry, path: entry.path.replace(BUNDLE, './escrow buddy.bundle') })),
    ),
    unlisted('a file added', (entries) => [
      ...entries,
      { ...COMMON, kind: 'file', path: './other', source: fromBuffer(Buffer.from('x')) },
    ]),
    unlisted('a file removed', (entries) => entries.filter(({ path }) => !path.endsWith('status.sh'))),
  ];
}

/** Content of every file but the executable, whose changes are a table of their own. */
function contentCases({ payload }: Sample): Mutation[] {
  const seal = ['seal-changed', 'bundle-info', 'code-slots', 'seal'];
  return payload
    .filter(({ kind, path }) => kind === 'file' && !path.includes('/MacOS/'))
    .flatMap(({ path }) =>
      [0.1, 0.5, 0.9].map((part) =>
        repacked('sealed files', `${path}, a byte at ${part * 100} %`, seal, (entries) =>
          changeFile(entries, path, (data) => {
            const copy = Buffer.from(data);
            const at = Math.floor(data.length * part);
            copy[at] = (copy[at] as number) === 0x41 ? 0x42 : 0x41;
            return copy;
          }),
        ),
      ),
    );
}
