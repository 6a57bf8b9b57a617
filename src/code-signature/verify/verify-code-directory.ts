import { MH_EXECUTE } from '../../macho/layout.ts';
import type { Macho } from '../../macho/macho.ts';
import { type CodeDirectory, EXEC_SEGMENT_MAIN_BINARY, FLAG_ADHOC, FLAG_RUNTIME, hashWith } from '../code-directory.ts';
import {
  type Blob,
  SLOT_ALTERNATE_CODE_DIRECTORIES,
  SLOT_CODE_RESOURCES,
  SLOT_INFO_PLIST,
  SLOT_REQUIREMENTS,
} from '../super-blob.ts';
import { type CodeExpectations, isExactCode, type SliceSurroundings } from './code-expectations.ts';

const SHA256 = 2;
const OUR_PAGE_SIZE = 4096;
const OUR_VERSION = 0x20500;

/** Returns what is wrong with the fields of a code directory, compared with its slice and Info.plist. */
export function directoryProblems(
  directory: CodeDirectory,
  macho: Macho,
  { identifier }: SliceSurroundings,
  expectations: CodeExpectations,
): (string | false)[] {
  const { ours } = expectations;
  const exact = isExactCode(expectations);
  const { flags, runtimeVersion, codeLimit } = directory;
  const place = macho.codeSignature?.dataOffset ?? 0;
  const sdk = macho.version?.sdk ?? 0;
  const hardened = (flags & FLAG_RUNTIME) !== 0;
  const adHoc = (flags & FLAG_ADHOC) !== 0;
  return [
    codeLimit !== place && `codeLimit ${codeLimit}, the signature begins at ${place}`,
    // Others sign under a name of their own (codesign --identifier), and macOS compares nothing.
    ours &&
      identifier !== null &&
      directory.identifier !== identifier &&
      `identifier ${directory.identifier}, Info.plist says ${identifier}`,
    directory.platform !== 0 && `platform ${directory.platform}`,
    ...(ours ? execSegmentProblems(directory, macho) : []),
    ours && !directory.packed && 'not in the form that codesign gives it',
    // codesign --runtime-version lets others claim another one.
    ours &&
      runtimeVersion !== 0 &&
      runtimeVersion !== sdk &&
      `runtime version ${hex(runtimeVersion)}, the SDK is ${hex(sdk)}`,
    ours && !hardened && 'not signed with the hardened runtime',
    ours && (flags & ~(FLAG_RUNTIME | FLAG_ADHOC)) !== 0 && `flags ${hex(flags)}`,
    exact && directory.version !== OUR_VERSION && `version ${hex(directory.version)}, expected 0x20500`,
    ours && runtimeVersion === 0 && 'no runtime version',
    ours && directory.hashType !== SHA256 && `hash type ${directory.hashType}, expected SHA-256`,
    exact && directory.pageSize !== OUR_PAGE_SIZE && `page size ${directory.pageSize}`,
    exact && directory.specialSlots.length !== 3 && `${directory.specialSlots.length} special slots, expected 3`,
    adHoc && directory.teamIdentifier !== null && 'an ad-hoc signature with a team',
  ];
}

/** Others write what they like, and macOS does not compare: 0 as limit in 2019, less than __TEXT by linkers of today, MAIN in libraries. */
function execSegmentProblems({ execSegment }: CodeDirectory, macho: Macho): (string | false)[] {
  if (execSegment === null) return [];
  const text = macho.segments.find(({ name }) => name === '__TEXT');
  const main = macho.fileType === MH_EXECUTE ? EXEC_SEGMENT_MAIN_BINARY : 0n;
  return [
    execSegment.base !== BigInt(text?.fileOffset ?? 0) && `executable segment at ${execSegment.base}`,
    execSegment.limit !== BigInt(text?.fileSize ?? 0) && `executable segment of ${execSegment.limit} bytes`,
    execSegment.flags !== main && `executable segment flags ${execSegment.flags}`,
  ];
}

/** Returns which pages changed since they were hashed. */
export function pageProblem(slice: Buffer, directory: CodeDirectory): string | undefined {
  const code = slice.subarray(0, directory.codeLimit);
  if (code.length !== directory.codeLimit) return `codeLimit ${directory.codeLimit} of ${slice.length} bytes`;
  const { hashType, hashSize, pageSize, codeHashes } = directory;
  const wrong: number[] = [];
  for (let page = 0; page * pageSize < code.length; page++) {
    const hash = hashWith(hashType, code.subarray(page * pageSize, (page + 1) * pageSize));
    if (!hash.equals(codeHashes.subarray(page * hashSize, (page + 1) * hashSize))) wrong.push(page);
  }
  const pages = Math.ceil(code.length / pageSize);
  return wrong.length > 0 ? `page ${wrong.slice(0, 8).join(', ')} changed, of ${pages}` : undefined;
}

/** What is there must have its hash; what is not there must have a hash of zeros, or none. */
export function slotProblems(
  directory: CodeDirectory,
  blobs: readonly Blob[],
  { infoPlist, codeResources }: SliceSurroundings,
): (string | false)[] {
  const content = (slot: number): Buffer | null => {
    if (slot === SLOT_INFO_PLIST) return infoPlist;
    if (slot === SLOT_CODE_RESOURCES) return codeResources;
    return blobs.find(({ type }) => type === slot)?.data ?? null;
  };
  // A blob that lies in the SuperBlob and has no slot is sealed by nothing: an entitlement that anybody could have put there.
  const slots = blobs.map(({ type }) => type).filter((type) => type < SLOT_ALTERNATE_CODE_DIRECTORIES);
  const highest = Math.max(directory.specialSlots.length, SLOT_CODE_RESOURCES, ...slots);
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

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
