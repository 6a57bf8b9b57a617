import { describe, expect, it } from 'vitest';
import { simulatedMacNeeds } from '../mac/simulated/simulated-mac.ts';
import { BUNDLE, RUN } from './product.ts';
import { EXECUTABLE, fixture, LOCAL, MANAGED, useMac } from './rig.ts';

const { missing, note } = simulatedMacNeeds;

describe.skipIf(missing)(`status.sh${note}`, () => {
  const { mac, run } = useMac();

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
