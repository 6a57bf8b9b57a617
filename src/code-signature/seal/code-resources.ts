import { createHash } from 'node:crypto';
import { FormatError, UsageError } from '../../base/errors.ts';
import { type PropertyListValue, renderPropertyList } from '../../xml/property-list.ts';
import { readPropertyListDictionary } from '../../xml/read-property-list.ts';
import { type BundleEntry, CONTENTS } from '../bundle-entry.ts';
import {
  type ResourceRule,
  RULES_1,
  RULES_2,
  ruleFor,
  rulesFromPropertyList,
  rulesToPropertyList,
} from './resource-rules.ts';

/** Left out of every seal by the code, not by a rule. Source: Security-61901 bundlediskrep.cpp, `adjustResources`. */
const EXCLUDED_FOLDERS = ['_CodeSignature', '_MASReceipt'];
/** Where `stapler` puts the ticket of a bundle. */
const TICKET = 'CodeResources';

/** What a seal says of one path. */
export type SealedResource =
  | { readonly kind: 'file'; readonly sha1: Buffer | null; readonly sha256: Buffer | null; readonly optional: boolean }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'nested'; readonly cdHash: Buffer; readonly requirement: string };

/** A CodeResources file, read. Paths are relative to `Contents`. */
export interface CodeResources {
  /** Version 1: SHA-1 only; systems before 10.9.5 read it. */
  readonly files: ReadonlyMap<string, SealedResource>;
  /** Version 2, or null when the file has none. */
  readonly files2: ReadonlyMap<string, SealedResource> | null;
  readonly rules2: readonly ResourceRule[];
  /** Patterns that codesign does not write by itself. */
  readonly foreignRules: readonly string[];
}

/**
 * Returns the CodeResources file that seals a bundle, byte for byte as codesign writes it with SHA-256 only.
 *
 * @param entries all files of the bundle; an old `_CodeSignature` is passed over
 * @param executable name of the main executable in `Contents/MacOS`
 * @throws UsageError `BUNDLE_NESTED_CODE` for a file in a place where only code with a signature of its own may lie
 * @see Security-61901 resources.cpp, signer.cpp
 */
export function sealResources(entries: readonly BundleEntry[], executable: string): Buffer {
  const files = new Map<string, PropertyListValue>();
  const files2 = new Map<string, PropertyListValue>();
  for (const { path, entry } of sealable(entries, executable)) {
    const rule = ruleFor(path, RULES_2);
    if (rule?.kind === 'nested') throw nestedCode(entry.path);
    if (rule?.kind === 'resource') files2.set(path, sealOf(entry, rule));
    const rule1 = ruleFor(path, RULES_1);
    if (rule1?.kind === 'resource' && 'data' in entry) files.set(path, sealOf1(entry.data, rule1));
  }
  const seal = new Map<string, PropertyListValue>([
    ['files', files],
    ['files2', files2],
    ['rules', rulesToPropertyList(RULES_1)],
    ['rules2', rulesToPropertyList(RULES_2)],
  ]);
  return Buffer.from(renderPropertyList(seal));
}

/** Returns the entries below `Contents` that rules decide about, with their paths relative to it. */
export function sealable(entries: readonly BundleEntry[], executable: string): { path: string; entry: BundleEntry }[] {
  return entries
    .filter((entry) => entry.path.startsWith(CONTENTS))
    .map((entry) => ({ path: entry.path.slice(CONTENTS.length), entry }))
    .filter(({ path }) => path !== TICKET && path !== `MacOS/${executable}`)
    .filter(({ path }) => !EXCLUDED_FOLDERS.some((folder) => path === folder || path.startsWith(`${folder}/`)));
}

/**
 * Returns what a CodeResources file says.
 *
 * @throws FormatError `PLIST_INVALID` or `CODE_RESOURCES_INVALID`
 */
export function parseCodeResources(data: Buffer): CodeResources {
  const root = readPropertyListDictionary(data);
  const dictionary = (key: string) => {
    const value = root.get(key);
    if (value instanceof Map || value === undefined) return value;
    throw invalid(`expected a dictionary for key '${key}'`);
  };
  const rules1 = rulesFromPropertyList(dictionary('rules') ?? new Map());
  const rules2 = rulesFromPropertyList(dictionary('rules2') ?? new Map());
  const files2 = dictionary('files2');
  return {
    files: parseSealed(dictionary('files') ?? new Map()),
    files2: files2 === undefined ? null : parseSealed(files2),
    rules2: rules2.rules,
    foreignRules: [...rules1.foreign, ...rules2.foreign],
  };
}

/** Returns whether a regular file is the one that was sealed: every hash of the seal must be its own. */
export function matchesDigests(
  sealed: Extract<SealedResource, { kind: 'file' }>,
  found: { readonly sha1: Buffer; readonly sha256: Buffer },
): boolean {
  if (sealed.sha256 !== null && !sealed.sha256.equals(found.sha256)) return false;
  return sealed.sha1 === null || sealed.sha1.equals(found.sha1);
}

function sealOf(entry: BundleEntry, { optional }: ResourceRule): PropertyListValue {
  if ('symlink' in entry) return new Map([['symlink', entry.symlink]]);
  const sealed = new Map<string, PropertyListValue>([['hash2', digest('sha256', entry.data)]]);
  return optional ? sealed.set('optional', true) : sealed;
}

function sealOf1(data: Buffer, { optional }: ResourceRule): PropertyListValue {
  const hash = digest('sha1', data);
  if (!optional) return hash;
  return new Map<string, PropertyListValue>([
    ['hash', hash],
    ['optional', true],
  ]);
}

function parseSealed(dictionary: ReadonlyMap<string, PropertyListValue>): Map<string, SealedResource> {
  return new Map([...dictionary].map(([path, value]) => [path, parseSealedResource(path, value)]));
}

function parseSealedResource(path: string, value: PropertyListValue): SealedResource {
  if (Buffer.isBuffer(value)) return { kind: 'file', sha1: sized(path, value, 20), sha256: null, optional: false };
  if (!(value instanceof Map)) throw invalid(`expected data or a dictionary for '${path}'`);
  const dictionary = value as ReadonlyMap<string, PropertyListValue>;
  const target = dictionary.get('symlink');
  if (typeof target === 'string') return { kind: 'symlink', target };
  const cdHash = dictionary.get('cdhash');
  const requirement = dictionary.get('requirement');
  if (typeof requirement === 'string' && cdHash !== undefined) {
    return { kind: 'nested', cdHash: sized(path, cdHash, 20), requirement };
  }
  const hash = dictionary.get('hash');
  const hash2 = dictionary.get('hash2');
  if (hash === undefined && hash2 === undefined) throw invalid(`'${path}' has no hash`);
  return {
    kind: 'file',
    sha1: hash === undefined ? null : sized(path, hash, 20),
    sha256: hash2 === undefined ? null : sized(path, hash2, 32),
    optional: dictionary.get('optional') === true,
  };
}

function sized(path: string, value: PropertyListValue, size: number): Buffer {
  if (Buffer.isBuffer(value) && value.length === size) return value;
  throw invalid(`expected ${size} bytes of hash for '${path}'`);
}

function digest(algorithm: 'sha1' | 'sha256', data: Buffer): Buffer {
  return createHash(algorithm).update(data).digest();
}

function nestedCode(path: string): UsageError {
  return new UsageError('BUNDLE_NESTED_CODE', `${path}: only signed code may lie here`, {
    hint: 'Put scripts, property lists and data into Contents/Resources.',
  });
}

function invalid(problem: string): FormatError {
  return new FormatError('CODE_RESOURCES_INVALID', 'CodeResources', 0, problem);
}
