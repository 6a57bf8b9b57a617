import { type Check, CheckList } from '../../base/check.ts';
import { buildFat, type FatSlice, isFat, parseFat } from '../../macho/fat.ts';
import { CPU_TYPE_ARM64, CPU_TYPE_X86_64, MACH_HEADER_64, MH_MAGIC_64 } from '../../macho/layout.ts';
import { isMacho, parseMacho } from '../../macho/macho.ts';
import { type PropertyListDictionary, parsePropertyListDictionary } from '../../xml/property-list.ts';
import { type BundleEntry, CODE_RESOURCES_PATH, CONTENTS, fileAt, INFO_PLIST_PATH } from '../bundle-entry.ts';
import { type CodeExpectations, isExactCode, type SliceSurroundings } from './code-expectations.ts';
import { judgePlaces, judgeSeal, type NestedCode, nestedPaths } from './verify-seal.ts';
import { type SliceFacts, verifySlice } from './verify-slice.ts';

/** All checks of a piece of code, and what its signatures say. */
export interface CodeReport {
  /** Whether no check failed. */
  readonly valid: boolean;
  readonly checks: readonly Check[];
  /** In the order of the file. */
  readonly slices: readonly SliceFacts[];
}

/** Nested bundles deeper than this are made up. */
const MAX_NESTING = 8;
/** Keys that change what codesign makes of a bundle. Source: Security-61901 signer.cpp. */
const FORBIDDEN_KEYS = ['CSFlags', 'CFBundleResourceSpecification'];
const NO_SURROUNDINGS: SliceSurroundings = {
  infoPlist: null,
  codeResources: null,
  identifier: null,
  information: new Map(),
};

/**
 * Returns whether a bundle is what its signer sealed: every slice of its executable, its Info.plist, every resource, and the code
 * inside of it with signatures of its own.
 *
 * @param entries all files of the bundle, paths relative to it
 * @param expectations whom to trust and how strict to be
 * @param name of the bundle in the checks' subjects
 * @returns every check, passed or not; what a file holds never makes it throw
 * @see codesign(1), `--verify --deep --strict --all-architectures`
 * @example verifyBundle(entries, { verifyCms: codeCmsVerifier(appleTrust(), new Date()), ours: true, allowAdHoc: false }).valid
 */
export function verifyBundle(
  entries: readonly BundleEntry[],
  expectations: CodeExpectations,
  name = 'bundle',
): CodeReport {
  return report(verifyBundleAt(entries, expectations, name, 0));
}

/**
 * Returns whether the signature of a program that belongs to no bundle is right; its Info.plist may lie in a section of it.
 *
 * @param data thin or universal Mach-O file
 * @param name of the file in the checks' subjects
 */
export function verifyProgram(data: Buffer, expectations: CodeExpectations, name = 'program'): CodeReport {
  return report(verifySlices(data, name, null, expectations));
}

/** Returns whether a file is code: a thin or universal Mach-O file. */
export function isCode(data: Buffer): boolean {
  return isMacho(data) || isFat(data);
}

interface Found {
  readonly checks: readonly Check[];
  readonly slices: readonly SliceFacts[];
}

function report({ checks, slices }: Found): CodeReport {
  return { valid: checks.every(({ status }) => status !== 'fail'), checks, slices };
}

function verifyBundleAt(
  entries: readonly BundleEntry[],
  expectations: CodeExpectations,
  name: string,
  depth: number,
): Found {
  const list = new CheckList(name);
  const infoPlist = fileAt(entries, INFO_PLIST_PATH);
  const information = list.read('bundle-info', () => parsePropertyListDictionary(infoPlist ?? Buffer.alloc(0)));
  const texts = textsOf(information ?? new Map());
  const executable = texts.get('CFBundleExecutable') ?? null;
  const identifier = texts.get('CFBundleIdentifier') ?? null;
  judgePlaces(list, entries, executable);
  if (!information || !infoPlist || executable === null) {
    if (information) list.fail('bundle-info', 'no text for CFBundleExecutable');
    return { checks: list.checks, slices: [] };
  }
  list.judge('bundle-info', infoProblems(information, entries, expectations));
  const nested = nestedPaths(entries, executable).map((path) => verifyNested(path, entries, expectations, name, depth));
  judgeSeal(
    list,
    entries,
    executable,
    nested.map(({ code }) => code),
  );
  const program = fileAt(entries, `${CONTENTS}MacOS/${executable}`);
  if (!program) return { checks: list.checks, slices: [] };
  const codeResources = fileAt(entries, CODE_RESOURCES_PATH) ?? null;
  const surroundings = { infoPlist, codeResources, identifier, information: texts };
  const slices = verifySlices(program, `${name}/${CONTENTS}MacOS/${executable}`, surroundings, expectations);
  return {
    checks: [...list.checks, ...slices.checks, ...nested.flatMap(({ found }) => found.checks)],
    slices: slices.slices,
  };
}

function textsOf(information: PropertyListDictionary): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [key, value] of information) if (typeof value === 'string') texts.set(key, value);
  return texts;
}

function infoProblems(
  information: PropertyListDictionary,
  entries: readonly BundleEntry[],
  { ours }: CodeExpectations,
): (string | false)[] {
  const packageInfo = fileAt(entries, 'Contents/PkgInfo');
  // PkgInfo is not sealed, and all it may say is said in Info.plist. `????` stands for no signature there.
  const expected = `${information.get('CFBundlePackageType')}${information.get('CFBundleSignature') ?? '????'}`;
  return [
    ...FORBIDDEN_KEYS.map(
      (key) => ours && information.has(key) && `the key ${key} would change how this bundle is signed`,
    ),
    typeof information.get('CFBundleIdentifier') !== 'string' && 'no text for CFBundleIdentifier',
    ours && packageInfo !== undefined && packageInfo.toString('latin1') !== expected && `PkgInfo is not ${expected}`,
  ];
}

function verifyNested(
  path: string,
  entries: readonly BundleEntry[],
  expectations: CodeExpectations,
  name: string,
  depth: number,
): { code: NestedCode; found: Found } {
  const subject = `${name}/${CONTENTS}${path}`;
  const found = verifyNestedCode(path, entries, expectations, subject, depth);
  const cdHashes = found?.slices.flatMap((slice) => slice.cdHashes) ?? null;
  const code = { path, cdHashes, designatedRequirement: found?.slices[0]?.designatedRequirement ?? null };
  const skipped: Check = { id: 'code-nested', status: 'skipped', reason: 'a framework: not judged here', subject };
  return { code, found: found ?? { checks: [skipped], slices: [] } };
}

/** Returns null for a bundle without `Contents`, such as a framework: its signature has another form. We make none. */
function verifyNestedCode(
  path: string,
  entries: readonly BundleEntry[],
  expectations: CodeExpectations,
  subject: string,
  depth: number,
): Found | null {
  const program = fileAt(entries, CONTENTS + path);
  if (program) return verifySlices(program, subject, null, expectations);
  const prefix = `${CONTENTS}${path}/`;
  const inner = entries
    .filter((entry) => entry.path.startsWith(prefix))
    .map((entry) => ({ ...entry, path: entry.path.slice(prefix.length) }));
  if (!expectations.ours && !fileAt(inner, INFO_PLIST_PATH)) return null;
  if (depth < MAX_NESTING) return verifyBundleAt(inner, expectations, subject, depth + 1);
  return { checks: [{ id: 'code-nested', status: 'fail', reason: 'nested too deep', subject }], slices: [] };
}

/** Judges a program's slices and what they must have in common. `surroundings` is null for a program of no bundle. */
function verifySlices(
  data: Buffer,
  name: string,
  surroundings: SliceSurroundings | null,
  expectations: CodeExpectations,
): Found {
  const list = new CheckList(name);
  const slices = list.read('code-universal', () => slicesOf(data));
  if (!slices) return { checks: list.checks, slices: [] };
  list.judge('code-universal', universalProblems(data, slices, expectations));
  const facts: SliceFacts[] = [];
  for (const slice of slices) {
    const subject = `${name} (${slice.architecture})`;
    const around = surroundings ?? embeddedSurroundings(slice.data);
    if (!isMacho(slice.data)) {
      // Old universal files hold an i386 slice as well; no Mac since macOS 10.15 runs it.
      const status = expectations.ours ? 'fail' : 'skipped';
      list.add([{ id: 'code-macho', status, reason: 'no 64-bit little-endian Mach-O file', subject }]);
      continue;
    }
    const judged = verifySlice(slice.data, subject, around, expectations);
    list.add(judged.checks);
    if (judged.facts) facts.push(judged.facts);
  }
  list.judge('code-slices-agree', disagreements(facts));
  return { checks: list.checks, slices: facts };
}

function slicesOf(data: Buffer): readonly Pick<FatSlice, 'data' | 'architecture' | 'cpuType'>[] {
  if (isFat(data)) return parseFat(data);
  if (data.length < MACH_HEADER_64.size || data.readUInt32LE(0) !== MH_MAGIC_64) parseMacho(data); // says what is wrong
  const { architecture, cpuType } = parseMacho(data);
  return [{ data, architecture, cpuType }];
}

function universalProblems(
  data: Buffer,
  slices: readonly Pick<FatSlice, 'data' | 'cpuType'>[],
  expectations: CodeExpectations,
): (string | false)[] {
  if (!expectations.ours) return [];
  const kinds = slices.map(({ cpuType }) => cpuType);
  // lipo's order: arm64 comes last.
  const both = kinds.length === 2 && kinds[0] === CPU_TYPE_X86_64 && kinds[1] === CPU_TYPE_ARM64;
  if (!both) return ['expected one slice for x86_64, then one for arm64'];
  return [
    isExactCode(expectations) &&
      !buildFat(slices.map((slice) => slice.data)).equals(data) &&
      'the slices do not lie where codesign puts them',
  ];
}

/** A program without a bundle may carry its Info.plist in the section __TEXT,__info_plist. */
function embeddedSurroundings(slice: Buffer): SliceSurroundings {
  if (!isMacho(slice)) return NO_SURROUNDINGS;
  const list = new CheckList('');
  const macho = list.read('', () => parseMacho(slice));
  const section = macho?.segments
    .flatMap(({ sections }) => sections)
    .find(({ segmentName, name }) => segmentName === '__TEXT' && name === '__info_plist');
  if (!section) return NO_SURROUNDINGS;
  return { ...NO_SURROUNDINGS, infoPlist: slice.subarray(section.fileOffset, section.fileOffset + section.size) };
}

function disagreements(facts: readonly SliceFacts[]): (string | false)[] {
  const [first, ...others] = facts;
  if (!first) return [];
  return others.flatMap((other) => [
    other.identifier !== first.identifier && `identifiers ${first.identifier} and ${other.identifier}`,
    other.teamIdentifier !== first.teamIdentifier && `teams ${first.teamIdentifier} and ${other.teamIdentifier}`,
    other.flags !== first.flags && `flags 0x${first.flags.toString(16)} and 0x${other.flags.toString(16)}`,
    other.signerName !== first.signerName && `signers ${first.signerName} and ${other.signerName}`,
    other.hashType === first.hashType &&
      other.sharedSlots.join() !== first.sharedSlots.join() &&
      'the slices seal different Info.plists, requirements or resources',
  ]);
}
