import { FormatError } from '../base/errors.ts';
import type { BindContext, MappedSegment } from './bind-context.ts';
import { chainedFixupProblem } from './chained-fixups.ts';
import {
  DYLD_INFO_COMMAND,
  LC_DYLD_CHAINED_FIXUPS,
  LC_DYLD_INFO,
  LC_DYLD_INFO_ONLY,
  LINKEDIT_DATA_COMMAND,
  SEGMENT_COMMAND_64,
} from './layout.ts';
import { linkeditProblem } from './linkedit.ts';
import { builtSince, type Macho, parseMacho } from './macho.ts';
import { OpcodeReader } from './opcode-reader.ts';

const VM_PROT_WRITE = 2;
const VM_PROT_EXECUTE = 4;
const POINTER_SIZE = 8n;
/** SDK 10.15, packed as in LC_BUILD_VERSION. Source: Policy::enforceFixupsInWritableSegments, "fall2019". */
const SDK_10_15 = 0x000a_0f00;
/** BIND_SPECIAL_DYLIB_WEAK_LOOKUP, the smallest. Source: mach-o/loader.h. */
const LEAST_ORDINAL = -3;

/**
 * Returns why the dyld of macOS 27 would not load a slice, one sentence a table; empty when it would.
 *
 * codesign passes such files, and older systems load them: a bind without BIND_OPCODE_SET_TYPE_IMM counted as a pointer there.
 * Looked at: __LINKEDIT's pieces, rebase, bind and lazy bind opcodes, or chained fixups. Each table is checked as dyld does it, up
 * to its first fault.
 *
 * @param slice one thin 64-bit Mach-O file
 * @throws FormatError when it cannot be read as one
 * @see dyld-1378, mach_o/Image.cpp (validLinkedit), BindOpcodes.cpp, RebaseOpcodes.cpp, ChainedFixups.cpp, Policy.cpp
 * @example bindTableProblems(slice) // ['bind opcodes: BIND_OPCODE_DO_BIND unknown bind type 0']
 */
export function bindTableProblems(slice: Buffer, macho: Macho = parseMacho(slice)): string[] {
  const segments = macho.segments.map((segment): MappedSegment => {
    const { initialProtection } = SEGMENT_COMMAND_64.decode(slice, segment.commandOffset);
    return {
      name: segment.name,
      size: segment.vmSize,
      vmAddress: segment.vmAddress,
      writable: (initialProtection & VM_PROT_WRITE) !== 0,
      executable: (initialProtection & VM_PROT_EXECUTE) !== 0,
    };
  });
  const onlyInData = builtSince(macho, SDK_10_15);
  const context: BindContext = { segments, dylibCount: macho.dylibs.length, onlyInData };
  const checked = [() => linkeditProblem(slice, macho), ...tableChecks(slice, macho, context)].map(firstFault);
  return checked.filter((problem) => problem !== null);
}

/** A table that cannot even be read is a problem like others. */
function firstFault(check: () => string | null): string | null {
  try {
    return check();
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
}

function tableChecks(slice: Buffer, macho: Macho, context: BindContext): (() => string | null)[] {
  return macho.commands.flatMap(({ command, offset }) => {
    if (command === LC_DYLD_INFO || command === LC_DYLD_INFO_ONLY) {
      const info = DYLD_INFO_COMMAND.decode(slice, offset);
      const table = (name: string, start: number, size: number) => new OpcodeReader(name, slice, start, size);
      return [
        () => rebaseProblem(table('rebase opcodes', info.rebaseOffset, info.rebaseSize), context),
        () => bindProblem(table('bind opcodes', info.bindOffset, info.bindSize), context, false),
        () => bindProblem(table('lazy bind opcodes', info.lazyBindOffset, info.lazyBindSize), context, true),
      ];
    }
    if (command !== LC_DYLD_CHAINED_FIXUPS) return [];
    const { dataOffset, dataSize } = LINKEDIT_DATA_COMMAND.decode(slice, offset);
    return [() => chainedFixupProblem(slice.subarray(dataOffset, dataOffset + dataSize), context)];
  });
}

/** Where a fixup lies, and why it may not lie there; null when it may. */
function placeProblem(context: BindContext, index: number, offset: bigint, what: string): string | null {
  const segment = context.segments[index];
  if (!segment) return `segment index ${index} too large`;
  if (offset > segment.size - POINTER_SIZE) return `segment offset 0x${offset.toString(16)} beyond ${segment.name}`;
  if (!context.onlyInData) return null;
  if (!segment.writable) return `pointer ${what} is in non-writable segment ${segment.name}`;
  return segment.executable ? `pointer ${what} is in executable segment ${segment.name}` : null;
}

/** Fixups of one opcode: how many, and how far apart beyond a pointer's size, in bytes. */
interface Run {
  readonly opcode: string;
  readonly times: bigint;
  readonly skip: bigint;
}

/** More than any table of a file this size could mean; a bound against hostile ones. */
const MOST_TIMES = 1n << 20n;
const ADDRESSES = 1n << 64n;

/**
 * Calls `check` for the two ends of a run, between which nothing else can go wrong, and returns the offset behind it or the first
 * problem: a table of a few bytes can ask for a million steps, and again.
 */
function along(run: Run, start: bigint, check: (offset: bigint) => string | null): bigint | string {
  if (run.times > MOST_TIMES) return `${run.opcode} ${run.times} times`;
  if (run.times === 0n) return start;
  const step = BigInt.asUintN(64, run.skip + POINTER_SIZE);
  const first = check(start);
  if (first !== null) return `${run.opcode} ${first}`;
  const last = start + (run.times - 1n) * step;
  if (last >= ADDRESSES) return `${run.opcode} steps beyond the end of memory`;
  const problem = check(last);
  return problem === null ? BigInt.asUintN(64, last + step) : `${run.opcode} ${problem}`;
}

const REBASE_TYPE_POINTER = 1;

/** What has to be set before a rebase. Source: REBASE_OPCODE_* in mach-o/loader.h. */
function rebaseProblem(reader: OpcodeReader, context: BindContext): string | null {
  let [type, segment, offset, placed] = [0, 0, 0n, false];
  const check = (at: bigint): string | null => {
    if (!placed) return 'missing preceding REBASE_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB';
    const problem = placeProblem(context, segment, at, 'rebase');
    if (problem !== null) return problem;
    return type === REBASE_TYPE_POINTER ? null : `unknown rebase type ${type}`;
  };
  const rebase = (opcode: string, times: bigint, skip: bigint) => {
    const end = along({ opcode: `REBASE_OPCODE_DO_REBASE_${opcode}`, times, skip }, offset, check);
    if (typeof end === 'string') return end;
    offset = end;
    return null;
  };
  while (!reader.done) {
    const { opcode, immediate } = reader.next();
    let problem: string | null = null;
    if (opcode === 0x00) {
      // Padding to 16 bytes is allowed behind DONE.
      if (reader.left > 15) return reader.says('rebase opcodes terminated early');
    } else if (opcode === 0x10) type = immediate;
    else if (opcode === 0x20) [segment, offset, placed] = [immediate, reader.uleb(), true];
    else if (opcode === 0x30) offset = BigInt.asUintN(64, offset + reader.uleb());
    else if (opcode === 0x40) offset += BigInt(immediate) * POINTER_SIZE;
    else if (opcode === 0x50) problem = rebase('IMM_TIMES', BigInt(immediate), 0n);
    else if (opcode === 0x60) problem = rebase('ULEB_TIMES', reader.uleb(), 0n);
    else if (opcode === 0x70) problem = rebase('ADD_ADDR_ULEB', 1n, reader.uleb());
    else if (opcode === 0x80) problem = rebase('ULEB_TIMES_SKIPPING_ULEB', reader.uleb(), reader.uleb());
    else problem = `unknown rebase opcode 0x${opcode.toString(16)}`;
    if (problem !== null) return reader.says(problem);
  }
  return null;
}

const BIND_TYPE_POINTER = 1;

/** What has to be set before a bind; null where nothing was set yet. */
interface BindState {
  type: number;
  segment: number | null;
  offset: bigint;
  ordinal: number | null;
  symbol: string | null;
}

function targetProblem(state: BindState, context: BindContext, offset: bigint): string | null {
  if (state.segment === null) return 'missing preceding BIND_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB';
  if (state.symbol === null) return 'missing preceding BIND_OPCODE_SET_SYMBOL_TRAILING_FLAGS_IMM';
  if (state.ordinal === null) return 'missing preceding BIND_OPCODE_SET_DYLIB_ORDINAL';
  if (state.ordinal > context.dylibCount)
    return `has library ordinal too large (${state.ordinal}) max (${context.dylibCount})`;
  if (state.ordinal < LEAST_ORDINAL) return `has unknown library special ordinal (${state.ordinal})`;
  if (state.type !== BIND_TYPE_POINTER) return `unknown bind type ${state.type}`;
  return placeProblem(context, state.segment, offset, 'bind');
}

/** Source: BIND_OPCODE_* in mach-o/loader.h. Lazy binds are pointers without saying so, and each ends with DONE. */
function bindProblem(reader: OpcodeReader, context: BindContext, lazy: boolean): string | null {
  const state: BindState = {
    type: lazy ? BIND_TYPE_POINTER : 0,
    segment: null,
    offset: 0n,
    ordinal: null,
    symbol: null,
  };
  const bind = (opcode: string, times: bigint, skip: bigint) => {
    const run = { opcode: `BIND_OPCODE_DO_BIND${opcode}`, times, skip };
    const end = along(run, state.offset, (offset) => targetProblem(state, context, offset));
    if (typeof end === 'string') return end;
    state.offset = end;
    return null;
  };
  while (!reader.done) {
    const { opcode, immediate } = reader.next();
    let problem: string | null = null;
    if (opcode === 0x00 && !lazy) return null;
    if (opcode === 0x10) state.ordinal = immediate;
    else if (opcode === 0x20) state.ordinal = Number(BigInt.asIntN(32, reader.uleb()));
    else if (opcode === 0x30) state.ordinal = immediate === 0 ? 0 : immediate - 16;
    else if (opcode === 0x40) state.symbol = reader.text();
    else if (opcode === 0x50) state.type = immediate;
    else if (opcode === 0x60) reader.sleb();
    else if (opcode === 0x70) [state.segment, state.offset] = [immediate, reader.uleb()];
    else if (opcode === 0x80) state.offset = BigInt.asUintN(64, state.offset + reader.uleb());
    else if (opcode === 0x90) problem = bind('', 1n, 0n);
    else if (opcode === 0xa0) problem = bind('_ADD_ADDR_ULEB', 1n, reader.uleb());
    else if (opcode === 0xb0) problem = bind('_ADD_ADDR_IMM_SCALED', 1n, BigInt(immediate) * POINTER_SIZE);
    else if (opcode === 0xc0) problem = bind('_ULEB_TIMES_SKIPPING_ULEB', reader.uleb(), reader.uleb());
    else if (opcode === 0xd0) problem = 'old arm64e bind opcodes not supported';
    else if (opcode !== 0x00) problem = `unknown bind opcode 0x${opcode.toString(16)}`;
    if (problem !== null) return reader.says(problem);
  }
  return null;
}
