import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { install } from './installer.ts';
import { makeWorld, type World } from './lives.ts';
import { after, namesOurBundle, storedByAuthd, type Task } from './right-model.ts';
import { REPOSITORY, type Right, type Shell, type SimulatedMac, simulatedMacNeeds } from './simulated-mac.ts';
import {
  BUNDLE,
  GUARD_JOB,
  GUARD_LABEL,
  GUARD_SCRIPT,
  pipelineNeeds,
  pipelinePackages,
  RESOURCES,
  testPackages,
} from './test-package.ts';

/** One step of `expected.json`. */
interface Expected {
  readonly outcome: 'changed' | 'unchanged' | 'refuse';
  readonly mechanisms?: readonly string[];
  readonly reason?: string;
  readonly mayDeleteBundle?: boolean;
}

/** One case of `expected.json`; see test/fixtures/authorizationdb/README.md. */
interface Case {
  readonly read: { readonly exit: number; readonly stderr: string };
  readonly register: Expected;
  readonly unregister: Expected;
  readonly heal: Expected;
  readonly unlock: Expected;
  readonly authd?: { readonly write: 'accepted' | 'denied'; readonly readBack?: readonly string[] };
  readonly alsoAcceptable?: { readonly register: Expected };
}

const FOLDER = join(REPOSITORY, 'test/fixtures/authorizationdb');
const CASES: Readonly<Record<string, Case>> = JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8')).cases;
export const CASE_NAMES = Object.keys(CASES);

/** Keys authd keeps, where their values are of the type it wants. */
const KEPT: Readonly<Record<string, (value: unknown) => boolean>> = {
  class: () => true,
  comment: (value) => typeof value === 'string',
  created: () => true,
  identifier: () => true,
  requirement: () => true,
  shared: (value) => typeof value === 'boolean',
  tries: Number.isInteger,
  version: Number.isInteger,
  'extract-password': (value) => typeof value === 'boolean',
  'default-prompt': () => true,
  'default-button': () => true,
};

/** How each act of a case ends, and whether authd takes what is written. */
export function outcomesOf(name: string): string {
  const { register, unregister, heal, unlock, authd } = CASES[name] as Case;
  return [...[register, unregister, heal, unlock].map(({ outcome }) => outcome), authd?.write].join(' ');
}

/** Holds the model of these tests to what the corpus says. */
export function describeModel(): void {
  describe('the model of these tests', () => {
    it.each(Object.entries(CASES))('agrees with expected.json: %s', (name, expected) => {
      for (const task of ['register', 'unregister', 'heal', 'unlock'] as const) {
        const { outcome, mechanisms } = expected[task];
        if (outcome === 'refuse') continue;
        const before = listIn(name);
        if (before !== undefined) expect(after(task, before), task).toEqual(mechanisms ?? before);
      }
      if (expected.authd?.readBack !== undefined)
        expect(storedByAuthd(expected.register.mechanisms!)).toEqual(expected.authd.readBack);
    });
  });
}

/** Runs cases of the corpus through installed packages, with one shell as /bin/sh. */
export function describeCorpus(shell: Shell, cases: readonly string[]): void {
  // Two Macs side by side: a case waits for processes most of the time.
  describe.skipIf(simulatedMacNeeds.missing).concurrent(`the corpus under ${shell}${simulatedMacNeeds.note}`, () => {
    const idle: World[] = [];
    const waiting: ((world: World) => void)[] = [];
    let folder: string;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'corpus-'));
      const packages = pipelineNeeds.missing ? testPackages(folder) : pipelinePackages(folder);
      idle.push(...(await Promise.all([makeWorld(shell, packages), makeWorld(shell, packages)])));
    });
    afterAll(async () => {
      await Promise.all(idle.map(({ mac }) => mac.stop()));
      rmSync(folder, { recursive: true, force: true });
    });

    it.each(cases)('%s', async (name) => {
      const expected = CASES[name] as Case;
      const world = idle.pop() ?? (await new Promise<World>((resolve) => waiting.push(resolve)));
      try {
        await registers(world, name, expected);
        await uninstalls(world, name, expected);
        await guards(world, name, expected, 'heal');
        await guards(world, name, expected, 'unlock');
        expect(world.mac.unknownCalls()).toBe('');
      } finally {
        const next = waiting.shift();
        if (next) next(world);
        else idle.push(world);
      }
    });
  });
}

/** The mechanisms of a case, where it is XML as CoreFoundation writes it; read by other means than the stand-ins'. */
function listIn(name: string): string[] | undefined {
  const text = readFileSync(join(FOLDER, `${name}.plist`), 'utf8');
  const list = /\n\t<key>mechanisms<\/key>\n\t<array>\n(.*?)\n\t<\/array>/s.exec(text)?.[1];
  if (list === undefined || name.startsWith('output-') || name.startsWith('shape-')) return undefined;
  return [...list.matchAll(/<string>(.*?)<\/string>/gs)].map((match) =>
    match[1]!.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&'),
  );
}

async function start(world: World, snapshot: string, name: string): Promise<Buffer> {
  await world.mac.reset(snapshot);
  const bytes = readFileSync(join(FOLDER, `${name}.plist`));
  await world.mac.setRight(bytes, CASES[name]!.read);
  return bytes;
}

/** Installs the package (registers), registers once more, unregisters again. */
async function registers(world: World, name: string, expected: Case): Promise<void> {
  const { mac } = world;
  const bytes = await start(world, world.empty, name);
  const before = await mac.right();
  const installed = await install(mac, world.packages.product);
  const wanted = taken(expected, expected.register);
  await check(mac, 'register', wanted, bytes, before, installed.status);
  expect(existsSync(mac.path(BUNDLE)), 'the bundle stays whatever comes of it').toBe(true);
  expect(nothingLeft(mac)).toEqual([]);
  for (const call of mac.log()) expect(call.argv[0], 'a tool found through PATH').toMatch(/^\//);
  if (wanted.outcome === 'refuse') return;

  for (const [task, script] of [
    ['register', 'AuthDBSetup.sh'],
    ['unregister', 'AuthDBTeardown.sh'],
  ] as const) {
    const from = mac.rightBytes();
    const now = await mac.right();
    const run = await mac.run(['/bin/sh', `${RESOURCES}/${script}`]);
    const mayStay = task === 'unregister' && modelled(task, now!).mechanisms!.some(namesOurBundle);
    await check(mac, `${task} after register`, modelled(task, now!), from, now, mayStay ? 0 : run.status);
    if (mayStay) expect(run.status, 'an entry of another form still needs the bundle').toBe(1);
  }
}

/** Runs uninstall.sh on the installed product: unregister, and delete the bundle only if nothing names it. */
async function uninstalls(world: World, name: string, expected: Case): Promise<void> {
  const { mac } = world;
  const bytes = await start(world, world.installed, name);
  const before = await mac.right();
  const run = await mac.run(['/bin/sh', `${RESOURCES}/uninstall.sh`]);
  const wanted = taken(expected, expected.unregister);
  const mayDelete = wanted.outcome !== 'refuse' && expected.unregister.mayDeleteBundle === true;
  expect(run.status, `uninstall: ${mac.stdout()}`).toBe(mayDelete ? 0 : 1);
  await check(mac, 'uninstall', wanted, bytes, before, wanted.outcome === 'refuse' ? 1 : 0);
  expect(existsSync(mac.path(BUNDLE)), 'bundle after uninstall').toBe(!mayDelete);
  if (mayDelete) expect(existsSync(mac.path(GUARD_SCRIPT))).toBe(false);
}

/** Runs the guard's job with a valid bundle (heal), or with none (unlock). */
async function guards(world: World, name: string, expected: Case, task: 'heal' | 'unlock'): Promise<void> {
  const { mac } = world;
  const bytes = await start(world, world.installed, name);
  const before = await mac.right();
  if (task === 'unlock') await mac.shell(`/bin/rm -rf '${BUNDLE}'`);
  const run = await mac.run(['/bin/sh', GUARD_SCRIPT], { job: GUARD_LABEL });
  const wanted = taken(expected, expected[task]);
  expect(run.status, `${task}: ${mac.stdout()}`).toBe(wanted.outcome === 'refuse' ? 1 : 0);
  await check(mac, task, wanted, bytes, before, wanted.outcome === 'refuse' ? 1 : 0);
  expect(existsSync(mac.path(GUARD_JOB)), 'the guard stays').toBe(true);
  expect(nothingLeft(mac)).toEqual([]);
}

/** What an end-to-end run has to give: expected.json, with authd's own normalisation where the file tells it. */
function taken(expected: Case, step: Expected): Expected {
  if (step.outcome !== 'changed') return step;
  if (expected.authd?.write === 'denied') return { outcome: 'refuse', reason: 'denied' };
  return { ...step, mechanisms: storedByAuthd(step.mechanisms!)! };
}

function modelled(task: Task, right: Right): Expected {
  const list = right.mechanisms ?? [];
  const wanted = after(task, list)!;
  const same = JSON.stringify(wanted) === JSON.stringify(list);
  return { outcome: same ? 'unchanged' : 'changed', mechanisms: storedByAuthd(wanted)! };
}

async function check(
  mac: SimulatedMac,
  what: string,
  wanted: Expected,
  bytes: Buffer,
  before: Right | null,
  status: number,
): Promise<void> {
  const said = `${what}: ${mac.stdout()}${mac.stderr()}`;
  expect(status, said).toBe(wanted.outcome === 'refuse' ? 1 : 0);
  if (wanted.outcome !== 'changed') {
    expect(mac.rightBytes().equals(bytes), `${said}\nnothing may be written`).toBe(true);
    return;
  }
  const right = await mac.right();
  expect(right?.mechanisms ?? [], said).toEqual(wanted.mechanisms);
  for (const [key, value] of Object.entries(before ?? {}))
    if (KEPT[key]?.(value)) expect(right?.[key], `${what}: key ${key}`).toEqual(value);
}

/** Files of ours in temporary places: there are none after any run. */
function nothingLeft(mac: SimulatedMac): string[] {
  return ['/private/tmp', '/private/var/tmp', '/private/var/db'].flatMap((folder) =>
    readdirSync(mac.path(folder)).filter((name) => name !== 'receipts'),
  );
}
