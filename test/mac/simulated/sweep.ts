import { existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { install } from './installer.ts';
import {
  disk,
  installUpstream,
  loginWorks,
  makeWorld,
  mechanisms,
  removeByReceipt,
  restart,
  runGuard,
  runResource,
  type World,
  writeMechanisms,
} from './lives.ts';
import { namesOurBundle } from './right-model.ts';
import { REPOSITORY, type Shell, TIME_UP } from './simulated-mac.ts';
import { ANCHOR, BUNDLE, ENTRY, GUARD_SCRIPT, RESOURCES } from './test-package.ts';

/** One act of a life that can be disturbed at each of its external commands. */
export interface Act {
  readonly name: string;
  /** Brings the Mac into the state the act begins with. */
  prepare(world: World): Promise<void>;
  run(world: World): Promise<unknown>;
  /** The next run, undisturbed: what a person, an MDM or launchd does next. Default: the same again. */
  repair?(world: World): Promise<unknown>;
  /** What is not right after the repair; empty when all is. */
  wrong(world: World): Promise<string[]>;
}

/** How an external command is disturbed. */
export type Disturbance = 'none' | 'fail 1' | 'kill' | 'full disk';
const DISTURBANCES: readonly Disturbance[] = ['fail 1', 'kill'];

/** One disturbed run: the n-th external command of an act, and what it broke. */
export interface Point {
  readonly act: string;
  readonly disturbance: Disturbance;
  readonly n: number;
}
export interface Finding extends Point {
  readonly broken: readonly string[];
}

/** A login right with entries of two other vendors, which nobody may lose or move. */
const OTHERS = join(REPOSITORY, 'test/fixtures/authorizationdb/mix-crypt-three-mechanisms-macos-14-field.plist');

async function withOthers({ mac }: World, registered: boolean): Promise<void> {
  await mac.setRight(readFileSync(OTHERS));
  if (!registered) return;
  const list = await mechanisms(mac);
  await writeMechanisms(mac, list.toSpliced(list.indexOf(ANCHOR), 0, ENTRY));
}

async function registeredOnce({ mac }: World): Promise<string[]> {
  const list = await mechanisms(mac);
  const wrong: string[] = [];
  if (list.filter((entry) => entry === ENTRY).length !== 1) wrong.push('not registered exactly once');
  if (list.indexOf(ENTRY) !== list.indexOf(ANCHOR) - 1) wrong.push('not directly before the anchor');
  if ((await mac.seal(BUNDLE)) !== 'ok') wrong.push('the bundle is not valid');
  return wrong;
}

/** The guard is whole and runs, and nothing but what it is made of lies beside it. */
async function guarded({ mac }: World): Promise<string[]> {
  const wrong = existsSync(mac.path('/.sim/launchd/com.netflix.Escrow-Buddy.guard')) ? [] : ['the guard does not run'];
  const beside = existsSync(mac.path(dirname(GUARD_SCRIPT))) ? readdirSync(mac.path(dirname(GUARD_SCRIPT))) : [];
  const stray = beside.filter((name) => name !== 'guard.sh' && name !== 'guard.plist');
  return [...wrong, ...stray.map((name) => `beside guard.sh: ${name}`)];
}

async function unregistered({ mac }: World): Promise<string[]> {
  return (await mechanisms(mac)).some(namesOurBundle) ? ['an entry of ours is left'] : [];
}

async function nothingOfOurs(world: World): Promise<string[]> {
  const { mac } = world;
  const left = disk(mac).filter((line) => /Escrow[ -]Buddy/.test(line) && !line.includes('Escrow-Buddy.uninstall'));
  return [...(await unregistered(world)), ...left.map((line) => `left: ${line}`)];
}

/** Uninstalls as far as it can be reached: by the bundle's script, or by the package when the bundle is gone. */
function uninstallAgain({ mac, packages }: World): Promise<unknown> {
  if (existsSync(mac.path(`${RESOURCES}/uninstall.sh`))) return runResource(mac, 'uninstall.sh');
  return install(mac, packages.uninstall);
}

const setting = (mac: World['mac'], text: string) =>
  mac.put('/Library/Managed Preferences/com.netflix.Escrow-Buddy.plist', text);

/** The acts of all lives. */
export const ACTS: readonly Act[] = [
  {
    name: 'install',
    async prepare(world) {
      await world.mac.reset(world.empty);
      await withOthers(world, false);
    },
    run: ({ mac, packages }) => install(mac, packages.product),
    wrong: registeredOnce,
  },
  {
    name: 'upgrade from 1.0.0',
    async prepare(world) {
      await world.mac.reset(world.empty);
      await installUpstream(world.mac);
      await withOthers(world, true);
    },
    run: ({ mac, packages }) => install(mac, packages.product),
    wrong: registeredOnce,
  },
  {
    name: 'reinstall over a damaged bundle',
    async prepare(world) {
      await world.mac.reset(world.installed);
      truncateSync(world.mac.path(`${BUNDLE}/Contents/MacOS/Escrow Buddy`), 100);
      await withOthers(world, true);
    },
    run: ({ mac, packages }) => install(mac, packages.product),
    wrong: registeredOnce,
  },
  {
    name: 'install with EnableGuard',
    async prepare(world) {
      await world.mac.reset(world.empty);
      await withOthers(world, false);
      await setting(world.mac, '{EnableGuard = 1;}');
    },
    run: ({ mac, packages }) => install(mac, packages.product),
    wrong: async (world) => [...(await registeredOnce(world)), ...(await guarded(world))],
  },
  {
    name: "install the guard's package, where something else stands",
    async prepare(world) {
      await world.mac.reset(world.installed);
      await withOthers(world, true);
      await world.mac.shell('/bin/launchctl bootout system/com.netflix.Escrow-Buddy.guard');
      await world.mac.shell(
        `/bin/chmod 0777 '${dirname(GUARD_SCRIPT)}'; /bin/rm '${GUARD_SCRIPT}'; /bin/mkdir '${GUARD_SCRIPT}'`,
      );
    },
    run: ({ mac, packages }) => install(mac, packages.guard),
    wrong: async (world) => [...(await registeredOnce(world)), ...(await guarded(world))],
  },
  {
    name: 'install all three packages on another volume',
    async prepare(world) {
      await world.mac.reset(world.empty);
      await world.mac.put('/Volumes/Other/keep', '');
      await withOthers(world, false);
    },
    async run({ mac, packages }) {
      for (const component of [packages.product, packages.guard, packages.uninstall])
        await install(mac, component, '/Volumes/Other');
    },
    async wrong(world) {
      const there = existsSync(world.mac.path(`/Volumes/Other${BUNDLE}/Contents/Info.plist`));
      const here = disk(world.mac).filter((line) => /^(Library|private).*Escrow[ -]Buddy/.test(line));
      return [...(await unregistered(world)), ...(there ? [] : ['the bundle is not there']), ...here];
    },
  },
  {
    name: 'heal after an update of macOS',
    async prepare(world) {
      await world.mac.reset(world.installed);
      await withOthers(world, false);
    },
    run: ({ mac }) => runGuard(mac),
    repair: ({ mac }) => restart(mac),
    wrong: registeredOnce,
  },
  {
    name: 'unlock after a careless removal',
    async prepare(world) {
      await world.mac.reset(world.installed);
      await withOthers(world, true);
      removeByReceipt(world.mac);
    },
    run: ({ mac }) => runGuard(mac),
    // The guard is called again as long as it is there: at the next start at the latest.
    repair: async ({ mac }) => (existsSync(mac.path(GUARD_SCRIPT)) ? runGuard(mac) : undefined),
    wrong: unregistered,
  },
  {
    name: 'unlock with a broken bundle',
    async prepare(world) {
      await world.mac.reset(world.installed);
      await withOthers(world, true);
      truncateSync(world.mac.path(`${BUNDLE}/Contents/MacOS/Escrow Buddy`), 100);
    },
    run: ({ mac }) => runGuard(mac),
    wrong: unregistered,
  },
  {
    name: 'uninstall by script',
    async prepare(world) {
      await world.mac.reset(world.installed);
      await withOthers(world, true);
    },
    run: ({ mac }) => runResource(mac, 'uninstall.sh'),
    repair: uninstallAgain,
    wrong: nothingOfOurs,
  },
  {
    name: 'uninstall by package',
    async prepare(world) {
      await world.mac.reset(world.installed);
      await withOthers(world, true);
    },
    run: ({ mac, packages }) => install(mac, packages.uninstall),
    wrong: nothingOfOurs,
  },
  {
    name: 'register by script',
    async prepare(world) {
      await world.mac.reset(world.installed);
      await withOthers(world, false);
    },
    run: ({ mac }) => runResource(mac, 'AuthDBSetup.sh'),
    wrong: registeredOnce,
  },
  {
    name: 'unregister by script',
    async prepare(world) {
      await world.mac.reset(world.installed);
      await withOthers(world, true);
    },
    run: ({ mac }) => runResource(mac, 'AuthDBTeardown.sh'),
    wrong: unregistered,
  },
];

/** Returns every point of an act: each of its external commands, disturbed in each way; or what it breaks by itself. */
async function pointsOf(world: World, act: Act): Promise<Point[] | Finding> {
  await act.prepare(world);
  await world.mac.faults();
  await act.run(world);
  const count = world.mac.calls();
  const wrong = await act.wrong(world);
  if (wrong.length > 0) return { act: act.name, disturbance: 'none', n: 0, broken: [...wrong, world.mac.stdout()] };
  const each = DISTURBANCES.flatMap((disturbance) =>
    Array.from({ length: count }, (_, i): Point => ({ act: act.name, disturbance, n: i + 1 })),
  );
  return [{ act: act.name, disturbance: 'full disk', n: 0 }, ...each];
}

/**
 * Runs one act disturbed at one point, then the next run undisturbed, and returns what broke.
 *
 * Holds: where login worked before, it works afterwards (an entry only with a valid bundle); entries of others are all
 * there, in their order; the next run repairs; nothing is left in temporary places; no tool is called in an unknown way.
 */
export async function disturb(world: World, act: Act, point: Point): Promise<Finding | undefined> {
  const { mac } = world;
  const broken: string[] = [];
  await act.prepare(world);
  const foreign = (await mechanisms(mac)).filter((entry) => entry !== ENTRY);
  const worked = await loginWorks(mac);
  const look = async (when: string) => {
    const list = await mechanisms(mac);
    if (JSON.stringify(list.filter((entry) => entry !== ENTRY)) !== JSON.stringify(foreign))
      broken.push(`${when}: entries of others changed`);
    if (worked && !(await loginWorks(mac))) broken.push(`${when}: LOGIN BLOCKED`);
    if (mac.unknownCalls() !== '') broken.push(`${when}: ${mac.unknownCalls().trim()}`);
  };
  const full = point.disturbance === 'full disk';
  if (full) await mac.faults();
  else await mac.faults(`${point.n} ${point.disturbance}`);
  mac.readOnly = full;
  const first = await act.run(world);
  mac.readOnly = false;
  if ((first as { status?: number } | undefined)?.status === TIME_UP) broken.push('it did not end');
  await look('disturbed');
  await mac.faults();
  await (act.repair ?? act.run)(world);
  await look('repaired');
  broken.push(...(await act.wrong(world)).map((wrong) => `repaired: ${wrong}`));
  const places = ['/private/tmp', '/private/var/tmp', '/private/var/db'].map((place) => mac.path(place));
  const left = places
    .flatMap((place) => readdirSync(place))
    .filter((name) => !/^receipts$|^com\.netflix\.Escrow-Buddy$/.test(name));
  if (left.length > 0) broken.push(`repaired: left in temporary places: ${left.join(', ')}`);
  return broken.length > 0 ? { ...point, broken } : undefined;
}

/** Figures of a sweep. */
export interface Sweep {
  readonly points: number;
  readonly seconds: number;
  readonly findings: readonly Finding[];
}

/**
 * Disturbs acts at many points, on two Macs side by side, and returns what broke.
 *
 * @param choose of all points of an act those to run
 */
export async function sweep(shell: Shell, acts: readonly Act[], choose: (points: Point[]) => Point[]): Promise<Sweep> {
  const start = performance.now();
  const worlds = await Promise.all([makeWorld(shell), makeWorld(shell)]);
  const queue: { act: Act; point: Point }[] = [];
  const findings: Finding[] = [];
  for (const act of acts) {
    const found = await pointsOf(worlds[0]!, act);
    if (Array.isArray(found)) queue.push(...choose(found).map((point) => ({ act, point })));
    else findings.push(found);
  }
  const points = queue.length;
  const work = async (world: World) => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const finding = await disturb(world, next.act, next.point);
      if (finding !== undefined) findings.push(finding);
    }
  };
  await Promise.all(worlds.map(work));
  await Promise.all(worlds.map(({ mac }) => mac.stop()));
  return { points, seconds: (performance.now() - start) / 1000, findings };
}

/** Returns `count` of `points`, chosen by a seed: the same seed chooses the same. */
export function sample(points: readonly Point[], count: number, seed: number): Point[] {
  let state = seed >>> 0 || 1;
  const random = () => {
    // xorshift32, Marsaglia 2003
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  const rest = [...points];
  return Array.from(
    { length: Math.min(count, rest.length) },
    () => rest.splice(Math.floor(random() * rest.length), 1)[0]!,
  );
}
