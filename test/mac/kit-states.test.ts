import { readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KIT_SCRIPTS, KitScripts } from '../../build/kit/scripts.ts';
import { byDay, ofTheDay } from '../support/by-day.ts';
import { install } from './simulated/installer.ts';
import { disk, installUpstream, makeWorld, type World, writeMechanisms } from './simulated/lives.ts';
import { SHELLS_OF_THE_DAY, type SimulatedMac, simulatedMacNeeds, stockRight } from './simulated/simulated-mac.ts';
import { testKitScripts } from './simulated/test-kit.ts';
import { BUNDLE } from './simulated/test-package.ts';

const ESCROW = '/Library/Managed Preferences/com.apple.security.FDERecoveryKeyEscrow.plist';
const OURS = '/Library/Managed Preferences/com.netflix.Escrow-Buddy.plist';
const SETTINGS = '/Library/Preferences/com.netflix.Escrow-Buddy';
const SCRIPTS: KitScripts = testKitScripts('1.1.0');

/** Scripts that a Mac runs, with the statuses that each state gives them; those of an admin's own computer are tried elsewhere. */
type Statuses = Readonly<
  Record<
    Exclude<(typeof KIT_SCRIPTS)[number], 'install' | 'state' | 'state-jamf' | 'escrow-certificate' | 'escrow-decrypt'>,
    0 | 1
  >
>;

const HEALTHY: Statuses = {
  'need-munki': 1,
  'need-audit': 0,
  request: 0,
  'request-unrecorded': 0,
  'audit-request': 1,
  remove: 0,
  'remove-needed': 0,
};
/** Nothing can be requested here. */
const MUTE = { request: 1, 'request-unrecorded': 1 } as const;
const NEEDED = { 'need-munki': 0, 'need-audit': 1 } as const;
/** Asked already, by whomever: nobody asks a second time. */
const ASKED = { 'audit-request': 0 } as const;
/** It has no uninstaller of its own, so the kit's script changes nothing and names the Uninstall package. */
const FOREIGN = { ...NEEDED, remove: 1 } as const;

type State = readonly [
  name: string,
  arrange: (world: World) => Promise<unknown> | unknown,
  answer: RegExp,
  differs: Partial<Statuses>,
];
const write = (mac: SimulatedMac, ...words: string[]) =>
  mac.shell(`/usr/bin/defaults write ${SETTINGS} ${words.join(' ')}`);
const ended = (mac: SimulatedMac, outcome: string) => write(mac, 'LastOutcome', '-string', outcome);
const asked = (mac: SimulatedMac) => write(mac, 'GenerateNewKey', '-bool', 'true');
const away = (mac: SimulatedMac, path: string) => rmSync(mac.path(path), { recursive: true });
const stuckOn = (outcome: string) => async (mac: SimulatedMac) => {
  await asked(mac);
  await ended(mac, outcome);
};

const STATES: readonly State[] = [
  ['healthy', () => undefined, /^Idle 1\.1\.0$/, {}],
  [
    'healthy, its key recorded',
    ({ mac }) => mac.put('/private/var/db/FileVaultPRK.dat', 'x'),
    /^Idle 1\.1\.0$/,
    { 'audit-request': 0 },
  ],
  ['requested', ({ mac }) => asked(mac), /^Requested 1\.1\.0$/, ASKED],
  [
    'not registered',
    ({ mac }) => writeMechanisms(mac, ['loginwindow:done']),
    /^Not Registered/,
    { ...NEEDED, ...MUTE, ...ASKED },
  ],
  ['without escrow profile', ({ mac }) => away(mac, ESCROW), /^Idle/, MUTE],
  ['with FileVault off', ({ mac }) => mac.facts({ filevault: 'off' }), /^Idle/, MUTE],
  [
    'forced by a profile',
    ({ mac }) => mac.put(OURS, '{GenerateNewKey = 1;}'),
    /request-forced$/,
    { ...MUTE, ...ASKED },
  ],
  ['after a login with a smart card', ({ mac }) => stuckOn('token-login')(mac), /^Waiting 1\.1\.0: token-login/, ASKED],
  ['after a login without the profile', ({ mac }) => stuckOn('no-escrow-profile')(mac), /^Stuck.*no-escrow/, ASKED],
  ['after a wrong password', ({ mac }) => stuckOn('authentication-failed')(mac), /^Stuck.*authentication/, ASKED],
  ['after a success', ({ mac }) => ended(mac, 'rotated'), /^Rotated/, {}],
  ['after a success without record', ({ mac }) => ended(mac, 'rotated-unconfirmed'), /^Unconfirmed/, {}],
  [
    'half uninstalled: its program is gone',
    ({ mac }) => away(mac, `${BUNDLE}/Contents/MacOS`),
    /^ORPHANED/,
    { ...NEEDED, ...MUTE, ...ASKED },
  ],
  [
    'half uninstalled: the bundle is gone',
    ({ mac }) => away(mac, BUNDLE),
    /^ORPHANED/,
    { ...NEEDED, ...MUTE, ...ASKED, remove: 1 },
  ],
  [
    'half uninstalled: the entry is gone, the bundle is left',
    ({ mac }) => mac.setRight(readFileSync(stockRight('macos-15'))),
    /^Not Registered/,
    { ...NEEDED, ...MUTE, ...ASKED },
  ],
  ['with 1.0.0 and its request', atUpstream(async () => undefined), /^Requested 1\.0\.0$/, { ...FOREIGN, ...ASKED }],
  [
    'with the copy that Fleet brings, which holds the request down',
    atUpstream((mac) => write(mac, 'GenerateNewKey', '-bool', 'false')),
    /^Idle 1\.0\.0$/,
    FOREIGN,
  ],
  [
    'without anything',
    (world) => world.mac.reset(world.empty),
    /^Not Installed$/,
    { ...NEEDED, ...MUTE, ...ASKED, 'remove-needed': 1 },
  ],
];

function atUpstream(after: (mac: SimulatedMac) => Promise<unknown>) {
  return async ({ mac, empty }: World) => {
    await mac.reset(empty);
    await installUpstream(mac);
    await mac.put(ESCROW, '{Location = "Example Inc.";}');
    await after(mac);
  };
}

describe.skipIf(simulatedMacNeeds.missing).each(SHELLS_OF_THE_DAY)(
  `every script of the kit, in every state, under %s${ofTheDay}${simulatedMacNeeds.note}`,
  (shell) => {
    let world: World;
    beforeAll(async () => {
      world = await makeWorld(shell);
    });
    afterAll(() => world?.mac.stop());

    const begin = async (arrange: State[1]) => {
      await world.mac.reset(world.installed);
      await world.mac.put(ESCROW, '{Location = "Example Inc.";}');
      await arrange(world);
      await world.mac.put('/private/tmp/kit.sh', '', 0o755);
    };
    const run = async (name: keyof KitScripts) => {
      await world.mac.put('/private/tmp/kit.sh', SCRIPTS[name], 0o755);
      const { status } = await world.mac.run(['/private/tmp/kit.sh']);
      expect(world.mac.unknownCalls(), name).toBe('');
      return { status, said: world.mac.stdout().trimEnd(), errors: world.mac.stderr() };
    };
    const still = () => disk(world.mac).filter((line) => !line.includes('private/tmp/kit.sh'));

    it.each(byDay(STATES, 2, ([, , , differs]) => JSON.stringify(differs)))(
      '%s',
      async (_, arrange, answer, differs) => {
        await begin(arrange);
        const [before, right] = [still(), world.mac.rightBytes()];
        const state = await run('state');
        expect(state).toMatchObject({ status: 0, errors: '' });
        expect(state.said).toMatch(answer);
        expect(state.said).not.toContain('\n');
        expect((await run('state-jamf')).said).toBe(`<result>${state.said}</result>`);
        const statuses = { ...HEALTHY, ...differs };
        for (const name of ['need-munki', 'need-audit', 'audit-request', 'remove-needed'] as const)
          expect((await run(name)).status, name).toBe(statuses[name]);
        expect([still(), world.mac.rightBytes()], 'who asks changes nothing').toEqual([before, right]);
        for (const name of ['request', 'request-unrecorded', 'remove'] as const) {
          await begin(arrange);
          const { status, said } = await run(name);
          expect([name, status, said.length > 0], said).toEqual([name, statuses[name], true]);
          if (name !== 'remove') expect(world.mac.rightBytes(), name).toEqual(right);
          else if (status !== 0) expect([still(), world.mac.rightBytes()], said).toEqual([before, right]);
        }
      },
    );

    describe('the Request package', () => {
      beforeEach(() => begin(() => undefined));
      const value = async () =>
        (await world.mac.shell(`/usr/bin/defaults read ${SETTINGS} GenerateNewKey`)).stdout.trim();

      it('asks for a key, and again, and is forgotten by the uninstaller', async () => {
        for (const time of ['first', 'second']) {
          expect((await install(world.mac, world.packages.request)).status, time).toBe(0);
          expect((await run('state')).said, time).toBe('Requested 1.1.0');
        }
        expect((await run('remove')).status).toBe(0);
        const left = await world.mac.shell('/usr/sbin/pkgutil --pkg-info com.netflix.Escrow-Buddy.request');
        expect(left.status).not.toBe(0);
      });

      it('may come before the product: the request waits', async () => {
        await world.mac.reset(world.empty);
        expect((await install(world.mac, world.packages.request)).status).toBe(0);
        expect(await value()).toBe('1');
        expect((await install(world.mac, world.packages.product)).status).toBe(0);
        expect((await run('state')).said).toBe('Requested 1.1.0');
      });

      it('refuses where a profile forces the request, and says what to do', async () => {
        await world.mac.put(OURS, '{GenerateNewKey = 1;}');
        const { status, log } = await install(world.mac, world.packages.request);
        expect(status).not.toBe(0);
        expect(log).toContain('Take it out of the profile');
      });

      it('does nothing to a system that does not run', async () => {
        expect((await install(world.mac, world.packages.request, '/Volumes/Other')).status).toBe(0);
        expect(await value()).toBe('');
      });
    });
  },
);
