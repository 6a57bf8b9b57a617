import { describe, expect, it } from 'vitest';
import type { WorkBudget } from '../../src/base/input/limits.ts';
import { accessBuffer } from '../../src/base/random-access.ts';
import { type OpenComponent, type OpenPackage, openPackage } from '../../src/package/open-package.ts';
import { appleTrust } from '../../src/pki/x509/apple-roots.ts';
import { checkComponent } from '../../src/verify/component.ts';
import type { PackageExpectations } from '../../src/verify/expectations.ts';
import { file } from '../support/payload.ts';
import { packageOf } from './others.ts';

const EXPECTATIONS: PackageExpectations = { trust: appleTrust(), now: new Date('2026-01-01'), ours: null };
const OPENED = { archive: { access: { size: 1000 }, members: [] } } as unknown as OpenPackage;

const AT_TOP = { name: 'a.pkg', depth: 0, fromScripts: false, signedAt: undefined };

describe('a package among the files', () => {
  it('is paid for by the package that it lies in', async () => {
    const inner = await packageOf(null, { payload: [file('./zeros', Buffer.alloc(1_000_000))] });
    const spent = async (content: Buffer) => {
      let bytes = 0;
      const spend = (count: number) => {
        bytes += count;
      };
      const data = await packageOf(null, { payload: [file('./in.pkg', content)] });
      const opened = await openPackage(accessBuffer(data), { spend } as unknown as WorkBudget);
      await checkComponent(opened.components[0] as OpenComponent, opened, EXPECTATIONS, AT_TOP);
      return bytes;
    };
    const unopened = await spent(Buffer.concat([Buffer.from('none'), inner.subarray(4)]));
    expect((await spent(inner)) - unopened).toBeGreaterThan(1_000_000);
  });
});

describe('a component without payload and scripts', () => {
  const check = (installLocation?: string) => {
    const info = {
      payload: { numberOfFiles: 0 },
      bundles: [],
      scripts: [],
      ...(installLocation && { installLocation }),
    };
    const component = { folder: 'a.pkg', info, bom: undefined, payload: undefined, scripts: undefined };
    return checkComponent(component as unknown as OpenComponent, OPENED, EXPECTATIONS, AT_TOP);
  };

  it('has nothing that is looked at', async () => {
    const { checks, ...rest } = await check();
    expect(checks.map(({ id, status, subject }) => `${subject}: ${id} ${status}`)).toEqual([
      'a.pkg: bom-payload skipped',
      'a.pkg: package-info pass',
      'a.pkg: scripts skipped',
    ]);
    expect(rest).toEqual({ slices: [], installLocation: '/', paths: undefined, scripts: [] });
  });

  it('says where it would be laid down', async () => {
    expect((await check('/Library/A')).installLocation).toBe('/Library/A');
  });
});
