import type { CheckList } from '../base/check.ts';
import { FormatError } from '../base/errors.ts';
import type { CpioEntry } from '../cpio/read.ts';
import { isFat } from '../macho/fat.ts';
import { isMacho } from '../macho/macho.ts';
import { comparePayload, type PayloadFacts } from '../package/compare-payload.ts';
import { payloadCounters } from '../package/counters.ts';
import { cpioEntries, type OpenComponent, type OpenPackage } from '../package/open-package.ts';
import type { PayloadEntry } from '../tree/entry.ts';
import { isExact, type OurForm, type PackageExpectations } from './expectations.ts';

/** One entry of a payload, as the archive has it. */
export interface PayloadPath {
  /** `.` or `./a/b` */
  readonly path: string;
  readonly kind: PayloadEntry['kind'];
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whether it is a Mach-O file, by its first bytes. */
  readonly code: boolean;
}

const SETUID = 0o6000;
const WRITABLE_BY_OTHERS = 0o002;
/** Bytes that tell what a file is. */
const HEAD_SIZE = 8;

/**
 * Reads a component's payload whole and judges it against its Bom: paths, kinds, modes, owners, times, sizes, checksums, counters.
 *
 * @returns the entries; undefined when there is no payload or it cannot be read
 */
export async function judgePayload(
  list: CheckList,
  { archive }: OpenPackage,
  component: OpenComponent,
  expectations: PackageExpectations,
): Promise<readonly PayloadPath[] | undefined> {
  const { payload, bom } = component;
  if (!payload) {
    if (component.info.payload.numberOfFiles > 0)
      list.fail('bom-payload', 'PackageInfo names files, but there is no Payload');
    else list.skip('bom-payload', 'the component has no payload');
    return undefined;
  }
  if (!bom) list.fail('bom-payload', 'there is a Payload, but no Bom');
  const paths: PayloadPath[] = [];
  try {
    const facts = await comparePayload(observe(cpioEntries(archive, payload), paths), bom?.records);
    if (bom) list.judge('bom-payload', facts.differences);
    judgeCounters(list, component, facts, isExact(expectations));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    if (error.code === 'PAYLOAD_UNSUPPORTED') list.skip('bom-payload', error.message);
    else list.fail('bom-payload', error.message);
    return undefined;
  }
  judgeOwners(list, paths, expectations.ours);
  return paths;
}

/** Passes entries on and notes what each of them is. */
async function* observe(entries: AsyncIterable<CpioEntry>, seen: PayloadPath[]): AsyncGenerator<CpioEntry> {
  for await (const entry of entries) {
    const { path, kind, mode } = entry;
    const { uid, gid } = entry.header;
    const head: Buffer[] = [];
    let size = 0;
    const data = tap(entry.data, (chunk) => {
      if (size < HEAD_SIZE) head.push(Buffer.from(chunk.subarray(0, HEAD_SIZE)));
      size += chunk.length;
    });
    yield { ...entry, data };
    const start = Buffer.concat(head);
    seen.push({ path, kind, mode, uid, gid, code: kind === 'file' && looksLikeCode(start) });
  }
}

async function* tap(chunks: AsyncIterable<Buffer>, see: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    see(chunk);
    yield chunk;
  }
}

/** Java class files begin like universal binaries; their next word is a version from 45 on, where slices are counted. */
function looksLikeCode(head: Buffer): boolean {
  if (head.length < HEAD_SIZE) return false;
  return isMacho(head) || (isFat(head) && head.readUInt32BE(4) < 45);
}

/** The two numbers Installer shows and reserves space by. */
function judgeCounters(list: CheckList, { info, bom }: OpenComponent, facts: PayloadFacts, exact: boolean): void {
  const { numberOfFiles, installKBytes } = info.payload;
  const counted = bom && payloadCounters(bom.records);
  const problems = [
    numberOfFiles !== facts.entries && `PackageInfo counts ${numberOfFiles} files, the payload has ${facts.entries}`,
    counted &&
      installKBytes !== counted.installKBytes &&
      `PackageInfo says ${installKBytes} KiB, the Bom adds up to ${counted.installKBytes}`,
  ].filter((problem) => typeof problem === 'string');
  if (problems.length === 0) list.pass('payload-counters');
  // Other makers count in other ways (without the root, without folders); it only changes what Installer shows.
  else if (exact) list.fail('payload-counters', problems.join('; '));
  else list.pass('payload-counters', problems.join('; '));
}

function judgeOwners(list: CheckList, paths: readonly PayloadPath[], ours: OurForm | null): void {
  if (ours) {
    list.judge(
      'owners-modes',
      paths.flatMap((entry) => ownProblems(entry, ours)),
    );
    const wrong = paths
      .filter(({ path }) => !ours.payload.has(inside(path)))
      .map(({ path }) => `${path} does not belong into it`);
    const missing = [...ours.payload.keys()].filter((path) => !paths.some((entry) => inside(entry.path) === path));
    list.judge('payload-paths', [...wrong, ...missing.map((path) => `${path} is missing`)]);
    return;
  }
  const strange = paths.flatMap(({ path, kind, mode }) => [
    ...((mode & SETUID) !== 0 ? [`${path} is set-user-ID or set-group-ID`] : []),
    ...(kind !== 'symlink' && (mode & WRITABLE_BY_OTHERS) !== 0 ? [`everybody may write to ${path}`] : []),
  ]);
  list.pass('owners-modes', strange.length > 0 ? strange.join('; ') : undefined);
}

const inside = (path: string) => path.replace(/^\.\//, '');

function ownProblems({ path, kind, mode, uid, gid }: PayloadPath, { owner, payload }: OurForm): (string | false)[] {
  const expected = payload.get(inside(path));
  return [
    (uid !== owner.uid || gid !== owner.gid) && `${path} belongs to ${uid}:${gid}, expected ${owner.uid}:${owner.gid}`,
    kind === 'symlink' && `${path} is a symbolic link`,
    expected !== undefined && mode !== expected && `${path} has mode ${octal(mode)}, expected ${octal(expected)}`,
  ];
}

const octal = (mode: number) => mode.toString(8).padStart(4, '0');
