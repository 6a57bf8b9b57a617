import { posix } from 'node:path';
import type { CheckList } from '../../base/check.ts';
import { type BundleEntry, CODE_RESOURCES_PATH, CONTENTS, INFO_PLIST_PATH } from '../bundle-entry.ts';
import {
  type CodeResources,
  matchesSeal,
  parseCodeResources,
  type SealedResource,
  sealable,
} from '../seal/code-resources.ts';
import { type ResourceRule, RULES_2, ruleFor } from '../seal/resource-rules.ts';

/** What was found when code inside of a bundle was judged by itself. */
export interface NestedCode {
  /** Relative to `Contents`. */
  readonly path: string;
  /** All cdhashes of all slices, hexadecimal; null when it could not be judged. */
  readonly cdHashes: readonly string[] | null;
  readonly designatedRequirement: string | null;
}

/** What may lie beside `Contents`. Source: Security-61901 bundlediskrep.cpp, `validateMetaDirectory` and `strictValidate`. */
const ALLOWED_AT_ROOT = ['.DS_Store', '.LSOverride', 'Icon\r', '.SoftwareDepot.tracking'];
/** What codesign may write into `_CodeSignature`. Source: Security-61901 bundlediskrep.cpp. */
const ALLOWED_IN_SIGNATURE = [
  'CodeResources',
  'CodeDirectory',
  'CodeRequirements',
  'CodeSignature',
  'CodeEntitlements',
];
const SIGNATURE_FOLDER = 'Contents/_CodeSignature/';

/** Judges where files lie: nothing beside `Contents`, nothing foreign among the signature's files, no path twice. */
export function judgePlaces(list: CheckList, entries: readonly BundleEntry[], executable: string | null): void {
  const paths = entries.map(({ path }) => path);
  const seen = new Set<string>();
  const twice = paths.filter((path) => seen.size === seen.add(path).size);
  const root = paths.filter((path) => !path.startsWith(CONTENTS) && !ALLOWED_AT_ROOT.includes(path));
  const foreign = entries.filter(
    (entry) =>
      entry.path.startsWith(SIGNATURE_FOLDER) &&
      (!('data' in entry) || !ALLOWED_IN_SIGNATURE.includes(entry.path.slice(SIGNATURE_FOLDER.length))),
  );
  const regular = [INFO_PLIST_PATH, ...(executable === null ? [] : [`${CONTENTS}MacOS/${executable}`])];
  list.judge('bundle-places', [
    ...twice.map((path) => `${path} is there twice`),
    ...root.map((path) => `${path} lies beside Contents`),
    ...foreign.map(({ path }) => `${path} does not belong to a signature`),
    ...regular.map((path) => !entries.some((entry) => entry.path === path && 'data' in entry) && `${path} is no file`),
  ]);
}

/**
 * Judges the files of a bundle against its CodeResources: added, removed and changed ones, links, nested code.
 *
 * @param entries all files of the bundle
 * @param nested what was found of the code that has signatures of its own
 * @see Security-61901 StaticCode.cpp, `validateResource` and `validateResources`
 */
export function judgeSeal(
  list: CheckList,
  entries: readonly BundleEntry[],
  executable: string,
  nested: readonly NestedCode[],
): void {
  const entry = entries.find(({ path }) => path === CODE_RESOURCES_PATH);
  if (!entry || !('data' in entry)) {
    list.fail('seal', 'no CodeResources: the resources are not sealed');
    return;
  }
  const seal = list.read('seal', () => parseCodeResources(entry.data));
  if (!seal) return;
  list.judge('seal', formProblems(seal));
  if (seal.files2 === null) return;
  const found = sealable(entries, executable);
  const sealed = seal.files2;
  list.judge('seal-added', addedProblems(found, sealed, seal.rules2, nested));
  list.judge('seal-removed', removedProblems(found, seal, nested));
  list.judge('seal-changed', changedProblems(found, seal));
  list.judge('seal-links', linkProblems(found, sealed, seal.rules2));
  list.judge('seal-nested', nestedProblems(sealed, nested));
}

/**
 * Returns the paths, relative to `Contents`, of code that a bundle's rules treat as nested: folders that are bundles, and files in
 * places for code alone.
 */
export function nestedPaths(entries: readonly BundleEntry[], executable: string): string[] {
  const found = new Set<string>();
  for (const { path, entry } of sealable(entries, executable)) {
    if ('symlink' in entry) continue;
    const folder = nestedFolder(path);
    if (folder !== null) found.add(folder);
    else if (ruleFor(path, RULES_2)?.kind === 'nested') found.add(path);
  }
  return [...found].sort();
}

/** codesign takes a folder with a dot in its name, in a place for nested code, as a bundle. Source: resources.cpp, `scan`. */
function nestedFolder(path: string): string | null {
  const names = path.split('/');
  for (let depth = 1; depth < names.length; depth++) {
    const folder = names.slice(0, depth).join('/');
    const isNested = ruleFor(folder, RULES_2)?.kind === 'nested' || ruleFor(`${folder}/`, RULES_2)?.kind === 'nested';
    if (depth > 1 && isNested && (names[depth - 1] ?? '').includes('.')) return folder;
  }
  return null;
}

function formProblems(seal: CodeResources): (string | false)[] {
  return [
    seal.files2 === null && 'only version 1: later systems refuse it',
    ...seal.foreignRules.map((pattern) => `a rule that codesign does not write: ${pattern}`),
    !seal.rules2.some(({ pattern }) => pattern === '^.*') && 'no rule ^.*',
  ];
}

type Found = readonly { readonly path: string; readonly entry: BundleEntry }[];
type Sealed = ReadonlyMap<string, SealedResource>;

function addedProblems(
  found: Found,
  sealed: Sealed,
  rules: readonly ResourceRule[],
  nested: readonly NestedCode[],
): string[] {
  return found
    .filter(({ path }) => !sealed.has(path) && !nested.some((code) => path.startsWith(`${code.path}/`)))
    .filter(({ path }) => (ruleFor(path, rules)?.kind ?? 'omit') !== 'omit')
    .map(({ path }) => `${path} was added`);
}

function removedProblems(found: Found, seal: CodeResources, nested: readonly NestedCode[]): string[] {
  const there = new Set([...found, ...nested].map(({ path }) => path));
  const missing = [...(seal.files2 ?? []), ...seal.files]
    .filter(([path, resource]) => !there.has(path) && !(resource.kind === 'file' && resource.optional))
    .map(([path]) => path);
  return [...new Set(missing)].map((path) => `${path} is missing`);
}

function changedProblems(found: Found, seal: CodeResources): string[] {
  const problems = new Set<string>();
  for (const sealed of [seal.files2 ?? new Map<string, SealedResource>(), seal.files]) {
    for (const { path, entry } of found) {
      const resource = sealed.get(path);
      if (resource?.kind !== 'file') continue;
      if (!('data' in entry)) problems.add(`${path} was a file, now it is a link`);
      else if (!matchesSeal(resource, entry.data)) problems.add(`${path} changed`);
    }
  }
  return [...problems];
}

function linkProblems(found: Found, sealed: Sealed, rules: readonly ResourceRule[]): string[] {
  const problems: string[] = [];
  for (const { path, entry } of found) {
    const resource = sealed.get(path);
    if ('symlink' in entry) {
      const problem = targetProblem(path, entry.symlink, found, rules);
      if (problem) problems.push(`${path} ${problem}`);
      if (resource && (resource.kind !== 'symlink' || resource.target !== entry.symlink)) {
        problems.push(`${path} points to ${entry.symlink}, which was not sealed`);
      }
    } else if (resource?.kind === 'symlink') problems.push(`${path} was a link, now it is a file`);
  }
  return problems;
}

/** Source: Security-61901 resources.cpp and StaticCode.cpp, errSecCSInvalidSymlink. */
function targetProblem(path: string, target: string, found: Found, rules: readonly ResourceRule[]): string | undefined {
  if (posix.isAbsolute(target)) {
    return /^\/(System|Library)\//.test(target) ? undefined : `points out of the bundle, to ${target}`;
  }
  const resolved = posix.normalize(posix.join(posix.dirname(path), target));
  if (resolved.startsWith('..')) return `points out of Contents, to ${target}`;
  const there = found.filter((one) => one.path === resolved || one.path.startsWith(`${resolved}/`));
  if (there.length === 0) return `points to ${target}, which is not there`;
  const omitted = there.some((one) => one.path === resolved && ruleFor(one.path, rules)?.kind === 'omit');
  return omitted ? `points to ${target}, which is not sealed` : undefined;
}

function nestedProblems(sealed: Sealed, nested: readonly NestedCode[]): string[] {
  return nested.map((code) => nestedProblem(sealed.get(code.path), code)).filter((problem) => problem !== undefined);
}

function nestedProblem(sealed: SealedResource | undefined, code: NestedCode): string | undefined {
  if (sealed === undefined) return `${code.path} is not sealed`;
  if (sealed.kind !== 'nested') return `${code.path} is sealed as a file, not as code`;
  if (code.cdHashes === null) return undefined;
  const cdHash = sealed.cdHash.toString('hex');
  if (!code.cdHashes.includes(cdHash))
    return `${code.path} has cdhash ${code.cdHashes.join(', ')}, sealed is ${cdHash}`;
  // Code without a requirement of its own is sealed with the one that codesign makes for it; its cdhash is the stronger proof.
  const own = code.designatedRequirement;
  return own === null || own === sealed.requirement ? undefined : `${code.path} has requirement ${own}`;
}
