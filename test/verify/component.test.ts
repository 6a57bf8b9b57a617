import { describe, expect, it } from 'vitest';
import type { OpenComponent, OpenPackage } from '../../src/package/open-package.ts';
import { appleTrust } from '../../src/pki/x509/apple-roots.ts';
import { checkComponent } from '../../src/verify/component.ts';
import type { PackageExpectations } from '../../src/verify/expectations.ts';

const EXPECTATIONS: PackageExpectations = { trust: appleTrust(), now: new Date('2026-01-01'), ours: null };
const OPENED = { archive: { access: { size: 1000 }, members: [] } } as unknown as OpenPackage;

describe('a component without payload and scripts', () => {
  const check = (installLocation?: string) => {
    const info = {
      payload: { numberOfFiles: 0 },
      bundles: [],
      scripts: [],
      ...(installLocation && { installLocation }),
    };
    const component = { folder: 'a.pkg', info, bom: undefined, payload: undefined, scripts: undefined };
    const place = { name: 'a.pkg', depth: 0, fromScripts: false, signedAt: undefined };
    return checkComponent(component as unknown as OpenComponent, OPENED, EXPECTATIONS, place);
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
