import { existsSync, symlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { simulatedMacNeeds } from '../mac/simulated/simulated-mac.ts';
import { BUNDLE, ENTRY, RUN } from './product.ts';
import { EXECUTABLE, fixture, LOCK, useMac } from './rig.ts';

const { missing, note } = simulatedMacNeeds;

describe.skipIf(missing)(`the scripts that register${note}`, () => {
  const { mac, run, entries, guard, registered, writes, leftovers } = useMac();
  /** The right of macOS 15 with one more entry of others in front. */
  const withEntry = (name: string) =>
    fixture('stock-macos-15').toString().replace('<array>', `<array>\n\t\t<string>${name}</string>`);

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

    it.each(['security-read:1 truncate 900', 'security-read:1 empty-output', 'plutil:1 empty-output'])(
      'writes nothing when %s',
      async (fault) => {
        await mac.faults(fault);
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
    const refused = async (_: string, damage: string, words: string) => {
      await mac.setRight(fixture('stock-macos-26-registered'));
      await mac.shell(damage);
      const { status, said } = await run(RUN.install);
      expect(status, said).toBe(1);
      expect(said).toContain(words);
      expect(await registered()).toBe(false);
    };
    const OPEN = 'not root:wheel, or others may write to it, or a link';

    it.each([
      ['is missing', `rm -rf "${BUNDLE}"`, 'not registered'],
      ['has no executable', `rm "${EXECUTABLE}"`, 'not registered'],
      [
        'has a link for an executable',
        `mv "${EXECUTABLE}" /private/tmp/x; ln -s /private/tmp/x "${EXECUTABLE}"`,
        'not registered',
      ],
      ['can be written by its group', `/bin/chmod 0775 "${BUNDLE}/Contents"`, 'not registered'],
      ['cannot be executed', `/bin/chmod 0644 "${EXECUTABLE}"`, 'not registered'],
      ['was changed', `echo x >>"${BUNDLE}/Contents/Resources/status.sh"`, 'not registered'],
      ['can be written by others, what is in it by root alone', `/bin/chmod 0757 "${BUNDLE}"`, OPEN],
      ['holds a link', `ln -s /private/tmp "${BUNDLE}/Contents/Resources/link"`, OPEN],
      ['holds a pipe', `mkfifo "${BUNDLE}/Contents/Resources/pipe"`, OPEN],
    ])('that %s is not registered, and an entry is taken out', refused);

    const isRoot = process.getuid?.() === 0;
    it.skipIf(!isRoot).each([
      ['belongs to a user', `/usr/sbin/chown 501 "${EXECUTABLE}"`, OPEN],
      ['belongs to another group', `/usr/sbin/chown 0:20 "${BUNDLE}/Contents/Resources/status.sh"`, OPEN],
      ["is a user's, what is in it root's", `/usr/sbin/chown 501 "${BUNDLE}"`, OPEN],
      ['is of another group, what is in it of wheel', `/usr/sbin/chown 0:20 "${BUNDLE}"`, OPEN],
    ])(`that %s is not registered either${isRoot ? '' : ' (skipped: needs root, to give files away)'}`, refused);

    it('for another processor is not registered, but proves nothing', async () => {
      await mac.setRight(fixture('stock-macos-26-registered'));
      await mac.facts({ machine: 'ppc', team: 'ABCDE12345' });
      expect((await run(RUN.install)).status).toBe(1);
      expect(await registered()).toBe(true);
    });

    it('that codesign does not check in time proves nothing', async () => {
      await mac.setRight(fixture('stock-macos-26-registered'));
      await mac.faults('codesign:1 hang', 'codesign:2 hang');
      const { status, said } = await run(RUN.install);
      expect(status, said).toBe(1);
      expect(said).toContain('came to no result');
      expect(await registered()).toBe(true);
      expect(leftovers()).toEqual([]);
    });

    it('that codesign refuses once is asked about again', async () => {
      await mac.faults('codesign:1 fail 1');
      expect((await run(RUN.install)).status).toBe(0);
    });

    it('of another team is refused, and an entry that is there stays', async () => {
      await mac.setRight(fixture('stock-macos-26-registered'));
      await mac.facts({ team: 'ZZZZZ99999' });
      const { status, said } = await run(RUN.install);
      expect(status).toBe(1);
      expect(said).toContain("not that of this product's team");
      expect(await registered()).toBe(true);
    });
  });

  describe('the lock', () => {
    it.each([
      ['of a process that is gone', '99999.'],
      ['that is older than any run, whoever has its number now', '1.'],
      ['that makes no sense', 'x'],
    ])('%s is taken over', async (_, holder) => {
      const since = holder === '1.' ? mac.now() - 1000 : mac.now();
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
      const holder = `1.${mac.now()}`;
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
      await mac.shell(`cd /private/var/db; mkdir keep com.netflix.Escrow-Buddy.lock.folder; touch keep/x
        ln -s 99999.1 com.netflix.Escrow-Buddy.lock.99999; touch com.netflix.Escrow-Buddy.lock.file`);
      expect((await run(RUN.register)).status).toBe(0);
      expect(leftovers().sort()).toEqual([
        'com.netflix.Escrow-Buddy.lock.file',
        'com.netflix.Escrow-Buddy.lock.folder',
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
});
