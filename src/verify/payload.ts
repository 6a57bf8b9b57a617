import type { CheckList } from '../base/check.ts';
import { FormatError } from '../base/errors.ts';
import type { CpioEntry } from '../cpio/read.ts';
import { comparePayload, type PayloadFacts } from '../package/compare-payload.ts';
import { payloadCounters } from '../package/counters.ts';
import type { OpenComponent, OpenPackage } from '../package/open-package.ts';
import { findMember } from '../xar/read.ts';
import { isExact, type OurForm, type PackageExpectations } from './expectations.ts';
import { type PayloadPath, relativePath, type Tree } from './tree.ts';

const SETUID = 0o6000;
const WRITABLE_BY_OTHERS = 0o002;

/**
 * Reads a component's payload whole and checks it against its Bom: paths, kinds, modes, owners, times, sizes, checksums, counters.
 *
 * @param tree is filled while the payload is read
 * @returns whether it could be read
 */
export async function checkPayload(
  list: CheckList,
  entries: AsyncIterable<CpioEntry>,
  component: OpenComponent,
  tree: Tree,
  expectations: PackageExpectations,
): Promise<boolean> {
  const { bom } = component;
  if (!bom) list.fail('bom-payload', 'there is a Payload, but no Bom');
  try {
    const facts = await comparePayload(tree.observe(entries), bom?.records);
    if (bom) list.check('bom-payload', facts.differences);
    checkCounters(list, component, facts, isExact(expectations));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    if (error.code === 'PAYLOAD_UNSUPPORTED') list.skip('bom-payload', error.message);
    else list.fail('bom-payload', error.message);
    return false;
  }
  checkOwners(list, tree.paths, expectations.ours);
  return true;
}

/** Checks a component without a Payload. */
export function checkNoPayload(list: CheckList, { archive }: OpenPackage, { folder, info }: OpenComponent): void {
  const id = 'bom-payload';
  // pkgbuild --large-payload, for files from 8 GiB on.
  const segmented = findMember(archive, folder === '' ? 'LargeSegmentedPayload' : `${folder}/LargeSegmentedPayload`);
  if (segmented) list.skip(id, 'a LargeSegmentedPayload is not supported');
  else if (info.payload.numberOfFiles > 0) list.fail(id, 'PackageInfo names files, but there is no Payload');
  else list.skip(id, 'the component has no payload');
}

/** The two numbers Installer shows and reserves space by. */
function checkCounters(list: CheckList, { info, bom }: OpenComponent, facts: PayloadFacts, exact: boolean): void {
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

function checkOwners(list: CheckList, paths: readonly PayloadPath[], ours: OurForm | null): void {
  if (ours) {
    list.check(
      'owners-modes',
      paths.flatMap((entry) => ownProblems(entry, ours)),
    );
    const there = new Set(paths.map(({ path }) => placeOf(path)));
    const wrong = [...there].filter((path) => !ours.payload.has(path)).map((path) => `${path} does not belong in it`);
    const missing = [...ours.payload.keys()].filter((path) => !there.has(path)).map((path) => `${path} is missing`);
    list.check('payload-paths', [...wrong, ...missing]);
    return;
  }
  const strange = paths.flatMap(({ path, kind, mode }) => [
    ...((mode & SETUID) !== 0 ? [`${path} is set-user-ID or set-group-ID`] : []),
    ...(kind !== 'symlink' && (mode & WRITABLE_BY_OTHERS) !== 0 ? [`everybody may write to ${path}`] : []),
  ]);
  list.check('owners-modes', [], strange);
}

const placeOf = (path: string) => relativePath(path) || '.';

function ownProblems({ path, kind, mode, uid, gid }: PayloadPath, { owner, payload }: OurForm): (string | false)[] {
  const expected = payload.get(placeOf(path));
  return [
    (uid !== owner.uid || gid !== owner.gid) && `${path} belongs to ${uid}:${gid}, expected ${owner.uid}:${owner.gid}`,
    kind === 'symlink' && `${path} is a symbolic link`,
    expected !== undefined && mode !== expected && `${path} has mode ${octal(mode)}, expected ${octal(expected)}`,
  ];
}

const octal = (mode: number) => mode.toString(8).padStart(4, '0');
