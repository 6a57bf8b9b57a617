import { posix } from 'node:path';
import type { CheckList } from '../../base/check.ts';
import { type CodeResources, matchesDigests, parseCodeResources, type SealedResource } from '../seal/code-resources.ts';
import { type ResourceRule, ruleFor } from '../seal/resource-rules.ts';
import { type Bundle, inside, placesOf } from './bundle-shape.ts';
import { type FileIndex, foldersAbove, type IndexedEntry, type IndexedFile } from './file-index.ts';

/** What was found when code inside of a bundle was checked by itself. */
export interface NestedCode {
  /** Relative to the folder that the seal is about. */
  readonly path: string;
  /** All cdhashes of all slices, hexadecimal; null when it could not be checked. */
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
/** Left out of every seal by the code, not by a rule. Source: Security-61901 bundlediskrep.cpp, `adjustResources`. */
const EXCLUDED = /^(_CodeSignature|_MASReceipt)(\/|$)|^CodeResources$/;

/** Checks where files lie: nothing beside `Contents`, nothing foreign among the signature's files, no path twice. */
export function checkPlaces(list: CheckList, bundle: Bundle, index: FileIndex): void {
  const { root, kind, sealed, infoPlist, executable } = bundle;
  const entries = index.below(root);
  const twice = entries.filter(({ path }, at) => entries[at - 1]?.path === path);
  const beside = kind === 'deep' ? entries.filter(({ path }) => !path.startsWith(`${sealed}/`)) : [];
  const signature = `${inside(sealed, '_CodeSignature')}/`;
  const foreign = index
    .below(signature.slice(0, -1))
    .filter((entry) => !isFile(entry) || !ALLOWED_IN_SIGNATURE.includes(entry.path.slice(signature.length)));
  const regular = [infoPlist, ...(executable === undefined ? [] : [executable])];
  const shown = (path: string) => (root === '' ? path : path.slice(root.length + 1));
  list.check('bundle-places', [
    ...twice.map(({ path }) => `${shown(path)} is there twice`),
    ...beside
      .map(({ path }) => shown(path))
      .filter((path) => !ALLOWED_AT_ROOT.includes(path))
      .map((path) => `${path} lies beside Contents`),
    ...foreign.map(({ path }) => `${shown(path)} does not belong to a signature`),
    ...regular.map((path) => !index.file(path) && `${shown(path)} is not a file`),
    ...(kind === 'version' ? frameworkProblems(index, root) : []),
  ]);
}

/**
 * The folder of a framework holds its versions and links into the current one.
 *
 * @see Security-61901 bundlediskrep.cpp, `validateFrameworkRoot`
 */
function frameworkProblems(index: FileIndex, version: string): string[] {
  const match = /^(.*)\/Versions\/([^/]+)$/.exec(version);
  if (!match) return [];
  const [framework, name] = [match[1] as string, match[2] as string];
  const current = index.get(`${framework}/Versions/Current`);
  if (!current || isFile(current)) return [];
  const target = current.symlink.replace(/^\.\//, '');
  if (target.includes('/') || target === '..') return [`Versions/Current points to ${current.symlink}`];
  if (target !== name) return [];
  return index
    .below(framework)
    .map((entry) => ({ entry, path: entry.path.slice(framework.length + 1) }))
    .filter(({ path }) => !path.startsWith('Versions/'))
    .filter(({ entry, path }) => isFile(entry) || !isOwnLink(path, entry.symlink, target))
    .filter(({ path }) => path !== '.DS_Store' && path !== 'module.map')
    .map(({ path }) => `${path} lies beside the versions of the framework`);
}

function isOwnLink(path: string, target: string, current: string): boolean {
  const plain = target.replace(/^\.\//, '');
  return plain === `Versions/Current/${path}` || plain === `Versions/${current}/${path}`;
}

const isFile = (entry: IndexedEntry): entry is IndexedFile => 'sha256' in entry;

/** A file or link below the sealed folder that rules decide about; `path` is relative to that folder. */
interface Sealable {
  readonly path: string;
  readonly entry: IndexedEntry;
}

function sealable({ sealed, executable }: Bundle, index: FileIndex): Sealable[] {
  return index
    .below(sealed)
    .filter(({ path }) => path !== executable)
    .map((entry) => ({ path: sealed === '' ? entry.path : entry.path.slice(sealed.length + 1), entry }))
    .filter(({ path }) => !EXCLUDED.test(path));
}

/**
 * Checks the files of a bundle against its CodeResources: added, removed and changed ones, links, nested code.
 *
 * @param nested what was found of the code that has signatures of its own
 * @see Security-61901 StaticCode.cpp, `validateResource` and `validateResources`
 */
export function checkSeal(list: CheckList, bundle: Bundle, index: FileIndex, nested: readonly NestedCode[]): void {
  const content = index.file(bundle.codeResources)?.content;
  if (!content) {
    list.fail('seal', 'no CodeResources: the resources are not sealed');
    return;
  }
  const seal = list.read('seal', () => parseCodeResources(content));
  if (!seal) return;
  list.check('seal', formProblems(seal));
  if (seal.files2 === null) return;
  const found = sealable(bundle, index);
  const sealed = seal.files2;
  list.check('seal-added', addedProblems(found, sealed, seal.rules2, nested));
  list.check('seal-removed', removedProblems(found, seal, nested));
  list.check('seal-changed', changedProblems(found, seal));
  list.check('seal-links', linkProblems(found, seal, bundle, index));
  list.check('seal-nested', nestedProblems(sealed, nested));
}

/**
 * Returns the paths, relative to the sealed folder, of code that a bundle's rules treat as nested: folders that are bundles, and files
 * in places for code alone.
 */
export function nestedPaths(bundle: Bundle, index: FileIndex): string[] {
  const rules = placesOf(bundle);
  const found = new Set<string>();
  for (const { path, entry } of sealable(bundle, index)) {
    if (!isFile(entry)) continue;
    const folder = nestedFolder(path, rules);
    if (folder !== null) found.add(folder);
    else if (ruleFor(path, rules)?.kind === 'nested') found.add(path);
  }
  return [...found].sort();
}

/** codesign takes a folder with a dot in its name, in a place for nested code, as a bundle. Source: resources.cpp, `scan`. */
function nestedFolder(path: string, rules: readonly ResourceRule[]): string | null {
  for (const folder of foldersAbove(path)) {
    if (!folder.includes('/') || !(folder.split('/').at(-1) as string).includes('.')) continue;
    if (ruleFor(folder, rules)?.kind === 'nested' || ruleFor(`${folder}/`, rules)?.kind === 'nested') return folder;
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

function addedProblems(
  found: readonly Sealable[],
  sealed: Sealed,
  rules: readonly ResourceRule[],
  nested: readonly NestedCode[],
): string[] {
  const folders = new Set(nested.map(({ path }) => path));
  return found
    .filter(({ path }) => !sealed.has(path) && !foldersAbove(path).some((folder) => folders.has(folder)))
    .filter(({ path }) => (ruleFor(path, rules)?.kind ?? 'omit') !== 'omit')
    .map(({ path }) => `${path} was added`);
}

function removedProblems(found: readonly Sealable[], seal: CodeResources, nested: readonly NestedCode[]): string[] {
  const there = new Set([...found, ...nested].map(({ path }) => path));
  const missing = [...(seal.files2 ?? []), ...seal.files]
    .filter(([path, resource]) => !there.has(path) && !(resource.kind === 'file' && resource.optional))
    .map(([path]) => path);
  return [...new Set(missing)].map((path) => `${path} is missing`);
}

function changedProblems(found: readonly Sealable[], seal: CodeResources): string[] {
  const problems = new Set<string>();
  for (const sealed of [seal.files2 ?? new Map<string, SealedResource>(), seal.files]) {
    for (const { path, entry } of found) {
      const resource = sealed.get(path);
      if (resource?.kind !== 'file') continue;
      if (!isFile(entry)) problems.add(`${path} was a file, now it is a link`);
      else if (!matchesDigests(resource, entry)) problems.add(`${path} changed`);
    }
  }
  return [...problems];
}

function linkProblems(found: readonly Sealable[], seal: CodeResources, bundle: Bundle, index: FileIndex): string[] {
  const problems: string[] = [];
  for (const { path, entry } of found) {
    const resource = seal.files2?.get(path);
    if (isFile(entry)) {
      if (resource?.kind === 'symlink') problems.push(`${path} was a link, now it is a file`);
      continue;
    }
    const problem = targetProblem(path, entry.symlink, bundle, index, seal.rules2);
    if (problem) problems.push(`${path} ${problem}`);
    if (resource && (resource.kind !== 'symlink' || resource.target !== entry.symlink)) {
      problems.push(`${path} points to ${entry.symlink}, which was not sealed`);
    }
  }
  return problems;
}

/** Source: Security-61901 resources.cpp and StaticCode.cpp, errSecCSInvalidSymlink. */
function targetProblem(
  path: string,
  target: string,
  { sealed }: Bundle,
  index: FileIndex,
  rules: readonly ResourceRule[],
): string | undefined {
  if (posix.isAbsolute(target)) {
    return /^\/(System|Library)\//.test(target) ? undefined : `points out of the bundle, to ${target}`;
  }
  const resolved = posix.normalize(posix.join(posix.dirname(path), target)).replace(/\/+$/, '');
  if (/^\.\.(\/|$)/.test(resolved)) return `points out of Contents, to ${target}`;
  const whole = inside(sealed, resolved);
  const there = index.get(whole);
  if (!there && resolved !== '.' && !index.hasBelow(whole) && !leadsThroughLink(index, sealed, resolved)) {
    return `points to ${target}, which is not there`;
  }
  const omitted = there !== undefined && ruleFor(resolved, rules)?.kind === 'omit';
  return omitted ? `points to ${target}, which is not sealed` : undefined;
}

/** A link may lead through another one, such as `Versions/Current`, which is checked by itself. */
function leadsThroughLink(index: FileIndex, sealed: string, resolved: string): boolean {
  return foldersAbove(resolved).some((folder) => {
    const entry = index.get(inside(sealed, folder));
    return entry !== undefined && !isFile(entry);
  });
}

type Sealed = ReadonlyMap<string, SealedResource>;

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
