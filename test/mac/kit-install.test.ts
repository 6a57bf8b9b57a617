import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { installUpstream, makeWorld, type World, writeMechanisms } from './simulated/lives.ts';
import { SHELLS_OF_THE_DAY, simulatedMacNeeds } from './simulated/simulated-mac.ts';
import { DOWNLOAD, DOWNLOAD_TEAM, testKitScripts } from './simulated/test-kit.ts';

const SIGNER = `Developer ID Installer: Example Ltd (${DOWNLOAD_TEAM})`;

describe.skipIf(simulatedMacNeeds.missing).each(SHELLS_OF_THE_DAY)(
  `install.sh of the kit under %s${simulatedMacNeeds.note}`,
  (shell) => {
    let world: World;
    beforeAll(async () => {
      world = await makeWorld(shell);
    });
    afterAll(() => world?.mac.stop());
    beforeEach(async () => {
      await world.mac.reset(world.empty);
      await world.mac.put('/.sim/web/Escrow.Buddy-1.1.0.pkg', DOWNLOAD);
    });

    const run = async (facts: Record<string, string> = {}, script = testKitScripts('1.1.0').install) => {
      await world.mac.facts({ packageSigner: SIGNER, ...facts });
      await world.mac.put('/private/tmp/install.sh', script, 0o755);
      const { status } = await world.mac.run(['/private/tmp/install.sh']);
      expect(world.mac.unknownCalls()).toBe('');
      const called = world.mac.log().filter(({ argv }) => /\/installer$/.test(argv[0] ?? ''));
      // Nothing is left of the download, whatever came of it.
      expect(readdirSync(world.mac.path('/private/tmp')).filter((name) => name.startsWith('escrow'))).toEqual([]);
      return { status, said: world.mac.stdout(), installed: called.length };
    };

    it('fetches, checks and installs what is missing', async () => {
      expect(await run()).toMatchObject({
        status: 0,
        said: expect.stringMatching(/Escrow Buddy 1\.1\.0 was installed\.\n$/),
        installed: 1,
      });
    });

    it('installs over 1.0.0, and over what is not registered', async () => {
      await installUpstream(world.mac);
      expect(await run()).toMatchObject({ status: 0, installed: 1 });
      await world.mac.reset(world.installed);
      await world.mac.put('/.sim/web/Escrow.Buddy-1.1.0.pkg', DOWNLOAD);
      await writeMechanisms(world.mac, ['loginwindow:done']);
      expect(await run()).toMatchObject({ status: 0, installed: 1 });
    });

    it('leaves alone what is installed and registered, and fetches nothing', async () => {
      await world.mac.reset(world.installed);
      const { status, said, installed } = await run({ web: '6' });
      expect([status, said, installed]).toEqual([0, 'Escrow Buddy 1.1.0 is installed and registered.\n', 0]);
    });

    it.each<[string, Record<string, string>, RegExp]>([
      [
        'the address cannot be reached',
        { web: '6' },
        /^curl: \(6\).*\nNot installed: https.* could not be downloaded\.$/,
      ],
      ['nothing is at the address', { web: '22' }, /404\nNot installed: /],
      ['nobody signed the package', { packageSigner: '' }, /signed by nobody, not by team ABCDE12345\.$/],
      ['another team signed it', { packageSigner: SIGNER.replace('ABCDE', 'OTHER') }, /signed by OTHER12345, not/],
      [
        'an app of the same team is named',
        { packageSigner: `Developer ID Application: E (${DOWNLOAD_TEAM})` },
        /by nobody/,
      ],
    ])('installs nothing where %s', async (_, facts, words) => {
      const { status, said, installed } = await run(facts);
      expect([status, installed]).toEqual([1, 0]);
      expect(said.trimEnd()).toMatch(words);
    });

    it.each([
      ['another file of the same size', Buffer.from('A package of 1.1.0'), /another file: SHA-256 [0-9a-f]{64}\.$/],
      ['a larger file', Buffer.alloc(1000), /\(63\).*\n.*could not be downloaded/],
      ['an empty file', Buffer.alloc(0), /another file/],
    ])('installs nothing where %s is at the address', async (_, content, words) => {
      await world.mac.put('/.sim/web/Escrow.Buddy-1.1.0.pkg', content);
      const { status, said, installed } = await run();
      expect([status, installed]).toEqual([1, 0]);
      expect(said.trimEnd()).toMatch(words);
    });

    it('says so where Installer refuses', async () => {
      expect(await run({ installer: '1' })).toMatchObject({
        status: 1,
        said: expect.stringMatching(/Installer refused the package/),
      });
    });

    it('of a package that nobody signed installs nothing', async () => {
      const { status, said, installed } = await run({}, testKitScripts('1.1.0', null).install);
      expect([status, installed, existsSync(world.mac.path('/private/tmp/package.pkg'))]).toEqual([1, 0, false]);
      expect(said).toContain('nobody signed');
    });
  },
);
