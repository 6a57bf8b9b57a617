import { type Check, CheckList } from './check.ts';
import {
  bestCodeDirectory,
  type CodeDirectory,
  cdHash,
  EXEC_SEGMENT_MAIN_BINARY,
  FLAG_ADHOC,
  FLAG_RUNTIME,
  hashPages,
  hashWith,
  parseCodeDirectory,
} from './code-directory.ts';
import { type Macho, parseMacho, segmentNamed } from './macho.ts';
import { MH_EXECUTE } from './macho-layout.ts';
import { evaluateRequirement } from './requirement-evaluation.ts';
import { renderRequirement } from './requirement-text.ts';
import { designatedRequirement, type Requirement } from './requirements.ts';
import {
  type Blob,
  blobContent,
  MAGIC_BLOB_WRAPPER,
  MAGIC_CODE_DIRECTORY,
  MAGIC_DER_ENTITLEMENTS,
  MAGIC_EMBEDDED_SIGNATURE,
  MAGIC_ENTITLEMENTS,
  MAGIC_LAUNCH_CONSTRAINT,
  MAGIC_REQUIREMENTS,
  MAX_ALTERNATE_CODE_DIRECTORIES,
  parseSuperBlob,
  SLOT_ALTERNATE_CODE_DIRECTORIES,
  SLOT_CMS,
  SLOT_CODE_DIRECTORY,
  SLOT_CODE_RESOURCES,
  SLOT_DER_ENTITLEMENTS,
  SLOT_ENTITLEMENTS,
  SLOT_INFO_PLIST,
  SLOT_REQUIREMENTS,
} from './super-blob.ts';
import type { CmsVerdict, VerifyCodeCms } from './verify-cms.ts';

/** How code is judged. */
export interface CodeExpectations {
  /** Judges the CMS; null skips everything that needs certificates. */
  readonly verifyCms: VerifyCodeCms | null;
  /** Held to the form in which this pipeline signs: hardened runtime, SHA-256 alone, codesign's layout, both architectures. */
  readonly ours: boolean;
  /** Whether a signature without certificate passes, as in a development build. */
  readonly allowAdHoc: boolean;
}

/** The files that a slice's signature covers beside its own pages. */
export interface SliceSurroundings {
  readonly infoPlist: Buffer | null;
  readonly codeResources: Buffer | null;
  /** CFBundleIdentifier, when there is an Info.plist. */
  readonly identifier: string | null;
  /** Texts of Info.plist, for requirements that ask for them. */
  readonly information: ReadonlyMap<string, string>;
}

/** What the signature of a slice says; for `inspect`. */
export interface SliceFacts {
  readonly architecture: string;
  readonly identifier: string;
  readonly teamIdentifier: string | null;
  readonly flags: number;
  /** Of the code directory that a system would choose, 20 bytes, hexadecimal. */
  readonly cdHash: string;
  /** Of all code directories, in the order of their slots. */
  readonly cdHashes: readonly string[];
  readonly hashType: number;
  readonly runtimeVersion: number;
  readonly minimumOs: number | null;
  readonly sdk: number | null;
  readonly designatedRequirement: string | null;
  readonly signerName: string | null;
  readonly signingTime: Date | null;
  readonly timestamp: Date | null;
  /** Hashes of slots -1 to -3, hexadecimal: the same in every slice of a bundle. */
  readonly sharedSlots: readonly string[];
}

interface Signature {
  readonly blobs: readonly Blob[];
  readonly directories: readonly CodeDirectory[];
  readonly best: CodeDirectory;
}

/** Magic of the blob in each slot that may be there. Source: cs_blobs.h and Security-61901 codesignature types. */
const SLOT_MAGICS: ReadonlyMap<number, number> = new Map([
  [SLOT_CODE_DIRECTORY, MAGIC_CODE_DIRECTORY],
  [SLOT_REQUIREMENTS, MAGIC_REQUIREMENTS],
  [SLOT_ENTITLEMENTS, MAGIC_ENTITLEMENTS],
  [SLOT_DER_ENTITLEMENTS, MAGIC_DER_ENTITLEMENTS],
  ...[8, 9, 10, 11].map((slot): [number, number] => [slot, MAGIC_LAUNCH_CONSTRAINT]),
  ...Array.from({ length: MAX_ALTERNATE_CODE_DIRECTORIES }, (_, index): [number, number] => [
    SLOT_ALTERNATE_CODE_DIRECTORIES + index,
    MAGIC_CODE_DIRECTORY,
  ]),
  [SLOT_CMS, MAGIC_BLOB_WRAPPER],
]);
const SHA256 = 2;
const OUR_PAGE_SIZE = 4096;
/** What depends on the signature and cannot be judged when it is unreadable. */
const DEPENDENT = ['code-directory', 'code-pages', 'code-slots', 'code-cms', 'code-designated-requirement'];

/**
 * Returns every check of one slice's signature, and what the signature says; facts are null when it cannot be read.
 *
 * @param slice thin Mach-O file
 * @param subject names the slice in the checks
 * @see Security-61901 StaticCode.cpp, `validateDirectory`, `validateExecutable` and `validateComponent`
 */
export function verifySlice(
  slice: Buffer,
  subject: string,
  surroundings: SliceSurroundings,
  expectations: CodeExpectations,
): { checks: readonly Check[]; facts: SliceFacts | null } {
  const list = new CheckList(subject);
  const macho = list.read('code-macho', () => parseMacho(slice));
  if (!macho) return { checks: list.checks, facts: null };
  list.pass('code-macho');
  const signature = readSignature(list, slice, macho, expectations);
  if (!signature) {
    for (const id of DEPENDENT) list.skip(id, 'the signature cannot be read');
    return { checks: list.checks, facts: null };
  }
  for (const directory of signature.directories) {
    list.judge('code-directory', directoryProblems(directory, macho, surroundings, expectations));
    list.judge('code-pages', [pageProblem(slice, directory)]);
    list.judge('code-slots', slotProblems(directory, signature.blobs, surroundings));
  }
  const verdict = judgeCms(list, signature, subject, expectations);
  const requirement = judgeRequirement(list, signature, surroundings, verdict);
  return { checks: list.checks, facts: factsOf(macho, signature, verdict, requirement) };
}

function readSignature(
  list: CheckList,
  slice: Buffer,
  macho: Macho,
  expectations: CodeExpectations,
): Signature | undefined {
  const place = macho.codeSignature;
  if (!place) {
    list.fail('code-layout', 'the slice is not signed');
    return undefined;
  }
  const layout = list.read('code-layout', () => layoutProblems(slice, macho));
  if (layout) list.judge('code-layout', layout);
  const region = slice.subarray(place.dataOffset, place.dataOffset + place.dataSize);
  const parsed = list.read('code-super-blob', () => parseSuperBlob(region, MAGIC_EMBEDDED_SIGNATURE));
  if (!parsed) return undefined;
  list.judge('code-super-blob', superBlobProblems(parsed.blobs, expectations));
  const stray = region.subarray(parsed.length).findIndex((byte) => byte !== 0);
  list.judge('code-padding', [stray >= 0 && `byte ${parsed.length + stray} after the SuperBlob is not zero`]);
  const blobs = parsed.blobs.filter(({ type }) => SLOT_MAGICS.get(type) === MAGIC_CODE_DIRECTORY);
  const directories = list.read('code-directory', () => blobs.map(({ data }) => parseCodeDirectory(data)));
  const best = bestCodeDirectory(directories ?? []);
  return directories && best && { blobs: parsed.blobs, directories, best };
}

function layoutProblems(slice: Buffer, macho: Macho): (string | false)[] {
  const linkedit = segmentNamed(macho, '__LINKEDIT');
  const end = linkedit.fileOffset + linkedit.fileSize;
  const { dataOffset = 0, dataSize = 0 } = macho.codeSignature ?? {};
  const others = macho.segments.filter((segment) => segment !== linkedit);
  return [
    end !== slice.length && `__LINKEDIT ends at ${end} of ${slice.length}`,
    others.some((other) => other.fileOffset + other.fileSize > linkedit.fileOffset) &&
      '__LINKEDIT is not the last segment',
    dataOffset % 16 !== 0 && `the signature begins at ${dataOffset}, no multiple of 16`,
    dataOffset < linkedit.fileOffset && 'the signature begins before __LINKEDIT',
    dataOffset + dataSize !== slice.length && `the signature ends at ${dataOffset + dataSize} of ${slice.length}`,
  ];
}

function superBlobProblems(blobs: readonly Blob[], { ours }: CodeExpectations): (string | false)[] {
  const has = (slot: number) => blobs.some(({ type }) => type === slot);
  const ourSlots = [SLOT_CODE_DIRECTORY, SLOT_REQUIREMENTS, SLOT_CMS];
  return [
    ...blobs.map(({ type, data }) => {
      const magic = SLOT_MAGICS.get(type);
      if (magic === undefined) return `a blob of unknown type 0x${type.toString(16)}`;
      const found = data.readUInt32BE(0);
      return found !== magic && `magic 0x${found.toString(16)} in slot 0x${type.toString(16)}`;
    }),
    !has(SLOT_CODE_DIRECTORY) && 'no CodeDirectory',
    ours && blobs.length !== ourSlots.length && `expected ${ourSlots.length} blobs, found ${blobs.length}`,
    ours && !ourSlots.every(has) && 'a CodeDirectory, a requirement set and a CMS are expected',
  ];
}

function directoryProblems(
  directory: CodeDirectory,
  macho: Macho,
  { identifier }: SliceSurroundings,
  { ours }: CodeExpectations,
): (string | false)[] {
  const { flags, runtimeVersion, codeLimit } = directory;
  const place = macho.codeSignature?.dataOffset ?? 0;
  const sdk = macho.version?.sdk ?? 0;
  const hardened = (flags & FLAG_RUNTIME) !== 0;
  const adHoc = (flags & FLAG_ADHOC) !== 0;
  return [
    codeLimit !== place && `codeLimit ${codeLimit}, the signature begins at ${place}`,
    identifier !== null &&
      directory.identifier !== identifier &&
      `identifier ${directory.identifier}, Info.plist says ${identifier}`,
    directory.platform !== 0 && `platform ${directory.platform}`,
    ...execSegmentProblems(directory, macho, ours),
    runtimeVersion !== 0 && runtimeVersion !== sdk && `runtime version ${hex(runtimeVersion)}, the SDK is ${hex(sdk)}`,
    ours && !hardened && 'not signed with the hardened runtime',
    ours && (flags & ~(FLAG_RUNTIME | FLAG_ADHOC)) !== 0 && `flags ${hex(flags)}`,
    ours && directory.version !== 0x20500 && `version ${hex(directory.version)}, expected 0x20500`,
    ours && runtimeVersion === 0 && 'no runtime version',
    ours && directory.hashType !== SHA256 && `hash type ${directory.hashType}, expected SHA-256`,
    ours && directory.pageSize !== OUR_PAGE_SIZE && `page size ${directory.pageSize}`,
    ours && directory.specialSlots.length !== 3 && `${directory.specialSlots.length} special slots, expected 3`,
    adHoc && directory.teamIdentifier !== null && 'an ad-hoc signature with a team',
  ];
}

function execSegmentProblems({ execSegment }: CodeDirectory, macho: Macho, ours: boolean): (string | false)[] {
  if (execSegment === null) return [];
  const text = macho.segments.find(({ name }) => name === '__TEXT');
  const main = macho.fileType === MH_EXECUTE ? EXEC_SEGMENT_MAIN_BINARY : 0n;
  // Other bits follow from entitlements; we sign without any.
  const mask = ours ? ~0n : EXEC_SEGMENT_MAIN_BINARY;
  return [
    execSegment.base !== BigInt(text?.fileOffset ?? 0) && `executable segment at ${execSegment.base}`,
    execSegment.limit !== BigInt(text?.fileSize ?? 0) && `executable segment of ${execSegment.limit} bytes`,
    (execSegment.flags & mask) !== main && `executable segment flags ${execSegment.flags}`,
  ];
}

function pageProblem(slice: Buffer, directory: CodeDirectory): string | undefined {
  const code = slice.subarray(0, directory.codeLimit);
  if (code.length !== directory.codeLimit) return `codeLimit ${directory.codeLimit} of ${slice.length} bytes`;
  const pages = hashPages(code, directory.hashType, directory.pageSize);
  const wrong = pages.flatMap((hash, index) => (directory.codeSlots[index]?.equals(hash) ? [] : [index]));
  return wrong.length > 0 ? `page ${wrong.slice(0, 8).join(', ')} changed, of ${pages.length}` : undefined;
}

/** What is there must have its hash; what is not there must have a hash of zeros, or none. */
function slotProblems(
  directory: CodeDirectory,
  blobs: readonly Blob[],
  { infoPlist, codeResources }: SliceSurroundings,
): (string | false)[] {
  const content = (slot: number): Buffer | null => {
    if (slot === SLOT_INFO_PLIST) return infoPlist;
    if (slot === SLOT_CODE_RESOURCES) return codeResources;
    return blobs.find(({ type }) => type === slot)?.data ?? null;
  };
  const highest = Math.max(directory.specialSlots.length, SLOT_CODE_RESOURCES);
  return Array.from({ length: highest }, (_, index) => {
    const slot = index + 1;
    const found = directory.specialSlots[index];
    const data = content(slot);
    if (data === null)
      return found?.some((byte) => byte !== 0) === true && `${slotName(slot)} is sealed, but is not there`;
    if (!found || found.every((byte) => byte === 0)) return `${slotName(slot)} is not sealed`;
    return !found.equals(hashWith(directory.hashType, data)) && `${slotName(slot)} changed since it was sealed`;
  });
}

function slotName(slot: number): string {
  if (slot === SLOT_INFO_PLIST) return 'Info.plist';
  if (slot === SLOT_REQUIREMENTS) return 'the requirement set';
  if (slot === SLOT_CODE_RESOURCES) return 'CodeResources';
  return `slot ${slot}`;
}

function judgeCms(
  list: CheckList,
  { blobs, directories, best }: Signature,
  subject: string,
  expectations: CodeExpectations,
): CmsVerdict | null {
  const wrapper = blobs.find(({ type }) => type === SLOT_CMS);
  const cms = wrapper && list.read('code-cms', () => blobContent(wrapper.data, MAGIC_BLOB_WRAPPER));
  if (wrapper && !cms) return null;
  const adHoc = (best.flags & FLAG_ADHOC) !== 0;
  if (!cms || cms.length === 0) {
    if (adHoc && expectations.allowAdHoc) list.skip('code-cms', 'ad-hoc: signed by nobody');
    else list.fail('code-cms', adHoc ? 'ad-hoc: signed by nobody' : 'the signature has no CMS');
    return null;
  }
  if (!expectations.verifyCms) {
    list.skip('code-cms', 'not asked for');
    return null;
  }
  const demandAttributes = expectations.ours;
  const verdict = expectations.verifyCms({ cms, codeDirectories: directories, subject, demandAttributes });
  list.add(verdict.checks);
  // Apple's rule: the team in the code directory is that of the certificate (errSecCSSignatureInvalid family, -66997).
  list.judge('code-team', [
    adHoc && 'marked ad-hoc, but signed with a certificate',
    ...directories.map(({ teamIdentifier }) => teamProblem(teamIdentifier, verdict.teamIdentifier, expectations)),
  ]);
  return verdict;
}

function teamProblem(found: string | null, certificate: string | null, { ours }: CodeExpectations): string | false {
  // Signatures made before OS X 10.9.5 name no team.
  if (found === null) return ours && 'no team identifier';
  return found !== certificate && `team ${found}, the certificate is of ${certificate ?? 'none'}`;
}

function judgeRequirement(
  list: CheckList,
  { blobs, best, directories }: Signature,
  { information }: SliceSurroundings,
  verdict: CmsVerdict | null,
): Requirement | null {
  const id = 'code-designated-requirement';
  const set = blobs.find(({ type }) => type === SLOT_REQUIREMENTS);
  const requirement = list.read(id, () => (set ? designatedRequirement(set.data) : null));
  if (requirement === undefined) return null;
  if (requirement === null) {
    list.skip(id, 'none is written down');
    return null;
  }
  if (!verdict) {
    list.skip(id, 'needs the certificates');
    return requirement;
  }
  const result = evaluateRequirement(requirement, {
    identifier: best.identifier,
    cdHashes: directories.map(cdHash),
    certificates: verdict.certificates,
    anchoredByApple: verdict.anchoredByApple,
    infoPlist: information,
  });
  if (result === 'unknown') list.skip(id, `cannot be told without a Mac: ${renderRequirement(requirement)}`);
  else list.judge(id, [result === 'false' && `the code does not meet: ${renderRequirement(requirement)}`]);
  return requirement;
}

function factsOf(
  macho: Macho,
  { best, directories }: Signature,
  verdict: CmsVerdict | null,
  requirement: Requirement | null,
): SliceFacts {
  return {
    architecture: macho.architecture,
    identifier: best.identifier,
    teamIdentifier: best.teamIdentifier,
    flags: best.flags,
    cdHash: cdHash(best).toString('hex'),
    cdHashes: directories.map((directory) => cdHash(directory).toString('hex')),
    hashType: best.hashType,
    runtimeVersion: best.runtimeVersion,
    minimumOs: macho.version?.minimumOs ?? null,
    sdk: macho.version?.sdk ?? null,
    designatedRequirement: requirement ? renderRequirement(requirement) : null,
    signerName: verdict?.signerName ?? null,
    signingTime: verdict?.signingTime ?? null,
    timestamp: verdict?.timestamp ?? null,
    sharedSlots: best.specialSlots.slice(0, 3).map((hash) => hash.toString('hex')),
  };
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
