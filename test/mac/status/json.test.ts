import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { byDay, ofTheDay } from '../../support/by-day.ts';
import { makeWorld, runResource, type World } from '../simulated/lives.ts';
import { REPOSITORY, SHELLS_OF_THE_DAY, simulatedMacNeeds } from '../simulated/simulated-mac.ts';
import { BUNDLE } from '../simulated/test-package.ts';

/** What XML 1.0 cannot hold becomes U+FFFD. */
const escapeXml = (text: string) =>
  text
    .replace(/[\0-\x08\x0b\x0c\x0e-\x1f]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;');

const ESCROW = '/Library/Managed Preferences/com.apple.security.FDERecoveryKeyEscrow.plist';
const SETTINGS = '/Library/Preferences/com.netflix.Escrow-Buddy';

describe.skipIf(simulatedMacNeeds.missing).each(SHELLS_OF_THE_DAY)(
  `the JSON of status.sh under %s${simulatedMacNeeds.note}`,
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

    /** What a profile, a file or a name may hold. */
    const ODD = [
      'two\nlines',
      'check request 0 healthy\n"}]}',
      'a "quote" and a \\ and a / and \t a tab',
      '\u00e9\u0000\u001f\u007f\u0085',
      'Grüße, 鍵, 😀, \u2028',
      '%s %n $(id) `id` $HOME',
      ' ',
      '-n',
      'x'.repeat(20_000),
    ];

    it.each(byDay(ODD, 3))(
      `--json is valid whatever the escrow profile, the outcome and the bundle say: %#${ofTheDay}`,
      async (text) => {
        const { mac } = world;
        const xml = (keys: Record<string, string>) =>
          `<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0"><dict>${Object.entries(keys)
            .map(([key, value]) => `<key>${key}</key><string>${escapeXml(value)}</string>`)
            .join('')}</dict></plist>\n`;
        await mac.put(ESCROW, xml({ Location: text }));
        await mac.put(
          `${SETTINGS}.plist`,
          xml({ LastOutcome: text, LastAttempt: text, ConsecutiveFailures: text, LastExitStatus: text }),
        );
        await mac.put(`${BUNDLE}/Contents/Info.plist`, xml({ CFBundleShortVersionString: text }));
        await mac.put(
          '/Library/Application Support/Escrow Buddy/guard.plist',
          xml({ LastResult: text, LastRun: text }),
        );
        await runResource(mac, 'status.sh', '--json');
        const status = JSON.parse(mac.stdout());
        const said = escapeXml(text).includes('�') ? undefined : text.replace(/[\0-\x1f\x7f]/g, ' ').replace(/\n$/, '');
        expect(status.checks.map(({ id }: { id: string }) => id)).toEqual([
      'bundle', 'mechanism', 'escrow-profile', 'filevault', 'secure-token', 'request', 'last-outcome', 'guard',
    ]); // biome-ignore format: a list
        if (said !== undefined)
          expect(status).toMatchObject({ escrowLocation: said, lastOutcome: said, version: said });
        expect(mac.stdout()).toMatch(/^[ -~]+\n$/);
        const lines = await runResource(mac, 'status.sh');
        expect(lines.status).toBe(2);
        for (const line of mac.stdout().trimEnd().split('\n')) expect(line).toMatch(/^(check )?[a-z-]+: /);
      },
    );

    it('--json is valid where files hold no UTF-8, or nothing that can be read', async () => {
      const { mac } = world;
      for (const bytes of [
        Buffer.from('{Location = "\xff\xc3(\xed\xa0\x80\xf5";}', 'latin1'),
        Buffer.from([0, 1, 2, 255]),
        Buffer.alloc(0),
      ]) {
        for (const path of [ESCROW, `${SETTINGS}.plist`, `${BUNDLE}/Contents/Info.plist`]) await mac.put(path, bytes);
        await runResource(mac, 'status.sh', '--json');
        expect(JSON.parse(mac.stdout())).toMatchObject({ schema: 1, state: 'broken' });
      }
    });

    it('words of JSON are well-formed text, whatever bytes they are made of', async () => {
      const { mac } = world;
      for (const name of ['characters', 'status-facts', 'json'])
        await mac.put(`/private/tmp/${name}.sh`, readFileSync(join(REPOSITORY, 'scripts/lib', `${name}.sh`)));
      const word = async (octal: string) => {
        const sourced = ['characters', 'status-facts', 'json'].map((name) => `. /private/tmp/${name}.sh`).join('; ');
        const { stdout } = await mac.shell(`LC_ALL=C; export LC_ALL; ${sourced}; json "$(printf '${octal}')"`);
        expect(stdout).toMatch(/^"[ -~]*"$/);
        return JSON.parse(stdout) as string;
      };
      for (const text of ['é', '鍵', '😀', '\u07ff\u0800\uffff', '\u{10000}\u{10ffff}', 'a"\\/é'])
        expect(
          await word([...Buffer.from(text)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')),
        ).toBe(text);
      /** Lone bytes, overlong forms, surrogates, beyond the last point, cut short. */
      const wrong = [
        '\\200',
        '\\377',
        '\\300\\257',
        '\\340\\200\\257',
        '\\360\\200\\200\\257',
        '\\355\\240\\200',
        '\\364\\220\\200\\200',
        '\\303',
        '\\360\\237\\230',
      ];
      for (const octal of wrong) {
        const text = await word(`a${octal}b`);
        expect(text, octal).toMatch(/^a\ufffd+b$/);
      }
    });
  },
);
