import { fromBuffer } from '../../src/base/bytes.ts';
import type { BomRecord } from '../../src/bom/bom.ts';
import { decodeBom } from '../../src/bom/decode.ts';
import { encodeBom } from '../../src/bom/encode.ts';
import type { PayloadEntry } from '../../src/tree/entry.ts';
import type { Mutation } from './outcome.ts';
import { assemble, changeEntry, changeFile, packScripts, type Sample } from './sample.ts';

/** Changes of Bom, PackageInfo, Distribution and scripts in a package that was signed again. */
export function metadataMutations(sample: Sample): Mutation[] {
  return [...bomCases(sample), ...infoCases(), ...distributionCases(), ...scriptCases()];
}

function bomCases({ parts }: Sample): Mutation[] {
  const { records } = decodeBom(parts.bom);
  const changed = (
    what: string,
    change: (records: readonly BomRecord[]) => readonly BomRecord[],
    region = 'Bom',
  ): Mutation => ({
    region,
    what,
    expected: ['bom-payload', 'package-contents'],
    make: (sample) => assemble(sample, { bom: encodeBom(change(records)) }),
  });
  const one = (record: BomRecord, what: string, change: Partial<BomRecord>): Mutation =>
    changed(`${what} of ${record.path}`, (all) => all.map((each) => (each === record ? { ...each, ...change } : each)));
  return records.flatMap((record) => [
    one(record, 'mode', { mode: record.mode ^ 0o020 }),
    one(record, 'owner', { uid: 501 }),
    one(record, 'group', { gid: 20 }),
    one(record, 'time', { mtimeSeconds: record.mtimeSeconds + 1 }),
    ...(record.kind === 'file'
      ? [
          one(record, 'size', { size: record.size + 1 }),
          one(record, 'checksum', { cksum: ((record.cksum ?? 0) ^ 1) >>> 0 }),
        ]
      : []),
    ...(record.kind === 'file'
      ? [changed(`${record.path} missing`, (all) => all.filter((each) => each !== record))]
      : []),
    ...(record.architectures
      ? [
          one(record, 'slice checksum', {
            architectures: record.architectures.map((slice, at) =>
              at === 0 ? { ...slice, cksum: (slice.cksum ^ 1) >>> 0 } : slice,
            ),
          }),
        ]
      : []),
  ]);
}

type Part = 'packageInfo' | 'distribution';

/** Replaces text in one of the two documents; fails when the text is not there. */
function edit(region: string, part: Part, expected: string[], from: string | RegExp, to: string): Mutation {
  return {
    region,
    what: `${from} becomes ${to || 'nothing'}`,
    expected,
    make(sample) {
      const text = sample.parts[part].toString();
      const changed = text.replace(from, to);
      if (changed === text) throw new Error(`${part} does not hold ${from}`);
      return assemble(sample, { [part]: Buffer.from(changed) });
    },
  };
}

function infoCases(): Mutation[] {
  const info = (from: string | RegExp, to: string, ...expected: string[]) =>
    edit('PackageInfo', 'packageInfo', expected, from, to);
  return [
    info(/ identifier="[^"]*"/, ' identifier="com.example.other"', 'package-info'),
    info(/ version="[^"]*"(?= format)/, ' version="9.9.9"', 'package-info'),
    info(/install-location="[^"]*"/, 'install-location="/"', 'package-info'),
    info(/install-location="[^"]*"/, '', 'package-info'),
    info('auth="root"', 'auth="none"', 'package-info'),
    info('overwrite-permissions="true"', 'overwrite-permissions="false"', 'package-info'),
    info('relocatable="false"', 'relocatable="true"', 'package-info'),
    info('postinstall-action="none"', 'postinstall-action="restart"', 'package-info'),
    info(/numberOfFiles="\d+"/, 'numberOfFiles="1"', 'payload-counters'),
    info(/installKBytes="\d+"/, 'installKBytes="1"', 'payload-counters'),
    info(/<bundle path="[^"]*"/, '<bundle path="./Other.bundle"', 'package-info'),
    info(/CFBundleShortVersionString="[^"]*"/, 'CFBundleShortVersionString="0.1"', 'package-info'),
    info(/<upgrade-bundle>.*<\/upgrade-bundle>/s, '<upgrade-bundle/>', 'package-info'),
    info('<relocate/>', '<relocate><bundle id="com.netflix.Escrow-Buddy"/></relocate>', 'package-info'),
    info(
      '<bundle-version/>',
      '<bundle-version><bundle id="com.netflix.Escrow-Buddy"/></bundle-version>',
      'package-info',
    ),
    info('<strict-identifier/>', '<strict-identifier><bundle id="x"/></strict-identifier>', 'package-info'),
    info(/<preinstall [^>]*\/>/, '', 'scripts'),
    info(/<postinstall [^>]*\/>/, '', 'scripts'),
    info('./postinstall', './other', 'scripts'),
    info('</pkg-info>', '', 'package-contents'),
    info('<pkg-info', '<pkg-other', 'package-contents'),
  ];
}

function distributionCases(): Mutation[] {
  const document = (from: string | RegExp, to: string, ...expected: string[]) =>
    edit('Distribution', 'distribution', expected, from, to);
  return [
    document(/#com\.netflix\.Escrow-Buddy\.pkg/, '#other.pkg', 'distribution'),
    document(/#com\.netflix\.Escrow-Buddy\.pkg/, '', 'distribution'),
    document(/<product [^>]*\/>/, '', 'distribution'),
    document(/<product id="[^"]*"/, '<product id="com.example.other"', 'distribution'),
    document(/(<product [^>]*version=)"[^"]*"/, '$1"9.9"', 'distribution'),
    document('customize="never"', 'customize="allow"', 'distribution'),
    document('rootVolumeOnly="true"', 'rootVolumeOnly="false"', 'distribution'),
    document(/hostArchitectures="[^"]*"/, 'hostArchitectures="x86_64"', 'host-architectures'),
    document(/hostArchitectures="[^"]*"/, '', 'host-architectures'),
    document('10.14.4', '10.15', 'distribution'),
    document(/<os-version [^>]*\/>/, '', 'distribution'),
    document(/(<pkg-ref [^>]*version=)"[^"]*"/, '$1"9.9"', 'distribution'),
    document(/installKBytes="\d+"/, 'installKBytes="1"', 'distribution'),
    document('<choice id="default"', '<choice id="other"', 'distribution'),
    document('</installer-gui-script>', '<script>system.run("x")</script></installer-gui-script>', 'distribution'),
    document('</installer-gui-script>', '<pkg-ref id="x">#x.pkg</pkg-ref></installer-gui-script>', 'distribution'),
    document('<installer-gui-script', '<installer-other', 'package-contents'),
  ];
}

function scriptCases(): Mutation[] {
  const scripts = (
    what: string,
    change: (entries: readonly PayloadEntry[]) => readonly PayloadEntry[] | Promise<readonly PayloadEntry[]>,
  ): Mutation => ({
    region: 'Scripts',
    what,
    expected: ['scripts'],
    make: async (sample) => assemble(sample, { scripts: await packScripts(await change(sample.scripts)) }),
  });
  const without = (path: string) => (entries: readonly PayloadEntry[]) =>
    entries.filter((entry) => entry.path !== path);
  const common = { mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 1_700_000_000 };
  return ['./preinstall', './postinstall', './guard.sh']
    .flatMap((path) => [
      scripts(`${path} removed`, without(path)),
      scripts(`${path} not executable`, (entries) =>
        changeEntry(entries, path, (entry) => ({ ...entry, mode: 0o644 })),
      ),
      scripts(`${path} belongs to a user`, (entries) =>
        changeEntry(entries, path, (entry) => ({ ...entry, uid: 501 })),
      ),
      scripts(`${path} writable by all`, (entries) =>
        changeEntry(entries, path, (entry) => ({ ...entry, mode: 0o777 })),
      ),
      scripts(`${path} without #!`, (entries) => changeFile(entries, path, (content) => content.subarray(2))),
    ])
    .concat([
      scripts('a script added', (entries) => [
        ...entries,
        { ...common, kind: 'file', path: './other.sh', source: fromBuffer(Buffer.from('#!/bin/sh\n')) },
      ]),
      scripts('postinstall becomes a link', (entries) =>
        changeEntry(entries, './postinstall', () => ({
          ...common,
          kind: 'symlink',
          path: './postinstall',
          target: '/tmp/x',
        })),
      ),
    ]);
}
