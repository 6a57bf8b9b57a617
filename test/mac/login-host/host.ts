import { type ExecFileException, execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { keptBuild } from '../../support/kept-build.ts';
import { findOnPath, needs } from '../../support/needs.ts';

export type Slice = 'x86_64' | 'arm64';

/** What a run recorded, in its order. The fields depend on `event`; see README.md. Texts have one character a byte. */
export interface HostEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** One line of `run` and `fault`. */
export interface Run {
  readonly scenario: string;
  readonly slice: string;
  readonly invokes: number;
  readonly allows: number;
  readonly deactivations: number;
  readonly requestCleared: boolean;
  readonly keyChanged: boolean;
  readonly worstMs: number; // virtual time of the longest Invoke
  readonly hits: { readonly password: number; readonly key: number; readonly searchedBytes: number };
  readonly calls: Readonly<Record<string, number>>; // by Mach-O symbol
  readonly violations: readonly string[];
  readonly events: readonly HostEvent[];
  readonly fault?: { readonly import: string; readonly kind: string; readonly call: number };
}

/** The last line of `sample` and `full`. */
export interface Sweep {
  readonly runs: number;
  readonly fired: number;
  readonly broken: number;
  readonly worstMs: number;
  readonly seconds: number;
  readonly covered: readonly string[]; // "SYMBOL KIND"
}

const execute = promisify(execFile);
// From the project's folder, as a bundled benchmark lies elsewhere than this file.
const folder = `${resolve('test/mac/login-host')}/`;
export const SCENARIOS = resolve('test/fixtures/login-host/scenarios.json');
const BEHAVIOURS = resolve('test/fixtures/fdesetup/behaviours.json');
const own: Slice = process.arch === 'arm64' ? 'arm64' : 'x86_64';
const emulators: Record<Slice, string> = { x86_64: 'qemu-x86_64', arm64: 'qemu-aarch64' };
const libraries: Record<Slice, string> = {
  x86_64: '/usr/x86_64-linux-gnu/lib/libc.a',
  arm64: '/usr/aarch64-linux-gnu/lib/libc.a',
};

/** What is linked into the slice of this machine itself. */
const SYSTEM_LIBRARIES = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map((name) => `/usr/lib/${name}/libc.a`);
const VARIABLES = [
  'CLANG',
  'OBJCOPY',
  'CPATH',
  'C_INCLUDE_PATH',
  'LIBRARY_PATH',
  'COMPILER_PATH',
  'CCC_OVERRIDE_OPTIONS',
];

/** Returns whether another processor has to be played for a slice here; `native` is this machine's own. */
export const isEmulated = (slice: Slice | 'native'): boolean => slice !== 'native' && slice !== own;

/** Returns whether a slice can be run on this machine, and the words to end a skipped test's name with. */
export function canRun(slice: Slice): { missing: boolean; note: string } {
  const programs = needs('clang', 'ld.lld', ...(slice === own ? [] : [emulators[slice]]));
  if (process.platform !== 'linux') return { missing: true, note: ' (skipped: needs Linux)' };
  if (programs.missing || slice === own || existsSync(libraries[slice])) return programs;
  return { missing: true, note: ` (skipped: needs ${libraries[slice]})` };
}

/** Compiles the host for `slice` into `out`; for `native` with the plugin's sources linked in, and with sanitizers. */
export async function buildHost(out: string, slice: Slice | 'native', sources?: string): Promise<void> {
  const more = sources === undefined ? [] : [sources];
  // Which linker, which objcopy and which libraries: what `build.sh` leaves to the system.
  const { CLANG = 'clang', OBJCOPY = 'objcopy' } = process.env;
  const tools = [CLANG, 'ld.lld', 'ld', OBJCOPY].map((name) => findOnPath(name));
  const found = [...tools, ...Object.values(libraries), ...SYSTEM_LIBRARIES].filter((path) => path && existsSync(path));
  const madeOf = { files: [folder, ...more], programs: found as string[], variables: VARIABLES };
  const kept = await keptBuild(`login-host-${slice}`, madeOf, async (made) => {
    await execute('sh', [`${folder}build.sh`, made, slice, ...more]);
  });
  mkdirSync(out, { recursive: true });
  copyFileSync(join(kept, `login-host-${slice}`), join(out, `login-host-${slice}`));
}

/**
 * Runs the host and returns its lines of JSON; throws with its standard error when it refuses the plugin or crashes.
 *
 * @param slice `native`: the program with the plugin's sources linked in
 * @example await host(out, 'arm64', plugin, ['run', 'rotates'])
 */
export async function host<T>(
  out: string,
  slice: Slice | 'native',
  plugin: string,
  command: readonly string[],
): Promise<T[]> {
  const program = `${out}/login-host-${slice}`;
  const argv = ['--plugin', plugin, '--scenarios', SCENARIOS, '--behaviours', BEHAVIOURS, ...command];
  const [file, ...before] = isEmulated(slice) ? [emulators[slice as Slice], program] : [program];
  const { stdout } = await execute(file as string, [...before, ...argv], { maxBuffer: 1 << 28 }).catch(
    (error: ExecFileException & { stdout: string }) => {
      // Exit status 1: a sweep found broken rules, and prints them.
      if (error.code === 1) return error;
      throw error;
    },
  );
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as T);
}

/** Returns the scenarios as the table says, with what each must end in. */
export function readScenarios(): Scenario[] {
  return JSON.parse(readFileSync(SCENARIOS, 'utf8')) as Scenario[];
}

export interface Scenario {
  readonly id: string;
  readonly why: string;
  readonly mechanism?: string;
  readonly context?: Readonly<Record<string, unknown>>;
  readonly preferences?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly expect: Expectation;
}

/** What decisions.md and the issue ask for in a scenario; members left out are not looked at, except the rules of README.md. */
export interface Expectation {
  readonly outcome: string | null; // LastOutcome at the end; null: none written
  readonly outcomes?: readonly string[]; // after each login
  readonly spawns: readonly string[]; // fdesetup's commands, in order
  readonly cleared?: boolean;
  readonly failures?: number; // ConsecutiveFailures
  readonly exitStatus?: number; // LastExitStatus, none where it is left out
  readonly log?: readonly string[]; // each begins one message
  readonly idle?: boolean;
  readonly wrongType?: boolean;
  readonly outcomeKept?: string;
  readonly absent?: readonly string[]; // domains without GenerateNewKey at the end
  readonly kills?: readonly ('TERM' | 'KILL')[]; // those that were sent, to a question; a key change gets none
  readonly changed?: number; // key changes that ended with 0 by themselves, in the login or after it
  readonly failedUser?: number; // LastFailedUID
  readonly minMs?: number;
  readonly maxMs?: number;
  readonly stdinPassword?: string;
  readonly stdinUsername?: string;
  readonly deactivations?: number;
  readonly invokes?: number;
  readonly reads?: number; // context reads
  readonly allocations?: number; // of memory, four mechanisms need none
}
