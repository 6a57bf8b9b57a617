import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { REPOSITORY, SimulatedMac, simulatedMacNeeds } from '../mac/simulated/simulated-mac.ts';
import { BUNDLE, ENTRY, PRODUCT, putProduct, RUN } from './product.ts';

const { missing, note } = simulatedMacNeeds;
const FIXTURES = join(REPOSITORY, 'test/fixtures/authorizationdb');
const LOCAL = '/Library/Preferences/com.netflix.Escrow-Buddy.plist';
const MANAGED = '/Library/Managed Preferences/com.netflix.Escrow-Buddy.plist';
const LOCK = '/private/var/db/com.netflix.Escrow-Buddy.lock';
const JOB = `/Library/LaunchDaemons/${PRODUCT.guardIdentifier}.plist`;
const EXECUTABLE = `${BUNDLE}/Contents/MacOS/Escrow Buddy`;
const fixture = (name: string) => readFileSync(join(FIXTURES, `${name}.plist`));

describe.skipIf(missing)(`the scripts${note}`, () => {
  let mac: SimulatedMac;
  let fresh: string;
  beforeAll(async () => {
    mac = await SimulatedMac.start('dash');
    await putProduct(mac);
    fresh = await mac.save('fresh');
  });
  beforeEach(() => mac.reset(fresh));
  afterAll(() => mac.stop());

  const run = async (program: readonly string[], job = '-') => {
    const { status } = await mac.run(['/bin/sh', ...program], { timeoutMs: 20_000, job });
    return { status, said: mac.stdout(), stderr: mac.stderr() };
  };
  const guard = () => run(RUN.guard, PRODUCT.guardIdentifier);
  const entries = async () => (await mac.right())?.mechanisms ?? [];
  const registered = async () => (await entries()).includes(ENTRY);
  const writes = () => mac.log().filter(({ argv }) => argv.includes('write')).length;
  /** The right of macOS 15 with one more entry of others in front. */
  const withEntry = (name: string) =>
    fixture('stock-macos-15').toString().replace('<array>', `<array>\n\t\t<string>${name}</string>`);
  const leftovers = () => readdirSync(mac.path('/private/var/db')).filter((name) => name.startsWith('com.netflix'));

  describe('registering', () => {
    it('gives up after three writes that change nothing', async () => {
      await mac.faults('security-write:1 swallow', 'security-write:2 swallow', 'security-write:3 swallow');
      const { status, said } = await run(RUN.register);
      expect(status, said).toBe(1);
      expect(said).toContain('did not take the change');
      expect(writes()).toBe(3);
      expect(leftovers()).toEqual([]);
    });

    it('believes what it reads, not a write that says NO', async () => {
      await mac.faults('security-write:1 late');
      expect((await run(RUN.register)).status).toBe(0);
      expect(await registered()).toBe(true);
      expect(writes()).toBe(1);
    });

    it('keeps the entry that another tool adds between its two reads', async () => {
      await mac.put('/.sim/hooks/other', withEntry('Other:x,privileged'));
      await mac.faults('security-read:2 between other');
      expect((await run(RUN.register)).status).toBe(0);
      expect((await entries())[0]).toBe('Other:x,privileged');
      expect(await registered()).toBe(true);
    });

    it('starts again when another tool took its entry out after the write', async () => {
      await mac.put('/.sim/hooks/other', withEntry('Other:x,privileged'));
      await mac.faults('security-read:3 between other');
      expect((await run(RUN.register)).status).toBe(0);
      expect(await entries()).toEqual(expect.arrayContaining(['Other:x,privileged', ENTRY]));
      expect(writes()).toBe(2);
    });

    it('writes the original back and fails when entries of others are gone after the write', async () => {
      const before = await entries();
      await mac.put('/.sim/hooks/other', fixture('fault-only-done'));
      await mac.faults('security-read:3 between other');
      const { status, said } = await run(RUN.register);
      expect(status, said).toBe(1);
      expect(said).toContain('the original was written back');
      expect(await entries()).toEqual(before);
    });

    it.each(['security-read:1 truncate 900', 'security-read:1 empty-output', 'plist-buddy:1 empty-output'])(
      'writes nothing when %s',
      async (fault) => {
        await mac.faults(fault.replace('plist-buddy', 'PlistBuddy'));
        const { status, said } = await run(RUN.register);
        expect(status, said).toBe(1);
        expect(writes()).toBe(0);
      },
    );

    it('says what is wrong when authd is silent', async () => {
      await mac.facts({ authd: 'no' });
      const { status, said } = await run(RUN.register);
      expect(status).toBe(1);
      expect(said).toContain('gave nothing to read');
    });

    it('asks for root', async () => {
      await mac.faults('id:1 empty-output');
      const { status, said } = await run(RUN.register);
      expect(status).toBe(1);
      expect(said).toContain('needs root');
    });

    it('touches no database on another volume', async () => {
      const { status } = await run([
        '/private/tmp/product/postinstall',
        '/p.pkg',
        '/Volumes/Other/x',
        '/Volumes/Other',
        '/',
      ]);
      expect(status).toBe(0);
      expect(mac.log().some(({ argv }) => argv[0] === '/usr/bin/security')).toBe(false);
    });
  });

  describe('the bundle', () => {
    it.each([
      ['is missing', `rm -rf "${BUNDLE}"`],
      ['has no executable', `rm "${EXECUTABLE}"`],
      ['has a link for an executable', `mv "${EXECUTABLE}" /private/tmp/x; ln -s /private/tmp/x "${EXECUTABLE}"`],
      ['belongs to a user', `/usr/sbin/chown 501 "${EXECUTABLE}"`],
      ['can be written by its group', `/bin/chmod 0775 "${BUNDLE}/Contents"`],
      ['cannot be executed', `/bin/chmod 0644 "${EXECUTABLE}"`],
      ['was changed', `echo x >>"${BUNDLE}/Contents/Resources/status.sh"`],
    ])('that %s is not registered, and an entry is taken out', async (_, damage) => {
      await mac.setRight(fixture('stock-macos-26-registered'));
      await mac.shell(damage);
      const { status, said } = await run(RUN.install);
      expect(status, said).toBe(1);
      expect(said).toContain('not registered');
      expect(await registered()).toBe(false);
    });

    it('for another processor is not registered, but proves nothing', async () => {
      await mac.setRight(fixture('stock-macos-26-registered'));
      await mac.facts({ machine: 'ppc', team: 'ABCDE12345' });
      expect((await run(RUN.install)).status).toBe(1);
      expect(await registered()).toBe(true);
    });

    it('that codesign does not judge in time proves nothing', async () => {
      await mac.setRight(fixture('stock-macos-26-registered'));
      await mac.faults('codesign:1 hang', 'codesign:2 hang');
      const { status, said } = await run(RUN.install);
      expect(status, said).toBe(1);
      expect(said).toContain('did not come to a result');
      expect(await registered()).toBe(true);
      expect(leftovers()).toEqual([]);
    });

    it('that codesign refuses once is asked about again', async () => {
      await mac.faults('codesign:1 fail 1');
      expect((await run(RUN.install)).status).toBe(0);
    });

    it('of another team is refused', async () => {
      await mac.facts({ team: 'ZZZZZ99999' });
      const { status, said } = await run(RUN.install);
      expect(status).toBe(1);
      expect(said).toContain('codesign does not accept');
    });
  });

  describe('the lock', () => {
    it.each([
      ['of a process that is gone', '99999.'],
      ['that is older than any run, whoever has its number now', '1.'],
      ['that makes no sense', 'x'],
    ])('%s is taken over', async (_, holder) => {
      const since = holder === '1.' ? Math.floor(Date.now() / 1000) - 400 : Math.floor(Date.now() / 1000);
      symlinkSync(holder.endsWith('.') ? `${holder}${since}` : holder, mac.path(LOCK));
      expect((await run(RUN.register)).status).toBe(0);
      expect(leftovers()).toEqual([]);
    });

    it('with the number that the next run happens to get is taken over', async () => {
      const start = `ln -s $$.$(date +%s) ${LOCK}; exec /bin/sh "${RUN.register[0]}"`;
      expect((await mac.shell(start)).status).toBe(0);
      expect(leftovers()).toEqual([]);
    });

    it('of a living process is waited for, and then left alone', async () => {
      const holder = `1.${Math.floor(Date.now() / 1000)}`;
      symlinkSync(holder, mac.path(LOCK));
      const { status, said } = await run(RUN.register);
      expect(status).toBe(1);
      expect(said).toContain('still at work (process 1)');
      expect(await registered()).toBe(false);
      expect(leftovers()).toEqual(['com.netflix.Escrow-Buddy.lock']);
    });

    it.each(['mkdir', 'mkfifo', 'touch'])('is not confused by what %s makes in its place', async (tool) => {
      await mac.shell(`${tool} ${LOCK}`);
      const { status, said } = await run(RUN.register);
      expect(status).toBe(1);
      expect(said).toContain('could not be made');
      expect(await registered()).toBe(false);
    });

    it('is refused in a folder that others may write', async () => {
      await mac.shell('chmod 0777 /private/var/db');
      const { status, said } = await run(RUN.register);
      expect(status).toBe(1);
      expect(said).toContain('only root can write');
    });

    it('lets the next run remove what a killed one left, and nothing else', async () => {
      await mac.shell(`cd /private/var/db; mkdir com.netflix.Escrow-Buddy.work.abc com.netflix.Escrow-Buddy.work.theirs keep
        /usr/sbin/chown 501 com.netflix.Escrow-Buddy.work.theirs; ln -s keep com.netflix.Escrow-Buddy.work.link; touch keep/x`);
      expect((await run(RUN.register)).status).toBe(0);
      expect(leftovers().sort()).toEqual([
        'com.netflix.Escrow-Buddy.work.link',
        'com.netflix.Escrow-Buddy.work.theirs',
      ]);
      expect(existsSync(mac.path('/private/var/db/keep/x'))).toBe(true);
    });
  });

  it('changes nothing in places where users may write', async () => {
    await mac.shell(`for place in /private/tmp /private/var/tmp; do cd $place
      mkdir com.netflix.Escrow-Buddy; mkfifo auth.db; ln -s /etc eb; done; : >/private/tmp/com.netflix.Escrow-Buddy/auth.db`);
    const list = async () => (await mac.shell('cd /private; find tmp var/tmp | /usr/bin/sort')).stdout;
    const before = await list();
    for (const program of [RUN.install, RUN.unregister, RUN.guardPackage, RUN.status]) await run(program);
    expect(await list()).toBe(before);
  });

  it('reach a fixed point with Crypt, which insists on the last place', async () => {
    await mac.setRight(fixture('mix-crypt-and-escrow-buddy-macos-14'));
    for (let round = 0; round < 3; round++) expect((await guard()).status).toBe(0);
    expect(writes()).toBe(0);
  });

  describe('the guard', () => {
    const install = async () => {
      await mac.put(LOCAL, '{EnableGuard=YES;}');
      expect((await run(RUN.install)).status).toBe(0);
      await mac.setRight(fixture('stock-macos-26'));
    };

    it.each([
      ['1', undefined, true],
      ['on', undefined, true],
      ['"Yes"', undefined, true],
      ['0', undefined, false],
      ['perhaps', undefined, false],
      ['1', '0', false],
      ['0', '1', true],
      ['1', 'perhaps', true],
    ])('is installed when EnableGuard is %s here and %s in a profile: %s', async (local, managed, expected) => {
      await mac.put(LOCAL, `{EnableGuard=${local};}`);
      if (managed !== undefined) await mac.put(MANAGED, `{EnableGuard=${managed};}`);
      expect((await run(RUN.install)).status).toBe(0);
      expect(existsSync(mac.path(JOB))).toBe(expected);
      expect((await mac.shell(`/bin/launchctl print system/${PRODUCT.guardIdentifier}`)).status).toBe(
        expected ? 0 : 113,
      );
    });

    it('is replaced by the one of a new package, which knows the new signer', async () => {
      await install();
      await mac.put(LOCAL, '{EnableGuard=NO;}');
      await mac.put(RUN.guard[0], 'exit 1\n', 0o755);
      expect((await run(RUN.install)).status).toBe(0);
      expect((await guard()).status).toBe(0);
    });

    it('is named by the teardown that it would undo', async () => {
      await install();
      expect((await run(RUN.unregister)).said).toContain('will register the mechanism again');
    });

    it('lays its files down as launchd wants them', async () => {
      await install();
      const { stdout } = await mac.shell(`/usr/bin/stat -f '%Su:%Sg %Lp' ${JOB} '${RUN.guard[0]}'`);
      expect(stdout).toBe('root:wheel 644\nroot:wheel 755\n');
    });

    it('moves an entry that runs before the password was checked', async () => {
      await install();
      await mac.setRight(fixture('fault-early-before-authenticate'));
      await guard();
      const list = await entries();
      expect(list.indexOf(ENTRY)).toBe(list.indexOf('loginwindow:done') - 1);
    });

    it('puts a lost entry back once in a boot', async () => {
      await install();
      expect((await guard()).status).toBe(0);
      expect(await registered()).toBe(true);
      await mac.setRight(fixture('stock-macos-26'));
      const { said } = await guard();
      expect(said).toContain('already put it right once');
      expect(await registered()).toBe(false);
      await mac.shell('rmdir /private/var/run/*'); // as a start of the Mac does
      await guard();
      expect(await registered()).toBe(true);
    });

    it.each([
      ['{DisableHeal=1;}', '26.1', false],
      ['{DisableHeal=0;}', '26.1', true],
      ['{MaximumOSVersion=26;}', '26.9.1', true],
      ['{MaximumOSVersion="26.2";}', '26.2', true],
      ['{MaximumOSVersion="26.2";}', '26.3', false],
      ['{MaximumOSVersion=26;}', '27.0', false],
      ['{MaximumOSVersion="9";}', '26.0', false],
      ['{MaximumOSVersion="latest";}', '26.0', false],
    ])('with %s on macOS %s: heals %s, and unlocks in any case', async (settings, productVersion, heals) => {
      await install();
      await mac.put(MANAGED, settings);
      await mac.facts({ productVersion });
      await guard();
      expect(await registered()).toBe(heals);
      await mac.setRight(fixture('stock-macos-26-registered'));
      await mac.shell(`rm "${EXECUTABLE}"`);
      await guard();
      expect(await registered()).toBe(false);
    });

    it('writes once even when the write does not last', async () => {
      await install();
      mac.forgetLog();
      await mac.faults('security-write:1 swallow');
      expect((await guard()).status).toBe(1);
      expect(writes()).toBe(1);
    });

    it('stays while a damaged bundle is there, and goes when nothing is left', async () => {
      await install();
      await mac.setRight(fixture('stock-macos-26-registered'));
      await mac.shell(`rm "${EXECUTABLE}"`);
      await guard();
      expect(existsSync(mac.path(JOB))).toBe(true);
      rmSync(mac.path(BUNDLE), { recursive: true });
      await guard();
      const left = (await mac.shell('find /Library /private/var -name "*scrow*"')).stdout;
      expect(left).toBe(`${LOCAL}\n`);
      expect((await mac.shell(`/bin/launchctl print system/${PRODUCT.guardIdentifier}`)).status).toBe(113);
    });

    it('leaves the entry when codesign hangs', async () => {
      await install();
      await mac.setRight(fixture('stock-macos-26-registered'));
      await mac.faults('codesign:1 hang', 'codesign:2 fail 1');
      const { status, said } = await guard();
      expect(status, said).toBe(1);
      expect(await registered()).toBe(true);
    });
  });

  describe('uninstalling', () => {
    it('keeps the bundle that a mechanism of others needs, and starts the guard again', async () => {
      await mac.put(LOCAL, '{EnableGuard=YES;}');
      await run(RUN.install);
      await mac.setRight(fixture('near-miss-plug-in-lower-case'));
      const { status, said } = await run(RUN.uninstall);
      expect(status).toBe(1);
      expect(said).toContain('"escrow buddy:Invoke,privileged"');
      expect(await mac.seal(BUNDLE)).toBe('ok');
      expect((await mac.shell(`/bin/launchctl print system/${PRODUCT.guardIdentifier}`)).status).toBe(0);
    });

    it.each([
      ['the script', RUN.uninstall, true],
      ['the package', RUN.uninstallPackage, false],
    ])('by %s leaves nothing behind', async (_, program, forgetsItself) => {
      await mac.put(LOCAL, '{EnableGuard=YES;}');
      await run(RUN.install);
      await guard();
      const { status, said } = await run(program);
      expect(status, said).toBe(0);
      expect((await mac.shell('find /Library /private/var -name "*scrow*"')).stdout).toBe('');
      expect(await registered()).toBe(false);
      const forgotten = mac
        .log()
        .filter(({ argv }) => argv.includes('--forget'))
        .map(({ argv }) => argv.at(-1));
      const { packageIdentifier, guardIdentifier, uninstallIdentifier } = PRODUCT;
      expect(forgotten).toEqual([packageIdentifier, guardIdentifier, ...(forgetsItself ? [uninstallIdentifier] : [])]);
    });
  });

  describe('status.sh', () => {
    const status = async () => {
      const { status, said } = await run([...RUN.status, '--json']);
      return { status, ...JSON.parse(said) };
    };
    const healthy = async () => {
      await mac.setRight(fixture('stock-macos-26-registered'));
      await mac.put(
        '/Library/Managed Preferences/com.apple.security.FDERecoveryKeyEscrow.plist',
        '{Location="A \\"B\\"";}',
      );
      await mac.shell('rm -rf "/Library/Application Support/Escrow Buddy"');
    };

    it('is healthy when all is in place', async () => {
      await healthy();
      expect(await status()).toMatchObject({
        status: 0, schema: 1, version: '1.1.0', state: 'healthy', mechanism: { place: 'in-place' },
        bundle: { state: 'valid' }, escrowLocation: 'A "B"', fileVault: 'on', request: 'none', guard: { state: 'absent' },
      }); // biome-ignore format: a table
    });

    it.each([
      ['a lost entry', 1, () => mac.setRight(fixture('stock-macos-26'))],
      ['an entry in the wrong place', 1, () => mac.setRight(fixture('fault-after-done'))],
      ['FileVault being off', 1, () => mac.facts({ filevault: 'off' })],
      ['a forced request', 1, () => mac.put(MANAGED, '{GenerateNewKey=1;}')],
      ['a failed rotation', 1, () => mac.put(LOCAL, '{LastOutcome="rotation-failed";}')],
      ['a right without its anchor', 2, () => mac.setRight(fixture('fault-no-done'))],
      ['a right that is not understood', 2, () => mac.setRight(fixture('output-truncated-in-array'))],
      ['a damaged bundle', 2, () => mac.shell(`echo >>"${BUNDLE}/Contents/Info.plist"`)],
      ['a missing executable', 2, () => mac.shell(`rm "${EXECUTABLE}"`)],
    ] as [string, number, () => Promise<unknown>][])('reports %s with %s', async (_, level, damage) => {
      await healthy();
      await damage();
      expect((await status()).status).toBe(level);
    });

    it('writes nothing', async () => {
      await healthy();
      const tree = async () =>
        (await mac.shell('find /Library /private /Users -exec /.host/bin/stat -c "%n %s %Y %Z" {} +')).stdout;
      const before = await tree();
      await status();
      await run(RUN.status);
      expect(await tree()).toBe(before);
      expect(mac.log().some(({ argv }) => argv[0] === '/usr/bin/logger')).toBe(false);
    });
  });
});
