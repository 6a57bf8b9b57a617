import { truncateSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { byDay, ofTheDay } from '../../support/by-day.ts';
import {
  disk,
  makeWorld,
  removeByReceipt,
  runResource,
  updateMacOS,
  type World,
  writeMechanisms,
} from '../simulated/lives.ts';
import { SHELLS_OF_THE_DAY, simulatedMacNeeds } from '../simulated/simulated-mac.ts';
import { BUNDLE, RESOURCES } from '../simulated/test-package.ts';

const check = (status: { checks: { id: string; level: number; reason: string }[] }, id: string) =>
  status.checks.find((found) => found.id === id)!;

const ESCROW = '/Library/Managed Preferences/com.apple.security.FDERecoveryKeyEscrow.plist';
const SETTINGS = '/Library/Preferences/com.netflix.Escrow-Buddy';

describe.skipIf(simulatedMacNeeds.missing).each(SHELLS_OF_THE_DAY)(
  `what status.sh finds under %s${simulatedMacNeeds.note}`,
  (shell) => {
    let world: World;
    beforeAll(async () => {
      world = await makeWorld(shell);
    });
    beforeEach(async () => {
      await world.mac.reset(world.installed);
      await world.mac.put(ESCROW, '{Location = "Example Inc.";}');
    });
    afterAll(() => world?.mac.stop());

    /** [what, what is done to a healthy Mac, exit status, part of the JSON]. */
    it.each<[string, (world: World) => Promise<unknown>, number, RegExp]>([
      ['healthy', async () => undefined, 0, /"state":"healthy".*"place":"in-place"/],
      [
        'a request that waits',
        ({ mac }) => mac.shell(`/usr/bin/defaults write ${SETTINGS} GenerateNewKey -bool true`),
        0,
        /"request":"pending"/,
      ],
      ['FileVault off', ({ mac }) => mac.facts({ filevault: 'off' }), 1, /"fileVault":"off"/],
      ['FileVault busy', ({ mac }) => mac.facts({ isactiveExit: '2' }), 1, /"fileVault":"busy"/],
      ['no escrow profile', ({ mac }) => mac.shell(`/bin/rm '${ESCROW}'`), 1, /"escrowLocation":null/],
      ['the entry dropped by an update', ({ mac }) => updateMacOS(mac, 'macos-26'), 1, /"place":"absent"/],
      [
        'a failed attempt',
        ({ mac }) => mac.shell(`/usr/bin/defaults write ${SETTINGS} LastOutcome -string rotation-failed`),
        1,
        /"lastOutcome":"rotation-failed"/,
      ],
      [
        'an entry without a bundle that works',
        async ({ mac }) => truncateSync(mac.path(`${BUNDLE}/Contents/Info.plist`), 10),
        2,
        /"state":"broken"/,
      ],
      ['a right without the anchor', ({ mac }) => writeMechanisms(mac, ['builtin:prelogin']), 2, /"state":"broken"/],
      ['no authd', ({ mac }) => mac.facts({ authd: 'no' }), 2, /"state":"broken"/],
    ])('%s', async (_, arrange, status, json) => {
      const { mac } = world;
      await arrange(world);
      const before = disk(mac);
      const right = mac.rightBytes();
      const lines = await runResource(mac, 'status.sh');
      const text = mac.stdout();
      const machine = await runResource(mac, 'status.sh', '--json');
      expect(lines.status, text).toBe(status);
      expect(machine.status).toBe(status);
      expect(JSON.parse(mac.stdout())).toMatchObject({ schema: 1 });
      expect(mac.stdout()).toMatch(json);
      expect(disk(mac), 'status.sh writes nothing').toEqual(before);
      expect(mac.rightBytes()).toEqual(right);
      expect(mac.unknownCalls()).toBe('');
    });

    /** [outcome, whether a person has to look]. */
    const outcomes: readonly (readonly [string, boolean])[] = [
      ['rotated', false],
      ['not-awaited', false],
      ['no-password-login', false],
      ['guest-login', false],
      ['no-token-yet', false],
      ['held-back', false],
      ['no-credentials', false],
      ['token-login', false],
      ['filevault-off', false],
      ['filevault-busy', false],
      ['no-escrow-profile', false],
      ['request-forced', true],
      ['rotated-unconfirmed', true],
      ['authentication-failed', true],
      ['rotation-failed', true],
      ['timed-out', true],
      ['spawn-failed', true],
      ['password-not-representable', true],
      ['internal-error', true],
      ['an outcome of a later version', true],
    ];
    it.each(byDay(outcomes, 3, ([, attention]) => String(attention)))(
      `the outcome %s${ofTheDay}`,
      async (outcome, attention) => {
        const { mac } = world;
        await mac.shell(
          `/usr/bin/defaults write ${SETTINGS} LastOutcome -string '${outcome}'; /usr/bin/defaults write ${SETTINGS} LastFailedUID -int 502; /usr/bin/defaults write ${SETTINGS} LastExitStatus -int -1`,
        );
        await runResource(mac, 'status.sh', '--json');
        const status = JSON.parse(mac.stdout());
        expect(status).toMatchObject({ lastOutcome: outcome, lastFailedUID: 502, lastExitStatus: -1 });
        expect(check(status, 'last-outcome').level).toBe(attention ? 1 : 0);
        expect(check(status, 'last-outcome').reason).toContain(outcome);
      },
    );

    it.each<[string, string, number, unknown]>([
      [
        'one of two users',
        'alex:501:ENABLED bo:502:DISABLED',
        0,
        [
          { user: 'alex', held: true },
          { user: 'bo', held: false },
        ],
      ],
      ['nobody', 'alex:501:DISABLED', 1, [{ user: 'alex', held: false }]],
      ['nobody, as there are no users', '_system:250:ENABLED', 1, []],
      ['somebody who is not told', 'alex:501:unknown', 1, [{ user: 'alex', held: null }]],
      [
        'the first of many',
        'a:501:ENABLED b:502:unknown',
        0,
        [
          { user: 'a', held: true },
          { user: 'b', held: null },
        ],
      ],
    ])('a SecureToken is held by %s', async (_, users, level, secureTokens) => {
      const { mac } = world;
      await mac.facts({ users });
      await runResource(mac, 'status.sh', '--json');
      const status = JSON.parse(mac.stdout());
      expect(status.secureTokens).toEqual(secureTokens);
      expect(check(status, 'secure-token').level).toBe(level);
      expect(mac.unknownCalls()).toBe('');
    });

    it('asks for twenty users at most', async () => {
      const { mac } = world;
      await mac.facts({ users: Array.from({ length: 30 }, (_, i) => `user${i}:${501 + i}:DISABLED`).join(' ') });
      await runResource(mac, 'status.sh', '--json');
      expect(JSON.parse(mac.stdout()).secureTokens).toHaveLength(20);
      expect(mac.log().filter(({ argv }) => argv[0]?.endsWith('sysadminctl'))).toHaveLength(20);
    });

    it('a request of root is one, too', async () => {
      const { mac } = world;
      await mac.shell('/usr/bin/defaults write com.netflix.Escrow-Buddy GenerateNewKey -bool true');
      await mac.shell(`/usr/bin/defaults write ${SETTINGS} GenerateNewKey -bool false`);
      await runResource(mac, 'status.sh', '--json');
      expect(JSON.parse(mac.stdout())).toMatchObject({ request: 'pending' });
    });

    it('says so when the bundle is gone, run from a copy', async () => {
      const { mac } = world;
      await mac.shell(`/bin/cp '${RESOURCES}/status.sh' /private/tmp/status.sh`);
      removeByReceipt(mac);
      expect((await mac.run(['/bin/sh', '/private/tmp/status.sh', '--json'])).status).toBe(2);
      expect(mac.stdout()).toMatch(/"state":"absent"/);
    });
  },
);
