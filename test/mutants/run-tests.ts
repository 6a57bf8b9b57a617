// Asks tests in one process that stays warm, again and again, each time with another switch on; started by asker.ts.
//
// It is given an Ask as a message and answers with an Answer.
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { register } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startTests, type Task, type Test, type VitestRunner } from '@vitest/runner';
import { VitestSnapshotEnvironment } from 'vitest/runtime';
import { ALIVE, type Answer, type Ask, type Ran } from './question.ts';
import { SWITCH_ON, SWITCHES_SEEN } from './switches.ts';

/** What the switches in this process look at; those of programs that it starts read the files. */
const switches = { on: 0, record: false, seen: new Set<number>(), atLoad: new Set<number>() };
Object.assign(globalThis, { __switches: switches });

/** A file that a test compares a text with is read only: no fault writes what it finds there. */
const snapshotOptions = { updateSnapshot: 'none', snapshotEnvironment: new VitestSnapshotEnvironment() } as const;

// What vitest's own worker would say; expect and inject ask for it.
Object.assign(globalThis, {
  __vitest_worker__: {
    config: { root: process.cwd(), sequence: {}, expect: {}, snapshotOptions },
    providedContext: { releaseFolder: process.argv[2] },
    environment: { name: 'node' },
    ctx: {},
    rpc: { resolveSnapshotPath: (path: string) => `${path}.snap` },
    metaEnv: {},
    durations: {},
  },
});

/** What begins and ends the snapshots of a file, without which toMatchFileSnapshot fails; it reads what is said above. */
const { TestRunner } = await import('vitest');

/** Longer than the asker waits. */
const NEVER = 2 ** 31 - 1;
const CONFIG = {
  root: process.cwd(),
  setupFiles: [],
  name: undefined,
  passWithNoTests: true,
  testNamePattern: undefined,
  allowOnly: true,
  sequence: { shuffle: false, concurrent: false, seed: 0, hooks: 'stack', setupFiles: 'list' },
  chaiConfig: undefined,
  maxConcurrency: 1,
  testTimeout: NEVER,
  hookTimeout: NEVER,
  retry: 0,
  includeTaskLocation: undefined,
  tags: [],
  tagsFilter: undefined,
  strictTags: false,
  diffOptions: undefined,
} as unknown as VitestRunner['config'];

function takeSeen(): number[] {
  for (const line of readFileSync(SWITCHES_SEEN, 'utf8').split('\n')) if (line) switches.seen.add(Number(line));
  truncateSync(SWITCHES_SEEN);
  const seen = [...switches.seen];
  switches.seen.clear();
  return seen;
}

const fullName = (task: Task): string =>
  task.suite?.name && task.suite.type === 'suite' && 'filepath' in task.suite === false
    ? `${fullName(task.suite)} > ${task.name}`
    : task.name;

/** The runner numbers groups and tests in the order of the file: a hash of the file's path, `_1` for its second group, `_0` for the first test there. */
const placeOf = ({ id }: Task): string => id.replace(/^[^_]*_/, '');

/** Leaves out tests that are not asked, and groups of which none is, whose hooks need not run either. */
function keep(task: Task, only: ReadonlySet<string>): boolean {
  const kept =
    task.type === 'test' ? only.has(placeOf(task)) : task.tasks.map((one) => keep(one, only)).some((one) => one);
  if (!kept && (task.mode === 'run' || task.mode === 'queued')) task.mode = 'skip';
  return kept && task.mode !== 'skip';
}

let asked = 0;

/** Runs one file; each time anew, with the modules that it imports as they are. */
async function runFile(file: string, { record }: Ask, only: readonly string[] | undefined): Promise<Answer> {
  const ran: Ran[] = [];
  const ownHits = new Set<number>();
  let atLoad: readonly number[] = [];
  let failure: Answer['failure'];
  let began = 0;
  const own = new TestRunner({ ...CONFIG, experimental: {} } as ConstructorParameters<typeof TestRunner>[0]);
  const runner: VitestRunner = {
    config: CONFIG,
    onBeforeRunSuite: (suite) => own.onBeforeRunSuite(suite),
    onAfterRunFiles: () => own.onAfterRunFiles(),
    importFile: (path) => import(`${pathToFileURL(path).href}?asked=${asked}`),
    onCollected: ([root]) => {
      atLoad = takeSeen();
      if (only && root) keep(root, new Set(only));
    },
    onBeforeRunTask: (test) => {
      if (failure && !record) test.mode = 'skip';
      for (const hit of takeSeen()) ownHits.add(hit);
      began = performance.now();
      process.send?.(ALIVE);
    },
    onAfterRunTask: (test: Test) => {
      const { state, errors } = test.result ?? { state: 'skip' };
      if (state === 'skip') return;
      const failed = state === 'fail';
      const [name, place, seconds] = [fullName(test), placeOf(test), (performance.now() - began) / 1000];
      const words = { ...(failed && { words: String(errors?.[0]?.message) }) };
      ran.push({ file, name, place, seconds, failed, ...words, by: takeSeen() });
      if (failed) failure ??= ran.at(-1);
    },
  };
  const start = performance.now();
  const [root] = await startTests([join(process.cwd(), file)], runner);
  for (const hit of takeSeen()) ownHits.add(hit);
  const failed = root?.result?.state === 'fail' && !failure;
  const seconds = (performance.now() - start) / 1000 - ran.reduce((sum, one) => sum + one.seconds, 0);
  const words = { ...(failed && { words: String(firstError(root)) }) };
  ran.push({ file, name: '', place: '', seconds, failed, ...words, by: [...ownHits] });
  if (failed) failure = ran.at(-1);
  return { ran, atLoad, ...(failure && { failure }) };
}

function firstError(task: Task): string | undefined {
  const own = task.result?.errors?.[0]?.message;
  return own ?? (task.type === 'suite' ? task.tasks.map(firstError).find(Boolean) : undefined);
}

async function answer(ask: Ask): Promise<Answer> {
  asked++;
  Object.assign(switches, { on: ask.on, record: ask.record });
  writeFileSync(SWITCH_ON, ask.record ? 'record' : String(ask.on));
  takeSeen();
  const ran: Ran[] = [];
  const atLoad: number[] = [];
  for (const { file, only } of ask.files) {
    process.send?.(ALIVE);
    const one = await runFile(file, ask, only);
    ran.push(...one.ran);
    atLoad.push(...one.atLoad);
    if (one.failure && !ask.record) return { ran, atLoad, failure: one.failure };
  }
  return { ran, atLoad: [...atLoad, ...switches.atLoad] };
}

register(new URL('./hooks.mjs', import.meta.url));
// What a fault leaves behind it must not end the process in the midst of the next one.
process.on('uncaughtException', () => {});
process.on('unhandledRejection', () => {});
process.on('message', (ask: Ask) => {
  answer(ask).then((one) => process.send?.(one));
});
