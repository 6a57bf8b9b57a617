import { type Check, CheckList } from '../../base/check.ts';
import { LIMITS, WORK } from '../../base/input/limits.ts';
import { bindTableProblems } from '../../macho/bind-tables.ts';
import { CPU_TYPE_I386, CPU_TYPE_X86_64 } from '../../macho/layout.ts';
import { linkeditPieces } from '../../macho/linkedit.ts';
import { type Macho, parseMacho, segmentNamed } from '../../macho/macho.ts';
import {
  bestCodeDirectory,
  type CodeDirectory,
  cdHash,
  FLAG_ADHOC,
  hashTypeName,
  parseCodeDirectory,
} from '../code-directory.ts';
import { evaluateRequirement } from '../requirement/evaluation.ts';
import type { Requirement } from '../requirement/requirement.ts';
import { designatedRequirement } from '../requirement/requirement-set.ts';
import { renderRequirement } from '../requirement/text.ts';
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
  SLOT_DER_ENTITLEMENTS,
  SLOT_ENTITLEMENTS,
  SLOT_REQUIREMENTS,
  type SuperBlob,
} from '../super-blob.ts';
import { type CodeExpectations, isExactCode, type SliceSurroundings } from './code-expectations.ts';
import type { CmsVerdict } from './verify-cms.ts';
import { directoryProblems, pageProblem, slotProblems } from './verify-code-directory.ts';

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
/** What depends on the signature and cannot be checked when it is unreadable. */
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
  checkBindTables(list, slice, macho, expectations);
  const signature = readSignature(list, slice, macho, expectations);
  if (!signature) {
    for (const id of DEPENDENT) list.skip(id, 'the signature cannot be read');
    return { checks: list.checks, facts: null };
  }
  for (const directory of signature.directories) {
    list.check('code-directory', directoryProblems(directory, macho, surroundings, expectations));
    const pages = list.read('code-pages', () => {
      expectations.spend?.(directory.codeLimit, WORK.hash);
      return [pageProblem(slice, directory)];
    });
    if (pages) list.check('code-pages', pages);
    list.check('code-slots', slotProblems(directory, signature.blobs, surroundings));
  }
  const verdict = checkCms(list, signature, subject, expectations);
  const requirement = checkRequirement(list, signature, surroundings, verdict);
  return { checks: list.checks, facts: factsOf(macho, signature, verdict, requirement) };
}

/** codesign passes files that the dyld of macOS 27 does not load; in code of others that is noted, not a failure. */
function checkBindTables(list: CheckList, slice: Buffer, macho: Macho, { ours, spend }: CodeExpectations): void {
  const id = 'code-bind-tables';
  if (macho.bits !== 64) return;
  const problems = list.read(id, () => {
    const tables = linkeditPieces(slice, macho).filter(({ name }) => /opcodes|fixups/.test(name));
    spend?.(
      tables.reduce((sum, { size }) => sum + size, 0),
      WORK.fixups,
    );
    return bindTableProblems(slice, macho);
  });
  if (!problems) return;
  if (ours || problems.length === 0) list.check(id, problems);
  else list.skip(id, `macOS 27 does not load it: ${problems.join('; ')}`);
}

function readSignature(
  list: CheckList,
  slice: Buffer,
  macho: Macho,
  expectations: CodeExpectations,
): Signature | undefined {
  const place = macho.codeSignature;
  if (!place) {
    const problem = 'the slice is not signed';
    const runs = macho.cpuType === CPU_TYPE_X86_64 || macho.cpuType === CPU_TYPE_I386;
    if (expectations.allowUnsigned && runs) list.skip('code-layout', `${problem}, and Intel Macs run it all the same`);
    else list.fail('code-layout', problem);
    return undefined;
  }
  const layout = list.read('code-layout', () => layoutProblems(slice, macho, place));
  if (layout) list.check('code-layout', layout);
  const region = slice.subarray(place.dataOffset, place.dataOffset + place.dataSize);
  const parsed = list.read('code-super-blob', () => parseSuperBlob(region, MAGIC_EMBEDDED_SIGNATURE));
  if (!parsed) return undefined;
  list.check('code-super-blob', superBlobProblems(parsed, expectations), superBlobRemarks(parsed.blobs));
  const stray = region.subarray(parsed.length).findIndex((byte) => byte !== 0);
  const strays = [
    stray >= 0 && `byte ${parsed.length + stray} after the SuperBlob is not zero`,
    parsed.stray !== null && `byte ${parsed.stray} between the blobs is not zero`,
  ];
  // Signers of others leave there what was left of an older signature (bun, turbo and swc in npm), and macOS reads none of it.
  list.check('code-padding', expectations.ours ? strays : [], strays);
  // The CMS is over the one in the first slot, wherever the index names it.
  const blobs = parsed.blobs
    .filter(({ type }) => SLOT_MAGICS.get(type) === MAGIC_CODE_DIRECTORY)
    .toSorted((one, other) => one.type - other.type);
  const directories = list.read('code-directory', () => blobs.map(({ data }) => parseCodeDirectory(data)));
  const twice = (directories ?? []).filter(({ hashType }, index, all) =>
    all.slice(0, index).some((earlier) => earlier.hashType === hashType),
  );
  if (twice[0]) list.fail('code-directory', `two code directories with ${hashTypeName(twice[0].hashType)}`);
  const best = bestCodeDirectory(directories ?? []);
  return directories && best && { blobs: parsed.blobs, directories, best };
}

function layoutProblems(
  slice: Buffer,
  macho: Macho,
  { dataOffset, dataSize }: NonNullable<Macho['codeSignature']>,
): (string | false)[] {
  const linkedit = segmentNamed(macho, '__LINKEDIT');
  const end = linkedit.fileOffset + linkedit.fileSize;
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

function superBlobProblems({ blobs, packed }: SuperBlob, expectations: CodeExpectations): (string | false)[] {
  const has = (slot: number) => blobs.some(({ type }) => type === slot);
  const ourSlots = [SLOT_CODE_DIRECTORY, SLOT_REQUIREMENTS, SLOT_CMS];
  return [
    ...blobs.map(({ type, data }) => {
      const magic = SLOT_MAGICS.get(type);
      if (magic === undefined) return expectations.ours && `a blob of unknown type 0x${type.toString(16)}`;
      const found = data.readUInt32BE(0);
      return found !== magic && `magic 0x${found.toString(16)} in slot 0x${type.toString(16)}`;
    }),
    !has(SLOT_CODE_DIRECTORY) && 'no CodeDirectory',
    expectations.ours && !packed && 'the blobs are not packed as codesign packs them',
    isExactCode(expectations) &&
      blobs.length !== ourSlots.length &&
      `expected ${ourSlots.length} blobs, found ${blobs.length}`,
    expectations.ours && !ourSlots.every(has) && 'a CodeDirectory, a requirement set and a CMS are expected',
  ];
}

/**
 * Blobs that nothing here checks. Security of macOS 27 knows two signatures in one SuperBlob (kSecCSMaxSignatures is 2: the second one
 * is post-quantum); which number the second one has is not published.
 */
function superBlobRemarks(blobs: readonly Blob[]): (string | false)[] {
  return blobs.map(({ type, data }) => {
    if (SLOT_MAGICS.has(type)) return false;
    const second = data.readUInt32BE(0) === MAGIC_BLOB_WRAPPER;
    return `${second ? 'second signature' : 'blob'} of type 0x${type.toString(16)} not checked: not supported`;
  });
}

function checkCms(
  list: CheckList,
  { blobs, directories, best }: Signature,
  subject: string,
  expectations: CodeExpectations,
): CmsVerdict | null {
  const wrapper = blobs.find(({ type }) => type === SLOT_CMS);
  const cms =
    wrapper &&
    list.read('code-cms', () => {
      const usual = Math.min(wrapper.data.length, LIMITS.cmsBytes);
      expectations.spend?.(usual, WORK.cms);
      expectations.spend?.(wrapper.data.length - usual, WORK.largeCms);
      return blobContent(wrapper.data, MAGIC_BLOB_WRAPPER);
    });
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
  const verdict = expectations.verifyCms({
    cms,
    codeDirectories: directories,
    subject,
    exact: isExactCode(expectations),
    demanding: expectations.ours || expectations.asNotary === true,
  });
  list.add(verdict.checks);
  // Apple's rule: the team in the code directory is that of the certificate (errSecCSSignatureInvalid family, -66997).
  list.check('code-team', [
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

function checkRequirement(
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
  if (result === 'unknown') list.skip(id, `cannot be known without a Mac: ${renderRequirement(requirement)}`);
  else list.check(id, [result === 'false' && `the code does not meet: ${renderRequirement(requirement)}`]);
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
