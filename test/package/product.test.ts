import { describe, expect, it } from 'vitest';
import { parseDistribution } from '../../src/package/distribution.ts';
import { distributionOf, memberOf } from '../../src/package/product.ts';

const PLAN = {
  identifier: 'com.example.product',
  version: '2.0',
  title: 'T',
  minimumSystemVersion: '11.0',
  component: { identifier: 'com.example.a', version: '1.0' },
};
const [INTEL, ARM, POWER] = [0x01000007, 0x0100000c, 18];

describe('distributionOf', () => {
  it.each<[string, readonly number[], readonly string[]]>([
    ['both', [INTEL, ARM], ['arm64', 'x86_64']],
    ['both, the other way round', [ARM, INTEL], ['arm64', 'x86_64']],
    ['Intel', [INTEL], ['x86_64']],
    ['Apple silicon', [ARM], ['arm64']],
    ['no code', [], ['arm64', 'x86_64']],
    ['code of others alone', [POWER], ['arm64', 'x86_64']],
    ['code of others too', [POWER, INTEL], ['x86_64']],
  ])('names the processors of a payload with %s', (_, cpuTypes, expected) => {
    expect(parseDistribution(distributionOf(PLAN, { installKBytes: 7, cpuTypes })).hostArchitectures).toEqual(expected);
  });

  it('says what the plan and the component say', () => {
    expect(parseDistribution(distributionOf(PLAN, { installKBytes: 7, cpuTypes: [] }))).toMatchObject({
      title: 'T',
      product: { id: 'com.example.product', version: '2.0' },
      minimumSystemVersions: ['11.0'],
      rootVolumeOnly: true,
      customize: 'never',
      packages: [{ id: 'com.example.a', version: '1.0', installKBytes: 7, member: 'com.example.a.pkg' }],
    });
    expect(memberOf(PLAN)).toBe('com.example.a.pkg');
  });
});
