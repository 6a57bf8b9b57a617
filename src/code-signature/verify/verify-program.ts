import { type Check, CheckList } from '../../base/check.ts';
import { buildFat, type FatSlice, parseFat } from '../../macho/fat.ts';
import { isUniversal } from '../../macho/first-bytes.ts';
import {
  architectureName,
  CPU_TYPE_ARM64,
  CPU_TYPE_X86_64,
  MACH_HEADER_BE,
  MACH_HEADER_LE,
  MH_CORE,
  MH_DSYM,
  MH_MAGIC,
  MH_MAGIC_64,
  MH_OBJECT,
} from '../../macho/layout.ts';
import { parseMacho } from '../../macho/macho.ts';
import { type CodeExpectations, isExactCode, type SliceSurroundings } from './code-expectations.ts';
import { type SliceFacts, verifySlice } from './verify-slice.ts';

/** What was found of one or more code files. */
export interface FoundCode {
  readonly checks: readonly Check[];
  readonly slices: readonly SliceFacts[];
}

const NO_SURROUNDINGS: SliceSurroundings = {
  infoPlist: null,
  codeResources: null,
  identifier: null,
  information: new Map(),
};
/** What macOS neither runs nor loads: linkers and debuggers read it, and codesign signs none of it. Source: mach-o/loader.h. */
const NEVER_LOADED: ReadonlyMap<number, string> = new Map([
  [MH_OBJECT, 'object file'],
  [MH_CORE, 'core dump'],
  [MH_DSYM, 'debugging symbols'],
]);

/**
 * Checks every slice of a Mach-O file, and what they must have in common.
 *
 * @param name of the file in the checks' subjects
 * @param surroundings of a bundle's main executable; null for any other file
 */
export function checkProgram(
  data: Buffer,
  name: string,
  surroundings: SliceSurroundings | null,
  expectations: CodeExpectations,
): FoundCode {
  const list = new CheckList(name);
  const slices = list.read('code-universal', () => slicesIn(data));
  if (!slices) return { checks: list.checks, slices: [] };
  const unloaded = expectations.ours ? undefined : neverLoaded(slices);
  if (unloaded !== undefined) {
    list.skip('code-macho', `${unloaded}, which macOS neither runs nor loads`);
    return { checks: list.checks, slices: [] };
  }
  list.check('code-universal', universalProblems(data, slices, expectations));
  const facts: SliceFacts[] = [];
  for (const slice of slices) {
    const subject = `${name} (${slice.architecture})`;
    const around = surroundings ?? embeddedSurroundings(slice.data);
    const reason = expectations.ours ? undefined : whyPassedOver(slice, slices);
    if (reason !== undefined) {
      list.add([{ id: 'code-macho', status: 'skipped', reason, subject }]);
      continue;
    }
    const checked = verifySlice(slice.data, subject, around, expectations);
    list.add(checked.checks);
    if (checked.facts) facts.push(checked.facts);
  }
  const { problems, remarks } = disagreements(facts, expectations);
  list.check('code-slices-agree', problems, remarks);
  return { checks: list.checks, slices: facts };
}

type Slice = Pick<FatSlice, 'data' | 'architecture' | 'cpuType'>;

function slicesIn(data: Buffer): readonly Slice[] {
  if (isUniversal(data)) return parseFat(data);
  if (isPowerPc(data)) {
    const { cpuType, cpuSubtype } = MACH_HEADER_BE.decode(data);
    return [{ data, architecture: architectureName(cpuType, cpuSubtype), cpuType }];
  }
  const { architecture, cpuType } = parseMacho(data);
  return [{ data, architecture, cpuType }];
}

/** Old universal files hold slices beside the one that a Mac of today runs; unsigned, they cannot be run at all. */
function whyPassedOver({ data }: Slice, all: readonly Slice[]): string | undefined {
  if (isPowerPc(data)) return 'PowerPC code is not supported, and no Mac since 2009 runs it';
  if (!is32Bit(data) || all.every((slice) => is32Bit(slice.data))) return undefined;
  const macho = new CheckList('').read('', () => parseMacho(data));
  return macho?.codeSignature ? undefined : '32-bit code without a signature, which no Mac since macOS 10.15 runs';
}

function is32Bit(slice: Buffer): boolean {
  return slice.length >= MACH_HEADER_LE.size && MACH_HEADER_LE.decode(slice).magic === MH_MAGIC;
}

function isPowerPc(slice: Buffer): boolean {
  if (slice.length < MACH_HEADER_BE.size) return false;
  const { magic } = MACH_HEADER_BE.decode(slice);
  return magic === MH_MAGIC || magic === MH_MAGIC_64;
}

/** Returns what all slices are, when macOS runs none of them. */
function neverLoaded(slices: readonly Slice[]): string | undefined {
  const kinds = slices.map(({ data }) => {
    if (data.length < MACH_HEADER_LE.size) return undefined;
    return NEVER_LOADED.get((isPowerPc(data) ? MACH_HEADER_BE : MACH_HEADER_LE).decode(data).fileType);
  });
  return kinds.every((kind) => kind !== undefined) ? kinds[0] : undefined;
}

function universalProblems(data: Buffer, slices: readonly Slice[], expectations: CodeExpectations): (string | false)[] {
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
  const macho = new CheckList('').read('', () => parseMacho(slice));
  const section = macho?.segments
    .flatMap(({ sections }) => sections)
    .find(({ segmentName, name }) => segmentName === '__TEXT' && name === '__info_plist');
  if (!section) return NO_SURROUNDINGS;
  return { ...NO_SURROUNDINGS, infoPlist: slice.subarray(section.fileOffset, section.fileOffset + section.size) };
}

/**
 * Slices of others may have been signed one by one, under different names and with different flags: macOS looks at one of them. Two
 * signers in one file are a failure all the same: who answers for it then depends on the Mac.
 */
function disagreements(facts: readonly SliceFacts[], { ours }: CodeExpectations) {
  const [first, ...others] = facts;
  const signers = others.flatMap((other) => [
    first &&
      other.teamIdentifier !== first.teamIdentifier &&
      `teams ${first.teamIdentifier} and ${other.teamIdentifier}`,
    first && other.signerName !== first.signerName && `signers ${first.signerName} and ${other.signerName}`,
  ]);
  const forms = others.flatMap((other) => [
    first && other.identifier !== first.identifier && `identifiers ${first.identifier} and ${other.identifier}`,
    first && other.flags !== first.flags && `flags 0x${first.flags.toString(16)} and 0x${other.flags.toString(16)}`,
    first &&
      other.hashType === first.hashType &&
      other.sharedSlots.join() !== first.sharedSlots.join() &&
      'the slices seal different Info.plists, requirements or resources',
  ]);
  return ours ? { problems: [...forms, ...signers], remarks: [] } : { problems: signers, remarks: forms };
}
