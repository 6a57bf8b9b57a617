import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accessBuffer } from '../../src/base/random-access.ts';
import { parseDistribution } from '../../src/package/distribution.ts';
import { openPackage } from '../../src/package/open-package.ts';
import { buildProduct, distributionOf, memberOf } from '../../src/package/product.ts';
import { directory, file } from '../support/payload.ts';

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

describe('buildProduct', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'product-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const payload = [directory('.'), file('./a', Buffer.alloc(1500))];
  const component = { ...PLAN.component, installLocation: '/L', payload, scripts: [], bundles: [] };
  const plan = { ...PLAN, component, creationTime: 1_600_000_000 };
  const signal = new AbortController().signal;

  it('writes a product, and tells its size, digests and counters', async () => {
    const path = join(folder, 'a.pkg');
    const told = await buildProduct(plan, path, signal);
    expect(readdirSync(folder)).toEqual(['a.pkg']);
    const data = readFileSync(path);
    const { archive, distribution, components } = await openPackage(accessBuffer(data));
    expect(told).toEqual({
      kind: 'unsigned-product',
      path,
      size: data.length,
      sha256: createHash('sha256').update(data).digest('hex'),
      tocDigest: archive.checksum.value.toString('hex'),
      numberOfFiles: 2,
      installKBytes: 2,
    });
    expect(archive.creationTime).toBe(1_600_000_000);
    const names = ['Bom', 'Payload', 'PackageInfo'].map((name) => `com.example.a.pkg/${name}`);
    expect(archive.members.map((member) => member.path)).toEqual(['Distribution', 'com.example.a.pkg', ...names]);
    const owner = { kind: 'directory', mode: 0o700, uid: 0, gid: 0, mtime: 1_600_000_000 };
    expect(archive.members[1]).toMatchObject(owner);
    expect(distribution).toMatchObject({ title: 'T', packages: [{ installKBytes: 2, member: 'com.example.a.pkg' }] });
    expect(components).toMatchObject([{ folder: 'com.example.a.pkg', info: { installLocation: '/L' } }]);
  });

  it('leaves nothing behind where it cannot write', async () => {
    const path = join(folder, 'a.pkg');
    mkdirSync(path);
    await expect(buildProduct(plan, path, signal)).rejects.toMatchObject({ code: 'TARGET_NOT_A_FILE' });
    expect(readdirSync(folder)).toEqual(['a.pkg']);
  });
});
