import { type Check, CheckList } from '../base/check.ts';
import { PipelineError } from '../base/errors.ts';
import { beyond, entriesOf, LIMITS } from '../base/input/limits.ts';
import { accessBuffer } from '../base/random-access.ts';
import type { SliceFacts } from '../code-signature/verify/verify-slice.ts';
import { cpioEntries, type OpenComponent, type OpenPackage, openPackage } from '../package/open-package.ts';
import type { XarMember } from '../xar/toc.ts';
import { type CheckInnerPackage, checkCode, type ReadTree } from './code.ts';
import type { PackageExpectations } from './expectations.ts';
import { checkPackageInfo } from './metadata.ts';
import { checkNoPayload, checkPayload } from './payload.ts';
import { checkNoScripts, checkScripts, readScripts, type ScriptText } from './scripts.ts';
import { type PayloadPath, Tree } from './tree.ts';

/** A component, checked, and what a policy is held against. */
export interface CheckedComponent {
  readonly checks: readonly Check[];
  /** Of all code, in payload, scripts and packages among them. */
  readonly slices: readonly SliceFacts[];
  readonly installLocation: string;
  /** Undefined when there is no payload or it cannot be read. */
  readonly paths: readonly PayloadPath[] | undefined;
  readonly scripts: readonly ScriptText[];
}

/** Where a component lies. */
export interface ComponentPlace {
  /** In the checks' subjects. */
  readonly name: string;
  /** Packages that its package lies in. */
  readonly depth: number;
  /** Whether a script brings its package. */
  readonly fromScripts: boolean;
  /** When the package was signed, by a trusted timestamp. */
  readonly signedAt: Date | undefined;
}

/**
 * Checks a component: payload, PackageInfo, scripts, every piece of code in both, and packages among their files.
 */
export async function checkComponent(
  component: OpenComponent,
  opened: OpenPackage,
  expectations: PackageExpectations,
  place: ComponentPlace,
): Promise<CheckedComponent> {
  const list = new CheckList(place.name);
  const slices: SliceFacts[] = [];
  const within = { list, opened, expectations, slices, place };
  const { payload, scripts } = component;
  const tree = newTree(opened);
  if (!payload) checkNoPayload(list, opened, component);
  const isRead =
    payload !== undefined &&
    (await checkPayload(list, cpioEntries(opened.archive, payload), component, tree, expectations));
  const paths = isRead ? tree.paths : undefined;
  checkPackageInfo(list, component, paths, expectations.ours);
  if (payload && isRead) await checkFiles(within, tree, payload, 'payload');
  const scriptTree = newTree(opened);
  const read = scripts && (await readScripts(list, cpioEntries(opened.archive, scripts), scriptTree, component.info));
  if (!scripts) checkNoScripts(list, component, expectations);
  if (scripts && read) {
    checkScripts(list, read, component, { payload: paths, signedAt: place.signedAt }, expectations);
    const inScripts = { ...within, place: { ...place, fromScripts: true } };
    await checkFiles(inScripts, scriptTree, scripts, 'Scripts archive');
  }
  const installLocation = component.info.installLocation ?? '/';
  return { checks: list.checks, slices, installLocation, paths, scripts: read?.texts ?? [] };
}

interface Within {
  readonly list: CheckList;
  readonly opened: OpenPackage;
  readonly expectations: PackageExpectations;
  readonly slices: SliceFacts[];
  readonly place: ComponentPlace;
}

const newTree = ({ archive }: OpenPackage) => new Tree(entriesOf(archive.access.size));

/** Checks what a tree means to different readers, and its code. */
async function checkFiles(within: Within, tree: Tree, member: XarMember, name: ReadTree['name']): Promise<void> {
  const { list, opened, expectations, slices, place } = within;
  list.check('one-meaning', tree.conflicts, metadataRemark(tree));
  const packageSize = opened.archive.access.size;
  const read: ReadTree = {
    name,
    tree,
    fromScripts: place.fromScripts,
    packageSize,
    spend: (bytes, cost) => opened.archive.budget?.spend(bytes, cost),
    again: () => cpioEntries(opened.archive, member),
  };
  const found = await checkCode(list, read, expectations, innerPackageCheck(within));
  slices.push(...found);
}

function metadataRemark({ metadata, signedByAttributes }: Tree): string[] {
  if (metadata.size === 0) return [];
  const signed =
    signedByAttributes.size > 0 ? `; ${signedByAttributes.size} hold signatures, which are not supported` : '';
  return [`${metadata.size} AppleDouble files are the metadata of others${signed}`];
}

/** A package among the files is installed by a script, without anybody asking Gatekeeper: what it holds is checked like the rest. */
function innerPackageCheck(within: Within): CheckInnerPackage {
  const { list, expectations, slices, place } = within;
  return async (path, data) => {
    const name = `${place.name}/${path}`;
    const own = new CheckList(name);
    try {
      if (place.depth >= LIMITS.packageDepth) throw beyond(path, 'packages inside each other', LIMITS.packageDepth);
      const opened = await openPackage(accessBuffer(data), within.opened.archive.budget);
      own.pass('package-contents');
      for (const component of opened.components) {
        const inner = component.folder === '' ? name : `${name}/${component.folder}`;
        const checked = await checkComponent(component, opened, expectations, {
          ...place,
          name: inner,
          depth: place.depth + 1,
        });
        own.add(checked.checks);
        slices.push(...checked.slices);
      }
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      own.fail('package-contents', error.message);
    }
    list.add(own.checks);
  };
}
