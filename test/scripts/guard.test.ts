import { existsSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { simulatedMacNeeds } from '../mac/simulated/simulated-mac.ts';
import { BUNDLE, ENTRY, PRODUCT, RUN } from './product.ts';
import { EXECUTABLE, fixture, JOB, LOCAL, MANAGED, useMac } from './rig.ts';

const { missing, note } = simulatedMacNeeds;

describe.skipIf(missing)(`the guard${note}`, () => {
  const { mac, run, entries, guard, registered, writes } = useMac();

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
    expect((await mac.shell(`/bin/launchctl print system/${PRODUCT.guardIdentifier}`)).status).toBe(expected ? 0 : 113);
  });

  it('that cannot be laid down or started is no reason to call the installation failed', async () => {
    await mac.put(LOCAL, '{EnableGuard=YES;}');
    for (const damage of ['chmod 0777 /Library/LaunchDaemons', 'rm /private/tmp/product/guard.sh']) {
      await mac.setRight(fixture('stock-macos-26'));
      await mac.shell(damage);
      const { status, said } = await run(RUN.install);
      expect([status, await registered()], said).toEqual([0, true]);
      expect(said).toContain('The guard was not installed');
    }
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

  it('stays while a damaged bundle is there, and for a day when nothing is left', async () => {
    await install();
    await mac.setRight(fixture('stock-macos-26-registered'));
    await mac.shell(`rm "${EXECUTABLE}"`);
    await guard();
    expect(existsSync(mac.path(JOB))).toBe(true);
    rmSync(mac.path(BUNDLE), { recursive: true });
    await guard();
    await mac.pass(86_000);
    await guard();
    expect(existsSync(mac.path(JOB))).toBe(true);
    await mac.pass(1000);
    await guard();
    const left = (await mac.shell('find /Library /private/var -name "*scrow*"')).stdout;
    expect(left).toBe(`${LOCAL}\n`);
    expect((await mac.shell(`/bin/launchctl print system/${PRODUCT.guardIdentifier}`)).status).toBe(113);
  });

  it('leaves the entry when codesign hangs', async () => {
    await install();
    await mac.setRight(fixture('stock-macos-26-registered'));
    await mac.shell(`echo >>"${BUNDLE}/Contents/Info.plist"`);
    await mac.faults('codesign:1 hang', 'codesign:2 hang');
    const { status, said } = await guard();
    expect(status, said).toBe(1);
    expect(await registered()).toBe(true);
  });
});
