import { createHash } from 'node:crypto';
import { FormatError } from '../base/errors.ts';
import { type LayoutValue, layout, u8, u32be, u64be } from '../base/layout.ts';
import { MAGIC_CODE_DIRECTORY } from './super-blob.ts';

/**
 * CodeDirectory of version 0x20500, 96 bytes, big-endian; older versions end earlier. Identifier, team and hashes follow.
 * Source: `struct __CodeDirectory`, xnu osfmk/kern/cs_blobs.h.
 */
const FIELDS = {
  magic: u32be, // CSMAGIC_CODEDIRECTORY
  length: u32be, // bytes of the whole blob
  version: u32be,
  flags: u32be, // CS_*
  hashOffset: u32be, // bytes from the start of the blob to the hash of page 0
  identifierOffset: u32be, // bytes from the start of the blob
  specialSlotCount: u32be, // hashes that lie before hashOffset
  codeSlotCount: u32be, // pages
  codeLimit: u32be, // bytes of the slice that the page hashes cover
  hashSize: u8, // bytes
  hashType: u8, // CS_HASHTYPE_*
  platform: u8, // 0 for everybody but Apple
  pageSizeLog2: u8, // 12: pages of 4096 bytes; 0: one page
  spare2: u32be, // 0
  scatterOffset: u32be, // 0; since 0x20100
  teamOffset: u32be, // bytes from the start of the blob, 0 for none; since 0x20200
  spare3: u32be, // 0; since 0x20300
  codeLimit64: u64be, // 0 when codeLimit says it; since 0x20300
  execSegmentBase: u64be, // file offset of __TEXT; since 0x20400
  execSegmentLimit: u64be, // file size of __TEXT
  execSegmentFlags: u64be, // bit 0: main executable
  runtimeVersion: u32be, // SDK, packed; since 0x20500
  preEncryptOffset: u32be, // 0
};
export const CODE_DIRECTORY = layout('CodeDirectory', FIELDS);

/** CS_* flags that appear in signatures of third parties. Source: cs_blobs.h. */
export const FLAG_ADHOC = 0x2;
export const FLAG_RUNTIME = 0x10000;
/** CS_EXECSEG_MAIN_BINARY. Source: cs_blobs.h. */
export const EXEC_SEGMENT_MAIN_BINARY = 1n;

/** Header size in bytes by the lowest version that has it. Source: the field comments of cs_blobs.h. */
const HEADER_SIZES: readonly (readonly [number, number])[] = [
  [0x20500, 96],
  [0x20400, 88],
  [0x20300, 64],
  [0x20200, 52],
  [0x20100, 48],
  [0x20001, 44],
];
/** CSTYPE numbers: name for node:crypto and digest size in bytes. Source: CS_HASHTYPE_*, cs_blobs.h. */
const HASH_TYPES: Readonly<Record<number, { algorithm: string; size: number }>> = {
  1: { algorithm: 'sha1', size: 20 },
  2: { algorithm: 'sha256', size: 32 },
  3: { algorithm: 'sha256', size: 20 },
  4: { algorithm: 'sha384', size: 48 },
};
/** Best hash type first. Source: Security-61901 codedirectory.cpp. */
const HASH_RANK = [4, 2, 3, 1];
const SHA256 = 2;
const PAGE_SIZE_LOG2 = 12;
/** Bytes of a cdhash, whatever the digest. Source: CS_CDHASH_LEN, cs_blobs.h. */
const CD_HASH_SIZE = 20;

/** What a CodeDirectory says. Sizes and offsets in bytes. */
export interface CodeDirectory {
  readonly version: number;
  readonly flags: number;
  readonly identifier: string;
  readonly teamIdentifier: string | null;
  readonly codeLimit: number;
  readonly hashType: number;
  readonly platform: number;
  readonly pageSize: number;
  readonly execSegment: { readonly base: bigint; readonly limit: bigint; readonly flags: bigint } | null;
  /** SDK version, packed; 0 below version 0x20500. */
  readonly runtimeVersion: number;
  /** Hashes of slots -1, -2, …: the first one is Info.plist's. */
  readonly specialSlots: readonly Buffer[];
  /** Hashes of the pages, one behind the other. */
  readonly codeHashes: Buffer;
  /** Bytes of a hash. */
  readonly hashSize: number;
  /** Whether it has codesign's form: strings and hashes without a gap behind the header, unused fields zero. */
  readonly packed: boolean;
  /** The whole blob. */
  readonly data: Buffer;
}

/** What a new CodeDirectory is made of. */
export interface CodeDirectoryInput {
  readonly identifier: string;
  readonly teamIdentifier: string | null;
  readonly flags: number;
  /** Bytes before the signature; every byte of it is hashed. */
  readonly code: Buffer;
  /** Contents of slots -1, -2, …; null leaves the hash zero. */
  readonly specialSlots: readonly (Buffer | null)[];
  readonly execSegment: { readonly base: bigint; readonly limit: bigint; readonly flags: bigint } | null;
  /** SDK version, packed, or 0 to leave it out. */
  readonly runtimeVersion: number;
}

/**
 * Returns a CodeDirectory with SHA-256 over pages of 4096 bytes, in the lowest version that holds what is given.
 *
 * @see Security-61901 cdbuilder.cpp
 */
export function encodeCodeDirectory(input: CodeDirectoryInput): Buffer {
  const version = versionFor(input);
  const headerSize = headerSizeOf(version);
  const identifier = Buffer.from(`${input.identifier}\0`);
  const team = input.teamIdentifier === null ? Buffer.alloc(0) : Buffer.from(`${input.teamIdentifier}\0`);
  const special = input.specialSlots.map((slot) => (slot === null ? Buffer.alloc(32) : hashWith(SHA256, slot)));
  const pages = hashPages(input.code, SHA256, 1 << PAGE_SIZE_LOG2);
  const hashOffset = headerSize + identifier.length + team.length + special.length * 32;
  const header = CODE_DIRECTORY.encode({
    magic: MAGIC_CODE_DIRECTORY,
    length: hashOffset + pages.length * 32,
    version,
    flags: input.flags,
    hashOffset,
    identifierOffset: headerSize,
    specialSlotCount: special.length,
    codeSlotCount: pages.length,
    codeLimit: input.code.length,
    hashSize: 32,
    hashType: SHA256,
    platform: 0,
    pageSizeLog2: PAGE_SIZE_LOG2,
    spare2: 0,
    scatterOffset: 0,
    teamOffset: input.teamIdentifier === null ? 0 : headerSize + identifier.length,
    spare3: 0,
    codeLimit64: 0n,
    execSegmentBase: input.execSegment?.base ?? 0n,
    execSegmentLimit: input.execSegment?.limit ?? 0n,
    execSegmentFlags: input.execSegment?.flags ?? 0n,
    runtimeVersion: input.runtimeVersion,
    preEncryptOffset: 0,
  }).subarray(0, headerSize);
  return Buffer.concat([header, identifier, team, ...special.reverse(), ...pages]);
}

/** Returns the size in bytes that `encodeCodeDirectory` will need for a code of `codeSize` bytes. */
export function codeDirectorySize(input: Omit<CodeDirectoryInput, 'code'>, codeSize: number): number {
  const strings = Buffer.byteLength(input.identifier) + 1 + (input.teamIdentifier?.length ?? -1) + 1;
  const slots = input.specialSlots.length + Math.ceil(codeSize / (1 << PAGE_SIZE_LOG2));
  return headerSizeOf(versionFor(input)) + strings + slots * 32;
}

/**
 * Returns what a CodeDirectory says, after these checks: every string and hash lies inside the blob, and the number of pages is that of
 * codeLimit. Gaps between header, strings and hashes are given by `packed`: LLVM's linker pads the hashes to 16 bytes.
 *
 * @param data exactly the blob
 * @throws FormatError `CODE_DIRECTORY_INVALID`, `CODE_DIRECTORY_UNSUPPORTED` or `FORMAT_TRUNCATED`
 * @see Security-61901 codedirectory.cpp, `CodeDirectory::checkIntegrity`; xnu ubc_subr.c, `cs_validate_codedirectory`
 */
export function parseCodeDirectory(data: Buffer): CodeDirectory {
  const header = parseHeader(data);
  const { hashSize, hashOffset, specialSlotCount, codeSlotCount } = header;
  const firstHash = hashOffset - specialSlotCount * hashSize;
  const end = hashOffset + codeSlotCount * hashSize;
  const { identifier, teamIdentifier, stringsEnd } = parseStrings(data, header, firstHash);
  const special = (slot: number) => data.subarray(hashOffset - slot * hashSize, hashOffset - (slot - 1) * hashSize);
  return {
    version: header.version,
    flags: header.flags,
    identifier,
    teamIdentifier,
    codeLimit: codeLimitOf(header),
    hashType: header.hashType,
    platform: header.platform,
    pageSize: pageSizeOf(header),
    execSegment:
      header.version >= 0x20400
        ? { base: header.execSegmentBase, limit: header.execSegmentLimit, flags: header.execSegmentFlags }
        : null,
    runtimeVersion: header.runtimeVersion,
    specialSlots: Array.from({ length: specialSlotCount }, (_, index) => special(index + 1)),
    codeHashes: data.subarray(hashOffset, end),
    hashSize,
    packed: stringsEnd === firstHash && end === data.length && UNUSED.every((field) => BigInt(header[field]) === 0n),
    data,
  };
}

/** Fields that codesign leaves 0. */
const UNUSED = ['spare2', 'spare3', 'codeLimit64', 'preEncryptOffset'] as const;
/** More special slots than there are numbers for them; 11 are in use. */
const MAX_SPECIAL_SLOTS = 64;

type Header = LayoutValue<typeof FIELDS>;

/** Older versions are shorter: their missing fields read as zero. */
function parseHeader(data: Buffer): Header {
  const smallest = headerSizeOf(0);
  if (data.length < smallest) {
    throw new FormatError('FORMAT_TRUNCATED', 'CodeDirectory', data.length, `expected ${smallest} bytes or more`);
  }
  const decode = (size: number) =>
    CODE_DIRECTORY.decode(Buffer.concat([data.subarray(0, size), Buffer.alloc(CODE_DIRECTORY.size)]));
  const { version } = decode(smallest);
  // Bounds of versions that Apple's reader accepts: earliestVersion and compatibilityLimit, codedirectory.h.
  demand(version >= 0x20001 && version < 0x2f000, 'version', `0x${version.toString(16)}`);
  demand(data.length >= headerSizeOf(version), 'version', `0x${version.toString(16)} in ${data.length} bytes`);
  const header = decode(headerSizeOf(version));
  demand(header.magic === MAGIC_CODE_DIRECTORY, 'magic', `0x${header.magic.toString(16)}`);
  demand(header.length === data.length, 'length', `${header.length}, the blob has ${data.length} bytes`);
  const hash = HASH_TYPES[header.hashType];
  demand(hash !== undefined, 'hashType', `${header.hashType}`);
  demand(header.hashSize === hash?.size, 'hashSize', `${header.hashSize}, expected ${hash?.size}`);
  const shift = header.pageSizeLog2;
  demand(shift === 0 || (shift >= 12 && shift <= 16), 'pageSizeLog2', `${shift}`);
  if (header.scatterOffset !== 0) {
    const offset = CODE_DIRECTORY.offsetOf('scatterOffset');
    throw new FormatError('CODE_DIRECTORY_UNSUPPORTED', 'CodeDirectory', offset, 'scattered pages are not supported');
  }
  const pages = Math.ceil(codeLimitOf(header) / pageSizeOf(header));
  demand(header.codeSlotCount === pages, 'codeSlotCount', `${header.codeSlotCount}, expected ${pages}`);
  demand(header.specialSlotCount <= MAX_SPECIAL_SLOTS, 'specialSlotCount', `${header.specialSlotCount}`);
  const end = header.hashOffset + header.codeSlotCount * header.hashSize;
  demand(end <= data.length, 'hashOffset', `the hashes end at ${end} of ${data.length}`);
  return header;
}

/** Bytes that are hashed; code from 4 GiB on, and some signers always, put it into the wider field. */
function codeLimitOf({ codeLimit, codeLimit64 }: Pick<Header, 'codeLimit' | 'codeLimit64'>): number {
  return codeLimit64 === 0n ? codeLimit : Number(codeLimit64);
}

/** Shift 0 stands for one page that holds everything. */
function pageSizeOf(header: Pick<Header, 'pageSizeLog2' | 'codeLimit' | 'codeLimit64'>): number {
  return header.pageSizeLog2 === 0 ? Math.max(1, codeLimitOf(header)) : 2 ** header.pageSizeLog2;
}

/** Returns the full digest of a CodeDirectory, made with its own algorithm. */
export function codeDirectoryDigest(directory: Pick<CodeDirectory, 'hashType' | 'data'>): Buffer {
  return hashWith(directory.hashType, directory.data);
}

/** Returns the cdhash, 20 bytes: what the kernel, tickets and `codesign -dvvv` know this code by. */
export function cdHash(directory: Pick<CodeDirectory, 'hashType' | 'data'>): Buffer {
  return codeDirectoryDigest(directory).subarray(0, CD_HASH_SIZE);
}

/** Returns the CodeDirectory that a system would choose: the one with the strongest digest. */
export function bestCodeDirectory<T extends { readonly hashType: number }>(directories: readonly T[]): T | undefined {
  return [...directories].sort((a, b) => HASH_RANK.indexOf(a.hashType) - HASH_RANK.indexOf(b.hashType))[0];
}

/** Returns the digest of `data` in the form slots have: cut to the size that the hash type says. */
export function hashWith(hashType: number, data: Buffer): Buffer {
  const hash = HASH_TYPES[hashType];
  if (!hash) throw new TypeError(`hash type ${hashType}`);
  return createHash(hash.algorithm).update(data).digest().subarray(0, hash.size);
}

/** Returns the name of a digest for node:crypto, or the number in text. */
export function hashTypeName(hashType: number): string {
  return HASH_TYPES[hashType]?.algorithm ?? String(hashType);
}

/** Returns one hash a page; the last page is hashed at its real length. */
export function hashPages(code: Buffer, hashType: number, pageSize: number): Buffer[] {
  const hashes: Buffer[] = [];
  for (let at = 0; at < code.length; at += pageSize) hashes.push(hashWith(hashType, code.subarray(at, at + pageSize)));
  return hashes;
}

function versionFor(input: Pick<CodeDirectoryInput, 'runtimeVersion' | 'execSegment' | 'teamIdentifier'>): number {
  if (input.runtimeVersion !== 0) return 0x20500;
  if (input.execSegment !== null && input.execSegment.limit > 0n) return 0x20400;
  return input.teamIdentifier === null ? 0x20100 : 0x20200;
}

function headerSizeOf(version: number): number {
  const known = HEADER_SIZES.find(([lowest]) => version >= lowest);
  return known ? known[1] : 44;
}

/** The strings lie between header and hashes; codesign puts them directly behind the header, the team after the identifier. */
function parseStrings(
  data: Buffer,
  header: Pick<Header, 'version' | 'identifierOffset' | 'teamOffset'>,
  end: number,
): { identifier: string; teamIdentifier: string | null; stringsEnd: number } {
  const headerSize = headerSizeOf(header.version);
  const { identifierOffset, teamOffset } = header;
  demand(identifierOffset >= headerSize, 'identifierOffset', `${identifierOffset}, expected ${headerSize} or more`);
  const identifierEnd = stringEnd(data, identifierOffset, end, 'identifierOffset');
  const identifier = data.toString('utf8', identifierOffset, identifierEnd - 1);
  // -1 tells `packed` that they do not lie where codesign puts them.
  const place = identifierOffset === headerSize ? identifierEnd : -1;
  if (teamOffset === 0) return { identifier, teamIdentifier: null, stringsEnd: place };
  demand(teamOffset >= headerSize, 'teamOffset', `${teamOffset}, expected ${headerSize} or more`);
  const teamEnd = stringEnd(data, teamOffset, end, 'teamOffset');
  const teamIdentifier = data.toString('utf8', teamOffset, teamEnd - 1);
  return { identifier, teamIdentifier, stringsEnd: teamOffset === place ? teamEnd : -1 };
}

/** Returns the offset after a string's NUL, which must lie before `end`. */
function stringEnd(
  data: Buffer,
  start: number,
  end: number,
  field: Parameters<typeof CODE_DIRECTORY.offsetOf>[0],
): number {
  const terminator = data.subarray(0, Math.max(0, end)).indexOf(0, start);
  demand(terminator >= start, field, `a string at ${start} that does not end before ${end}`);
  return terminator + 1;
}

function demand(fits: boolean, field: Parameters<typeof CODE_DIRECTORY.offsetOf>[0], found: string): void {
  if (fits) return;
  throw new FormatError(
    'CODE_DIRECTORY_INVALID',
    'CodeDirectory',
    CODE_DIRECTORY.offsetOf(field),
    `${field}: ${found}`,
  );
}
