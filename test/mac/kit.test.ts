import { rmSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KitScripts } from '../../build/kit/scripts.ts';
import { ANSWERS, answerOf } from '../../build/kit/vocabulary.ts';
import { OUTCOMES } from '../plugin/source.ts';
import { makeWorld, type World, writeMechanisms } from './simulated/lives.ts';
import { SHELLS_OF_THE_DAY, simulatedMacNeeds } from './simulated/simulated-mac.ts';
import { testKitScripts } from './simulated/test-kit.ts';
import { BUNDLE } from './simulated/test-package.ts';

const ESCROW = '/Library/Managed Preferences/com.apple.security.FDERecoveryKeyEscrow.plist';
const SETTINGS = '/Library/Preferences/com.netflix.Escrow-Buddy';
const VERSION = '1.1.0';
const SCRIPTS: KitScripts = testKitScripts(VERSION);
const ENTRY = 'Escrow Buddy:Invoke,privileged';

describe.skipIf(simulatedMacNeeds.missing).each(SHELLS_OF_THE_DAY)(
  `the kit's scripts under %s${simulatedMacNeeds.note}`,
  (shell) => {
    let world: World;
    const run = async (name: keyof KitScripts) => {
      await world.mac.put('/private/tmp/kit.sh', SCRIPTS[name], 0o755);
      const { status } = await world.mac.run(['/private/tmp/kit.sh']);
      expect(world.mac.unknownCalls()).toBe('');
      return { status, answer: world.mac.stdout().trimEnd() };
    };
    const write = (key: string, ...value: string[]) =>
      world.mac.shell(`/usr/bin/defaults write ${SETTINGS} ${key} ${value.map((word) => `'${word}'`).join(' ')}`);

    beforeAll(async () => {
      world = await makeWorld(shell);
    });
    beforeEach(async () => {
      await world.mac.reset(world.installed);
      await world.mac.put(ESCROW, '{Location = "Example Inc.";}');
    });
    afterAll(() => world?.mac.stop());

    const remove = (path: string) => rmSync(world.mac.path(path), { recursive: true });

    /** [state, how it comes about, the answer]. */
    const STATES: readonly [string, () => Promise<unknown> | unknown, RegExp][] = [
      ['healthy', () => undefined, /^Idle 1\.1\.0$/],
      ['requested', () => write('GenerateNewKey', '-bool', 'true'), /^Requested 1\.1\.0$/],
      ['requested as a word', () => write('GenerateNewKey', '-string', 'yes'), /^Requested 1\.1\.0$/],
      ['not registered', () => writeMechanisms(world.mac, ['loginwindow:done']), /^Not Registered 1\.1\.0$/],
      ['an orphan', () => remove(BUNDLE), /^ORPHANED: /],
      ['half uninstalled', () => remove(`${BUNDLE}/Contents/MacOS`), /^ORPHANED: /],
      [
        'gone',
        async () => {
          remove(BUNDLE);
          await writeMechanisms(world.mac, ['loginwindow:done']);
        },
        /^Not Installed$/,
      ],
      ['no authd', () => world.mac.facts({ authd: 'no' }), /^No Answer 1\.1\.0/],
      [
        'rotated',
        async () => {
          await write('LastOutcome', '-string', 'rotated');
          await write('LastRotation', '-string', '2026-11-26 08:00:00 +0000');
        },
        /^Rotated 1\.1\.0: 2026-11-26/,
      ],
      [
        'a newer request after a success',
        async () => {
          await write('LastOutcome', '-string', 'rotated');
          await write('GenerateNewKey', '-bool', 'true');
        },
        /^Requested 1\.1\.0$/,
      ],
      [
        'a request of a profile',
        () => world.mac.put('/Library/Managed Preferences/com.netflix.Escrow-Buddy.plist', '{GenerateNewKey = 1;}'),
        /^Stuck 1\.1\.0: request-forced$/,
      ],
    ];

    it.each(STATES)('say that it is %s', async (_, arrange, answer) => {
      await arrange();
      expect((await run('state')).answer).toMatch(answer);
      const jamf = (await run('state-jamf')).answer;
      expect(jamf).toMatch(/^<result>.*<\/result>$/);
      expect(jamf.slice('<result>'.length, -'</result>'.length)).toMatch(answer);
    });

    it.each(OUTCOMES.outcomes.filter(({ request }) => request === 'kept').map(({ name }) => name))(
      'say whether a request that ended as %s waits or is stuck',
      async (outcome) => {
        await write('GenerateNewKey', '-bool', 'true');
        await write('LastOutcome', '-string', outcome);
        const word = answerOf({ name: outcome, request: 'kept' });
        expect(['Waiting', 'Stuck']).toContain(word);
        expect((await run('state')).answer).toMatch(new RegExp(`^${word} 1\\.1\\.0: ${outcome}`));
      },
    );

    it('tell what has to be installed, with the exit status that each system wants', async () => {
      expect((await run('need-munki')).status).toBe(1);
      expect((await run('need-audit')).status).toBe(0);
      for (const [old, needed] of [
        ['1.0.0', true],
        ['1.0.99', true],
        ['1.1.0', false],
        ['1.1.1', false],
        ['2.0', false],
        ['x', true],
      ] as const) {
        await world.mac.shell(
          `/usr/bin/defaults write '${BUNDLE}/Contents/Info' CFBundleShortVersionString -string ${old}`,
        );
        expect((await run('need-munki')).status, old).toBe(needed ? 0 : 1);
        expect((await run('need-audit')).status, old).toBe(needed ? 1 : 0);
      }
      await writeMechanisms(world.mac, ['loginwindow:done']);
      expect((await run('need-munki')).status).toBe(0);
      remove(BUNDLE);
      expect((await run('need-munki')).status).toBe(0);
    });

    it('ask for a key where one can be made, and say why not elsewhere', async () => {
      expect(await run('request')).toMatchObject({ status: 0, answer: expect.stringContaining('next login') });
      expect((await run('state')).answer).toBe('Requested 1.1.0');
      expect((await run('request')).status).toBe(0);
    });

    it.each<[string, () => Promise<unknown> | unknown, RegExp]>([
      ['FileVault off', () => world.mac.facts({ filevault: 'off' }), /FileVault is not on/],
      ['no escrow profile', () => remove(ESCROW), /no profile escrows/],
      ['no entry', () => writeMechanisms(world.mac, ['loginwindow:done']), /not installed and registered/],
      ['no bundle', () => remove(BUNDLE), /not installed and registered/],
    ])('do not ask with %s', async (_, arrange, reason) => {
      await arrange();
      const asked = await run('request');
      expect(asked.status).toBe(1);
      expect(asked.answer).toMatch(reason);
      expect((await world.mac.shell(`/usr/bin/defaults read ${SETTINGS} GenerateNewKey`)).status).not.toBe(0);
    });

    it('remove the login entry before the bundle, and fail closed', async () => {
      expect((await run('remove-needed')).status).toBe(0);
      expect((await run('remove')).status).toBe(0);
      expect((await world.mac.right())?.mechanisms).not.toContain(ENTRY);
      expect((await run('state')).answer).toBe('Not Installed');
      expect((await run('remove-needed')).status).toBe(1);
      expect((await run('remove')).status).toBe(0);
    });

    it('remove nothing of a version that has no uninstaller of its own', async () => {
      remove(`${BUNDLE}/Contents/Resources/uninstall.sh`);
      expect(await run('remove')).toMatchObject({ status: 1, answer: expect.stringContaining('Uninstall package') });
      expect((await world.mac.right())?.mechanisms).toContain(ENTRY);
    });
  },
);

describe('the table of answers', () => {
  it('has those that the script gives', () => {
    const words = [...SCRIPTS.state.matchAll(/ANSWER=['"]([A-Z][A-Za-z ]*?)(?: \$|[:'"])/g)].map(([, word]) => word);
    expect([...new Set(words)].sort()).toEqual(ANSWERS.map(({ word }) => word).sort());
  });
});
