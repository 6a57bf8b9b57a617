import { FormatError } from '../base/errors.ts';
import { beyond, LIMITS } from '../base/input/limits.ts';
import {
  architectureName,
  BUILD_VERSION_COMMAND,
  DYLIB_COMMAND,
  LC_BUILD_VERSION,
  LC_CODE_SIGNATURE,
  LC_LAZY_LOAD_DYLIB,
  LC_LOAD_DYLIB,
  LC_LOAD_UPWARD_DYLIB,
  LC_LOAD_WEAK_DYLIB,
  LC_REEXPORT_DYLIB,
  LC_SEGMENT,
  LC_SEGMENT_64,
  LC_UUID,
  LC_VERSION_MIN_MACOSX,
  LINKEDIT_DATA_COMMAND,
  LOAD_COMMAND,
  MACH_HEADER_64,
  MACH_HEADER_BE,
  MACH_HEADER_LE,
  MH_MAGIC,
  MH_MAGIC_64,
  PLATFORM_MACOS,
  SECTION,
  SECTION_64,
  SEGMENT_COMMAND,
  SEGMENT_COMMAND_64,
  UUID_COMMAND,
  VERSION_MIN_COMMAND,
  ZERO_FILLED_SECTION_TYPES,
} from './layout.ts';

/** More load commands than any real file has; a bound against hostile ones. */
const MAX_COMMANDS = 4096;
const DYLIB_COMMANDS = [LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB, LC_LOAD_UPWARD_DYLIB, LC_LAZY_LOAD_DYLIB];

/** A load command: its number, its place in the slice and its size, in bytes. */
export interface LoadCommand {
  readonly command: number;
  readonly offset: number;
  readonly size: number;
}

export interface Section {
  readonly name: string;
  readonly segmentName: string;
  /** Bytes from the start of the slice; 0 when the section has no bytes in the file. */
  readonly fileOffset: number;
  /** Bytes. */
  readonly size: number;
}

export interface Segment {
  readonly name: string;
  /** Where its load command begins, bytes from the start of the slice. */
  readonly commandOffset: number;
  readonly fileOffset: number;
  readonly fileSize: number;
  readonly vmAddress: bigint;
  readonly vmSize: bigint;
  readonly sections: readonly Section[];
}

/** A thin Mach-O file, read. Offsets and sizes are bytes from the start of the slice. */
export interface Macho {
  /** 32-bit files are read so that their signatures can be checked; no Mac since macOS 10.15 runs one. */
  readonly bits: 32 | 64;
  readonly cpuType: number;
  readonly cpuSubtype: number;
  /** As Apple's tools print it: `x86_64`, `arm64`. */
  readonly architecture: string;
  /** MH_* number; 8 is a bundle. */
  readonly fileType: number;
  readonly commands: readonly LoadCommand[];
  /** Where the load commands end. */
  readonly commandsEnd: number;
  readonly segments: readonly Segment[];
  /** What LC_CODE_SIGNATURE says, or null without one. */
  readonly codeSignature: {
    readonly commandOffset: number;
    readonly dataOffset: number;
    readonly dataSize: number;
  } | null;
  /** Versions packed as xxxx.yy.zz in 16, 8 and 8 bits; null without LC_BUILD_VERSION and LC_VERSION_MIN_MACOSX. */
  readonly version: { readonly platform: number; readonly minimumOs: number; readonly sdk: number } | null;
  /** 32 hexadecimal digits, or null. */
  readonly uuid: string | null;
  /** Install names of the libraries it links, in order. */
  readonly dylibs: readonly string[];
}

/**
 * Returns the structure of a little-endian thin Mach-O file, of 64 bits or of 32.
 *
 * Every offset and size is checked against the slice; nothing is read beyond it.
 *
 * @param slice the whole file, or one slice of a universal file
 * @throws FormatError with the structure's name and the offset of the command that is wrong; `MACHO_UNSUPPORTED` for PowerPC
 * @see mach-o/loader.h
 * @example parseMacho(await readFile('Example')).dylibs // ['/usr/lib/libSystem.B.dylib', …]
 */
export function parseMacho(slice: Buffer): Macho {
  const shape = shapeOf(slice);
  const header = MACH_HEADER_LE.decode(slice);
  const commands = listCommands(slice, shape, header.commandCount, header.commandsSize);
  const segments = commands
    .filter(({ command }) => command === shape.segmentCommand)
    .map((command) => parseSegment(slice, shape, command));
  return {
    bits: shape.bits,
    cpuType: header.cpuType,
    cpuSubtype: header.cpuSubtype,
    architecture: architectureName(header.cpuType, header.cpuSubtype),
    fileType: header.fileType,
    commands,
    commandsEnd: shape.headerSize + header.commandsSize,
    segments,
    codeSignature: parseCodeSignature(slice, commands),
    version: parseVersion(slice, commands),
    uuid: parseUuid(slice, commands),
    dylibs: commands.filter(({ command }) => DYLIB_COMMANDS.includes(command)).map((at) => parseDylib(slice, at)),
  };
}

/** What differs between files of 32 and of 64 bits. */
const SHAPES = {
  [MH_MAGIC_64]: {
    bits: 64,
    headerSize: MACH_HEADER_64.size,
    segmentCommand: LC_SEGMENT_64,
    segment: SEGMENT_COMMAND_64,
    section: SECTION_64,
  },
  [MH_MAGIC]: {
    bits: 32,
    headerSize: MACH_HEADER_LE.size,
    segmentCommand: LC_SEGMENT,
    segment: SEGMENT_COMMAND,
    section: SECTION,
  },
} as const;
type Shape = (typeof SHAPES)[keyof typeof SHAPES];

function shapeOf(slice: Buffer): Shape {
  const { magic } = MACH_HEADER_LE.decode(slice);
  const shape = SHAPES[magic as keyof typeof SHAPES];
  if (shape && slice.length >= shape.headerSize) return shape;
  const swapped = MACH_HEADER_BE.decode(slice);
  if (swapped.magic === MH_MAGIC || swapped.magic === MH_MAGIC_64) {
    const name = architectureName(swapped.cpuType, swapped.cpuSubtype);
    throw new FormatError(
      'MACHO_UNSUPPORTED',
      'MachHeader',
      0,
      `code for ${name} is not supported: no Mac since 2009 runs it`,
    );
  }
  throw invalid('MachHeader64', 0, `expected magic 0x${MH_MAGIC_64.toString(16)}, found 0x${magic.toString(16)}`);
}

/** Returns whether a file was built with an SDK of `least` or later, packed as in `version`; one that names none was not. */
export function builtSince({ version }: Macho, least: number): boolean {
  return version !== null && version.sdk >= least;
}

/** Returns the segment of that name; throws FormatError `MACHO_SEGMENT` when there is none, or more than one. */
export function segmentNamed(macho: Macho, name: string): Segment {
  const [found, ...others] = macho.segments.filter((segment) => segment.name === name);
  if (found && others.length === 0) return found;
  throw new FormatError(
    'MACHO_SEGMENT',
    'Mach-O',
    0,
    `expected one segment ${name}, found ${found ? 'several' : 'none'}`,
  );
}

/** Returns the offset of the first byte that a section has in the file, or the end of the slice without sections. */
export function firstSectionOffset(macho: Macho, sliceLength: number): number {
  const offsets = macho.segments
    .flatMap(({ sections }) => sections)
    .filter(({ fileOffset, size }) => fileOffset > 0 && size > 0)
    .map(({ fileOffset }) => fileOffset);
  return Math.min(sliceLength, ...offsets);
}

function listCommands(slice: Buffer, { bits, headerSize }: Shape, count: number, totalSize: number): LoadCommand[] {
  const end = headerSize + totalSize;
  if (totalSize > LIMITS.loadCommandBytes)
    throw beyond('MachHeader64', 'bytes of load commands', LIMITS.loadCommandBytes);
  if (count > MAX_COMMANDS) throw invalid('MachHeader64', 16, `${count} load commands, more than ${MAX_COMMANDS}`);
  if (end > slice.length) throw truncated('MachHeader64', 20, `load commands end at ${end} of ${slice.length}`);
  const commands: LoadCommand[] = [];
  let offset: number = headerSize;
  for (let index = 0; index < count; index++) {
    if (offset + LOAD_COMMAND.size > end) throw truncated('LoadCommand', offset, `no room for command ${index}`);
    const { command, size } = LOAD_COMMAND.decode(slice, offset);
    if (size < LOAD_COMMAND.size || size % (bits / 8) !== 0 || offset + size > end) {
      throw invalid('LoadCommand', offset + 4, `command ${index} has size ${size}, ${end - offset} bytes are left`);
    }
    commands.push({ command, offset, size });
    offset += size;
  }
  if (offset !== end) throw invalid('MachHeader64', 20, `load commands end at ${offset}, the header says ${end}`);
  return commands;
}

function parseSegment(slice: Buffer, { segment, section }: Shape, { offset, size }: LoadCommand): Segment {
  demandSize(segment.name, offset, size, segment.size);
  const raw = segment.decode(slice, offset);
  if (size !== segment.size + raw.sectionCount * section.size) {
    const problem = `${raw.sectionCount} sections do not fill ${size} bytes`;
    throw invalid(segment.name, offset + segment.offsetOf('sectionCount'), problem);
  }
  const fileOffset = Number(raw.fileOffset);
  const fileSize = Number(raw.fileSize);
  if (fileOffset + fileSize > slice.length) {
    const problem = `segment ends at ${fileOffset + fileSize} of ${slice.length}`;
    throw truncated(segment.name, offset + segment.offsetOf('fileOffset'), problem);
  }
  const sections = Array.from({ length: raw.sectionCount }, (_, index) =>
    parseSection(slice, section, offset + segment.size + index * section.size),
  );
  return {
    name: paddedName(raw.segmentName),
    commandOffset: offset,
    fileOffset,
    fileSize,
    vmAddress: BigInt(raw.vmAddress),
    vmSize: BigInt(raw.vmSize),
    sections,
  };
}

function parseSection(slice: Buffer, section: Shape['section'], offset: number): Section {
  const raw = section.decode(slice, offset);
  const inFile = !ZERO_FILLED_SECTION_TYPES.includes(raw.flags & 0xff);
  const size = Number(raw.size);
  if (inFile && size > 0 && raw.fileOffset + size > slice.length) {
    const problem = `section ends at ${raw.fileOffset + size} of ${slice.length}`;
    throw truncated(section.name, offset + section.offsetOf('fileOffset'), problem);
  }
  return {
    name: paddedName(raw.sectionName),
    segmentName: paddedName(raw.segmentName),
    fileOffset: inFile ? raw.fileOffset : 0,
    size,
  };
}

function parseCodeSignature(slice: Buffer, commands: readonly LoadCommand[]): Macho['codeSignature'] {
  const command = onlyOne(commands, LC_CODE_SIGNATURE, 'LC_CODE_SIGNATURE');
  if (!command) return null;
  demandSize('LinkeditDataCommand', command.offset, command.size, LINKEDIT_DATA_COMMAND.size, true);
  const { dataOffset, dataSize } = LINKEDIT_DATA_COMMAND.decode(slice, command.offset);
  if (dataOffset + dataSize > slice.length) {
    const problem = `signature ends at ${dataOffset + dataSize} of ${slice.length}`;
    throw truncated('LinkeditDataCommand', command.offset + 8, problem);
  }
  return { commandOffset: command.offset, dataOffset, dataSize };
}

/** Code for macOS and Mac Catalyst at once has a command for each: macOS counts. Two of one platform, or of both forms, mean nothing. */
function parseVersion(slice: Buffer, commands: readonly LoadCommand[]): Macho['version'] {
  const builds = new Map<number, NonNullable<Macho['version']>>();
  for (const { offset, size } of commands.filter(({ command }) => command === LC_BUILD_VERSION)) {
    demandSize('BuildVersionCommand', offset, size, BUILD_VERSION_COMMAND.size);
    const { platform, minimumOs, sdk } = BUILD_VERSION_COMMAND.decode(slice, offset);
    if (builds.has(platform)) throw invalid('LoadCommand', offset, `a second LC_BUILD_VERSION of platform ${platform}`);
    builds.set(platform, { platform, minimumOs, sdk });
  }
  const minimum = onlyOne(commands, LC_VERSION_MIN_MACOSX, 'LC_VERSION_MIN_MACOSX');
  if (minimum && builds.has(PLATFORM_MACOS)) {
    throw invalid('LoadCommand', minimum.offset, 'LC_VERSION_MIN_MACOSX beside LC_BUILD_VERSION');
  }
  const [first = null] = builds.values();
  if (!minimum) return builds.get(PLATFORM_MACOS) ?? first;
  demandSize('VersionMinCommand', minimum.offset, minimum.size, VERSION_MIN_COMMAND.size, true);
  const { minimumOs, sdk } = VERSION_MIN_COMMAND.decode(slice, minimum.offset);
  return { platform: PLATFORM_MACOS, minimumOs, sdk };
}

function parseUuid(slice: Buffer, commands: readonly LoadCommand[]): string | null {
  const command = onlyOne(commands, LC_UUID, 'LC_UUID');
  if (!command) return null;
  demandSize('UuidCommand', command.offset, command.size, UUID_COMMAND.size, true);
  return UUID_COMMAND.decode(slice, command.offset).uuid.toString('hex');
}

function parseDylib(slice: Buffer, { offset, size }: LoadCommand): string {
  demandSize('DylibCommand', offset, size, DYLIB_COMMAND.size);
  const { nameOffset } = DYLIB_COMMAND.decode(slice, offset);
  if (nameOffset < DYLIB_COMMAND.size || nameOffset >= size) {
    throw invalid('DylibCommand', offset + 8, `name at ${nameOffset} of a command of ${size} bytes`);
  }
  const end = slice.subarray(offset + nameOffset, offset + size).indexOf(0);
  if (end < 0) throw invalid('DylibCommand', offset + nameOffset, 'name without a terminator');
  return slice.toString('utf8', offset + nameOffset, offset + nameOffset + end);
}

function onlyOne(commands: readonly LoadCommand[], number: number, name: string): LoadCommand | undefined {
  const [first, second] = commands.filter(({ command }) => command === number);
  if (second) throw invalid('LoadCommand', second.offset, `a second ${name}`);
  return first;
}

function demandSize(structure: string, offset: number, size: number, expected: number, exactly = false): void {
  if (size < expected || (exactly && size !== expected)) {
    throw invalid(structure, offset + 4, `expected command size ${expected}, found ${size}`);
  }
}

function paddedName(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? field.length : end);
}

function invalid(structure: string, offset: number, problem: string): FormatError {
  return new FormatError('MACHO_INVALID', structure, offset, problem);
}

function truncated(structure: string, offset: number, problem: string): FormatError {
  return new FormatError('MACHO_TRUNCATED', structure, offset, problem);
}
