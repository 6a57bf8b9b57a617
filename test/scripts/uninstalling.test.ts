import { describe, expect, it } from 'vitest';
import { simulatedMacNeeds } from '../mac/simulated/simulated-mac.ts';
import { BUNDLE, PRODUCT, RUN } from './product.ts';
import { fixture, LOCAL, useMac } from './rig.ts';

const { missing, note } = simulatedMacNeeds;

describe.skipIf(missing)(`uninstalling${note}`, () => {
  const { mac, run, guard, registered } = useMac();

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
    const { packageIdentifier, guardIdentifier, uninstallIdentifier, requestIdentifier } = PRODUCT;
    const itself = forgetsItself ? [uninstallIdentifier] : [];
    expect(forgotten).toEqual([packageIdentifier, guardIdentifier, ...itself, requestIdentifier]);
  });
});
