import { FormatError } from '../../base/errors.ts';
import {
  LC_CODE_SIGNATURE,
  LINKEDIT_DATA_COMMAND,
  MACH_HEADER_64,
  MH_EXECUTE,
  SEGMENT_COMMAND_64,
} from '../../macho/layout.ts';
import { firstSectionOffset, type Macho, parseMacho, segmentNamed } from '../../macho/macho.ts';
import {
  type CodeDirectoryInput,
  cdHash,
  codeDirectorySize,
  EXEC_SEGMENT_MAIN_BINARY,
  encodeCodeDirectory,
  FLAG_RUNTIME,
} from '../code-directory.ts';
import {
  BLOB_INDEX,
  encodeBlob,
  encodeSuperBlob,
  MAGIC_BLOB_WRAPPER,
  MAGIC_EMBEDDED_SIGNATURE,
  SLOT_CMS,
  SLOT_CODE_DIRECTORY,
  SLOT_REQUIREMENTS,
  SUPER_BLOB_HEADER,
} from '../super-blob.ts';

/** What codesign sets aside for a CMS with its timestamp, in bytes. Source: Security-61901 CodeSigner.cpp, `mCMSSize`. */
const CMS_RESERVE = 18000;
/** codesign pads the signature to this. Source: Security-61901 signer.cpp. */
const SIGNATURE_ALIGNMENT = 16;
/** __LINKEDIT's size in memory is a multiple of this on every processor. Source: Security-61901 codesign_alloc.cpp. */
const VM_PAGE = 0x4000;
/** A signature may be followed by this many bytes of padding. Source: codesign_alloc.cpp. */
const MAX_TRAILER = 7;

/** What a slice is signed with. */
export interface SliceSigning {
  /** CFBundleIdentifier of its bundle. */
  readonly identifier: string;
  /** Organizational unit of the leaf certificate; null when ad-hoc. */
  readonly teamIdentifier: string | null;
  /** CS_* flags; with FLAG_RUNTIME the runtime version is the SDK that the slice was built with. */
  readonly flags: number;
  /** Bytes of the bundle's Info.plist and CodeResources; null for code that is not a bundle. */
  readonly infoPlist: Buffer | null;
  readonly codeResources: Buffer | null;
  /** Requirement set, header included: `encodeRequirementSet`. */
  readonly requirements: Buffer;
  /** Returns the CMS (DER) over a CodeDirectory; null signs ad-hoc. */
  readonly cms: ((codeDirectory: Buffer) => Promise<Buffer>) | null;
  /** Bytes to set aside for the whole signature, when another signer's choice is to be repeated. */
  readonly signatureSize?: number | undefined;
}

/** A slice with its signature, and its cdhash (20 bytes). */
export interface SignedSlice {
  readonly data: Buffer;
  readonly cdHash: Buffer;
  readonly codeDirectory: Buffer;
}

/**
 * Returns a slice with a new embedded signature in place of the one it had.
 *
 * The place is set aside first, then the CodeDirectory is made over the final load commands, signed once and put in: it fits, or
 * FormatError `SIGNATURE_TOO_LARGE` is thrown.
 *
 * @param slice thin 64-bit Mach-O file; it is not changed
 * @throws FormatError when the slice is malformed, its __LINKEDIT is not last, or there is no room for a load command
 * @see Security-61901 signer.cpp, `signMachO`, and codesign_alloc.cpp
 */
export async function signSlice(slice: Buffer, options: SliceSigning): Promise<SignedSlice> {
  const macho = parseMacho(slice);
  const directoryInput = directoryOptions(macho, options);
  const dataOffset = signatureOffset(slice, macho);
  const size = options.signatureSize ?? reservation(codeDirectorySize(directoryInput, dataOffset), options);
  const prepared = layOut(slice, macho, dataOffset, size);
  const codeDirectory = encodeCodeDirectory({ ...directoryInput, code: prepared.subarray(0, dataOffset) });
  const cms = options.cms === null ? Buffer.alloc(0) : await options.cms(codeDirectory);
  const signature = encodeSuperBlob(MAGIC_EMBEDDED_SIGNATURE, [
    { type: SLOT_CODE_DIRECTORY, data: codeDirectory },
    { type: SLOT_REQUIREMENTS, data: options.requirements },
    { type: SLOT_CMS, data: encodeBlob(MAGIC_BLOB_WRAPPER, cms) },
  ]);
  if (signature.length > size) {
    const problem = `the signature has ${signature.length} bytes, ${size} were set aside`;
    throw new FormatError('SIGNATURE_TOO_LARGE', 'SuperBlob', 0, problem, {
      hint: 'A certificate chain or timestamp of this size is not usual: check the identity and the timestamp service.',
    });
  }
  signature.copy(prepared, dataOffset);
  return { data: prepared, codeDirectory, cdHash: cdHash({ hashType: 2, data: codeDirectory }) };
}

function directoryOptions(macho: Macho, options: SliceSigning): Omit<CodeDirectoryInput, 'code'> {
  const text = segmentNamed(macho, '__TEXT');
  const hardened = (options.flags & FLAG_RUNTIME) !== 0;
  if (hardened && macho.version === null) {
    throw new FormatError('MACHO_VERSION', 'Mach-O', 0, 'no SDK version, which the hardened runtime needs', {
      hint: 'Link with -platform_version.',
    });
  }
  return {
    identifier: options.identifier,
    teamIdentifier: options.teamIdentifier,
    flags: options.flags,
    // The count of slots ends at the highest one that is used.
    specialSlots: [options.infoPlist, options.requirements, ...(options.codeResources ? [options.codeResources] : [])],
    execSegment: {
      base: BigInt(text.fileOffset),
      limit: BigInt(text.fileSize),
      flags: macho.fileType === MH_EXECUTE ? EXEC_SEGMENT_MAIN_BINARY : 0n,
    },
    runtimeVersion: hardened ? (macho.version?.sdk ?? 0) : 0,
  };
}

/** Returns where the signature goes: where the old one is, or behind all that is there. */
function signatureOffset(slice: Buffer, macho: Macho): number {
  const linkedit = segmentNamed(macho, '__LINKEDIT');
  const end = linkedit.fileOffset + linkedit.fileSize;
  if (end !== slice.length) throw invalid(linkedit.commandOffset + 40, `__LINKEDIT ends at ${end} of ${slice.length}`);
  const old = macho.codeSignature;
  if (old === null) return alignUp(slice.length, SIGNATURE_ALIGNMENT);
  const oldEnd = old.dataOffset + old.dataSize;
  if (
    old.dataOffset % SIGNATURE_ALIGNMENT !== 0 ||
    old.dataOffset < linkedit.fileOffset ||
    slice.length - oldEnd > MAX_TRAILER
  ) {
    throw invalid(old.commandOffset + 8, `a signature from ${old.dataOffset} to ${oldEnd} of ${slice.length}`);
  }
  return old.dataOffset;
}

function reservation(directorySize: number, options: SliceSigning): number {
  const index = SUPER_BLOB_HEADER.size + 3 * BLOB_INDEX.size;
  const cms = options.cms === null ? encodeBlob(MAGIC_BLOB_WRAPPER, Buffer.alloc(0)).length : CMS_RESERVE;
  return alignUp(index + directorySize + options.requirements.length + cms, SIGNATURE_ALIGNMENT);
}

/** Returns a copy of the slice, zeros where the signature will be, its load commands final. */
function layOut(slice: Buffer, macho: Macho, dataOffset: number, dataSize: number): Buffer {
  const prepared = Buffer.alloc(dataOffset + dataSize);
  slice.copy(prepared, 0, 0, Math.min(slice.length, dataOffset));
  const command = LINKEDIT_DATA_COMMAND.encode({
    command: LC_CODE_SIGNATURE,
    size: LINKEDIT_DATA_COMMAND.size,
    dataOffset,
    dataSize,
  });
  command.copy(prepared, macho.codeSignature?.commandOffset ?? addCommand(prepared, slice, macho));
  const linkedit = segmentNamed(macho, '__LINKEDIT');
  const fileSize = prepared.length - linkedit.fileOffset;
  const segment = SEGMENT_COMMAND_64.decode(prepared, linkedit.commandOffset);
  SEGMENT_COMMAND_64.encode({
    ...segment,
    fileSize: BigInt(fileSize),
    vmSize: BigInt(alignUp(fileSize, VM_PAGE)),
  }).copy(prepared, linkedit.commandOffset);
  return prepared;
}

/** Makes room for one more load command and returns its offset. */
function addCommand(prepared: Buffer, slice: Buffer, macho: Macho): number {
  const end = macho.commandsEnd + LINKEDIT_DATA_COMMAND.size;
  const free = firstSectionOffset(macho, slice.length) - macho.commandsEnd;
  const used = slice.subarray(macho.commandsEnd, end).some((byte) => byte !== 0);
  if (free < LINKEDIT_DATA_COMMAND.size || used) {
    throw new FormatError(
      'MACHO_NO_ROOM',
      'MachHeader64',
      macho.commandsEnd,
      `${free} free bytes for a load command of 16`,
      {
        hint: 'Link with -headerpad 40.',
      },
    );
  }
  const header = MACH_HEADER_64.decode(slice);
  MACH_HEADER_64.encode({
    ...header,
    commandCount: header.commandCount + 1,
    commandsSize: header.commandsSize + LINKEDIT_DATA_COMMAND.size,
  }).copy(prepared);
  return macho.commandsEnd;
}

function alignUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

function invalid(offset: number, problem: string): FormatError {
  return new FormatError('MACHO_INVALID', 'Mach-O', offset, problem);
}
