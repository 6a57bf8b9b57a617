import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Asker, Outcome } from './asker/asker.ts';
import { applied, type Change } from './change.ts';
import type { Ask, Ran } from './question.ts';
import { type Numbered, placeSwitches, SWITCH_MODULE, withSwitches } from './switches.ts';

/** A room to try, in a copy of the tree. */
export interface Trial {
  readonly tree: string;
  readonly asker: Asker;
  readonly changes: readonly Change[];
  /** Files of tests that can notice a fault in a file. */
  readonly testsFor: (file: string) => readonly string[];
  /** Whether tests start the bundled command line, so that it must hold the switches too. */
  readonly bundled: boolean;
  /** Whether scripts are packed anew for each fault, where the release that tests share has them as they are. */
  readonly packed: boolean;
  /** Whether files of tests that take long are left out: what survives then may be noticed by them. */
  readonly quick: boolean;
  readonly say: (line: string) => void;
}

/** What became of one fault. */
export interface Verdict {
  readonly change: Change;
  readonly seconds: number;
  /** The test that noticed it; undefined when all passed. */
  readonly by?: string;
  /** Why no test was asked. */
  readonly unreached?: boolean;
}

/** How often a test may take as long as the longest of them took without a fault, before it counts as one that hangs. */
const TIMES = 4;
const LEAST_MS = 20_000;

/** What the tests do without a fault. */
interface Baseline {
  /** Those that pass. */
  readonly ran: readonly Ran[];
  /** Those that fail: they are never asked. */
  readonly failed: readonly Ran[];
  /** Switches that the source comes by while it loads. */
  readonly atLoad: ReadonlySet<number>;
}

/** Files of tests that take seconds of processor time. */
const TAKES_LONG =
  /^test\/(attacks|mac|github)\/|^test\/notary\/faults|^test\/scripts\/(edges|guard|register|status|uninstalling)/;

/** Tests to ask, in the order in which they are asked. */
interface Plan {
  readonly files: Ask['files'];
  /** What the longest of them takes without a fault. */
  readonly longest: number;
}

/** Whether a file is read by the parser of TypeScript, which reads JavaScript too, and can hold switches. */
export const isScript = (file: string): boolean => /\.(ts|mjs)$/.test(file);

/** Tries every fault of a room; tells each verdict as it comes. Returns the tests that could not be asked, as they fail without any fault. */
export async function tryRoom(trial: Trial, told: (verdict: Verdict) => void): Promise<readonly Ran[]> {
  const { tree, changes, asker } = trial;
  const numbered = changes.map((change, index) => ({ number: index + 1, change }));
  const files = [...new Set(changes.map(({ file }) => file))];
  placeSwitches(tree);
  const left = files.flatMap((file) => putSwitches(tree, file, numbered));
  try {
    if (trial.bundled) bundle(tree);
    const base = await baseline(trial, files);
    for (const fault of numbered) {
      const began = performance.now();
      const by = left.includes(fault) ? await tryInFile(trial, fault, base) : await tryBySwitch(trial, fault, base);
      const seconds = (performance.now() - began) / 1000;
      told({ change: fault.change, seconds, ...(by === '' ? { unreached: true } : by !== undefined && { by }) });
    }
    return base.failed;
  } finally {
    asker.end();
    for (const file of files) writeFileSync(join(tree, file), readFileSync(file));
  }
}

/** Writes a file of the tree with all its faults inside; returns those that need a file of their own. */
function putSwitches(tree: string, file: string, all: readonly Numbered[]): readonly Numbered[] {
  const own = all.filter(({ change }) => change.file === file);
  if (!isScript(file)) return own;
  const { text, left } = withSwitches(readFileSync(file, 'utf8'), own, join(tree, SWITCH_MODULE));
  writeFileSync(join(tree, file), text);
  return left;
}

function bundle(tree: string): void {
  execFileSync(process.execPath, [join(tree, 'build/setup/bundle.mjs'), tree]);
}

/** Runs all tests without a fault. */
async function baseline({ asker, testsFor, say, packed, quick }: Trial, files: readonly string[]): Promise<Baseline> {
  const tests = [...new Set(files.flatMap(testsFor))].filter((file) => !quick || !TAKES_LONG.test(file));
  const question = { files: tests.map((file) => ({ file })), on: 0, record: true };
  const outcome = await asker.ask(question, 3_600_000, environment(packed));
  if ('ended' in outcome) throw new Error(`without any fault: ${outcome.ended}`);
  const failed = outcome.ran.filter((one) => one.failed);
  const broken = new Set(failed.filter(({ name }) => name === '').map(({ file }) => file));
  const ran = outcome.ran.filter((one) => !one.failed && !broken.has(one.file));
  const seconds = ran.reduce((sum, one) => sum + one.seconds, 0);
  say(`  ${ran.filter(({ name }) => name).length} tests pass without a fault in ${seconds.toFixed(1)} s`);
  return { ran, failed, atLoad: new Set(outcome.atLoad) };
}

/** Scripts of a release are those of the tree without a fault: where scripts are what is broken, tests pack them anew. */
const environment = (packed: boolean): NodeJS.ProcessEnv => (packed ? { PACKAGES_UNDER_TEST: undefined } : {});

/** Returns the test that notices; undefined when none does, empty when none comes by. */
async function tryBySwitch(trial: Trial, { number, change }: Numbered, base: Baseline): Promise<string | undefined> {
  const { asker } = trial;
  const atLoad = base.atLoad.has(number);
  const plan = planOf(base.ran, trial.testsFor(change.file), atLoad ? undefined : number);
  if (plan.files.length === 0) return '';
  if (!atLoad) {
    const warm = await askPlan(asker, plan, number);
    if (noticed(warm) !== undefined && (await isSound(asker, warm))) return noticed(warm);
  }
  // In a process that has nothing in memory yet: what is kept from before may hide a fault, or look like one.
  asker.end();
  const cold = await askPlan(asker, plan, number);
  asker.end();
  if (noticed(cold) === undefined || (await isSound(asker, cold, plan))) return noticed(cold);
  // A test that needs one before it, which does not come by: all of its file are asked.
  const all = (file: string) => base.ran.filter((one) => one.file === file && one.name !== '');
  const files = plan.files.map((one) =>
    'failure' in cold && cold.failure?.file === one.file
      ? { ...one, only: all(one.file).map(({ place }) => place) }
      : one,
  );
  asker.end();
  return noticed(await askPlan(asker, { ...plan, files }, number));
}

async function tryInFile(trial: Trial, { change }: Numbered, base: Baseline): Promise<string | undefined> {
  const { asker, tree, bundled, packed } = trial;
  const path = join(tree, change.file);
  const before = readFileSync(path, 'utf8');
  writeFileSync(path, applied(readFileSync(change.file, 'utf8'), change));
  asker.end();
  try {
    if (bundled) bundle(tree);
    return noticed(await askPlan(asker, planOf(base.ran, trial.testsFor(change.file)), 0, environment(packed)));
  } catch (error) {
    return `it cannot be bundled: ${error}`;
  } finally {
    writeFileSync(path, before);
    asker.end();
    if (bundled) bundle(tree);
  }
}

/** Returns the tests that come by a switch, or all of them; quickest files first. */
function planOf(ran: readonly Ran[], tests: readonly string[], number?: number): Plan {
  const plans = tests.flatMap((file) => {
    const own = ran.filter((one) => one.file === file);
    const [around] = own.filter(({ name }) => name === '');
    const all = number === undefined || around?.by.includes(number);
    const chosen = own.filter(({ name, by }) => name !== '' && (all || by.includes(number as number)));
    const seconds = chosen.reduce((sum, one) => sum + one.seconds, around?.seconds ?? 0);
    return chosen.length === 0 ? [] : [{ file, only: chosen.map(({ place }) => place), seconds }];
  });
  plans.sort((a, b) => a.seconds - b.seconds);
  const longest = Math.max(0, ...ran.filter(({ file }) => tests.includes(file)).map(({ seconds }) => seconds));
  return { files: plans, longest };
}

const askPlan = (asker: Asker, { files, longest }: Plan, on: number, env: NodeJS.ProcessEnv = {}): Promise<Outcome> =>
  asker.ask({ files, on, record: false }, LEAST_MS + longest * 1000 * TIMES, env);

function noticed(outcome: Outcome): string | undefined {
  if ('ended' in outcome) return outcome.ended;
  return (
    outcome.failure && `${outcome.failure.file}: ${outcome.failure.name || 'does not load, or a hook of it fails'}`
  );
}

/** Whether the test that failed passes again without the fault, in the same process; with a plan, together with those of its file. */
async function isSound(asker: Asker, outcome: Outcome, plan?: Plan): Promise<boolean> {
  if ('ended' in outcome || !outcome.failure) return true;
  const { file, place } = outcome.failure;
  const files = plan?.files.filter((one) => one.file === file) ?? [{ file, ...(place && { only: [place] }) }];
  const again = await asker.ask({ files, on: 0, record: false }, 120_000);
  return noticed(again) === undefined;
}
