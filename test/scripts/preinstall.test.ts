import { describe, expect, it } from 'vitest';
import { simulatedMacNeeds } from '../mac/simulated/simulated-mac.ts';
import { BUNDLE } from './product.ts';
import { useMac } from './rig.ts';

const { missing, note } = simulatedMacNeeds;

describe.skipIf(missing)(`preinstall${note}`, () => {
  const { mac, run } = useMac();
  const preinstall = (target = '/') =>
    run(['/private/tmp/product/preinstall', '/p.pkg', '/Library/Security/SecurityAgentPlugins', target, '/']);

  it.each([
    ['10.13.6', 1], ['10.14', 1], ['10.14.0', 1], ['10.14.3', 1], ['10.9.10', 1], ['10', 1], ['9.99.99', 1],
    ['10.14.4', 0], ['10.14.10', 0], ['10.15', 0], ['11', 0], ['26', 0], ['26.0', 0], ['100.1', 0],
  ] as const)('macOS %s: ends with %i', async (productVersion, status) => {
    await mac.facts({ productVersion });
    const result = await preinstall();
    expect(result.status, result.said).toBe(status);
    expect(result.said.includes('10.14.4 or later is needed')).toBe(status === 1);
  }); // biome-ignore format: a table

  const elsewhere = '/Volumes/Other';
  it.each(['/', elsewhere])('nothing is installed on %s through what is not a folder', async (target) => {
    const place = `${target === '/' ? '' : target}${BUNDLE}`;
    for (const [there, status] of [
      [':', 0],
      [`/bin/mkdir -p "${place}"`, 0],
      [`: >"${place}"`, 1],
      [`/bin/ln -s /private/tmp "${place}"`, 1],
      [`/bin/ln -s /nowhere "${place}"`, 1],
      [`/bin/ln -s /private/tmp/product/preinstall "${place}"`, 1],
    ] as const) {
      await mac.shell(`/bin/rm -rf "${place}"; /bin/mkdir -p "$(/usr/bin/dirname "${place}")"; ${there}`);
      const result = await preinstall(target);
      expect([there, result.status], result.said).toEqual([there, status]);
      expect(result.said.includes(`${place} is not a folder`)).toBe(status === 1);
    }
  });

  it('on another volume the version of the running system does not matter', async () => {
    await mac.facts({ productVersion: '10.13.6' });
    expect((await preinstall(elsewhere)).status).toBe(0);
  });
});
