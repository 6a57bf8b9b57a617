import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Config, readConfig } from '../../../build/plan/config.ts';
import { claimedPackage, makerOf, ourForm } from '../../../build/stages/our-form.ts';
import { builtPackage } from '../../support/built-package.ts';

let config: Config;
let scratch: string;
beforeAll(async () => {
  config = await readConfig(process.cwd());
  scratch = mkdtempSync(join(tmpdir(), 'our-form-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('a package is ours when its file is named like one', () => {
  it.each([
    ['Escrow.Buddy-1.1.0.pkg', 'product'],
    ['/tmp/escrow.buddy-9.9.pkg', 'product'],
    ['Escrow.Buddy-1.1.0-rehearsal.pkg', 'product'],
    ['Escrow.Buddy.Guard-1.1.0.pkg', 'guard'],
    ['Escrow.Buddy.Uninstall-1.1.0.pkg', 'uninstall'],
    ['Escrow.Buddy.Request-1.1.0.pkg', 'request'],
    ['Escrow-Buddy-1.1.0.pkg', undefined],
    ['Other-1.1.0.pkg', undefined],
    ['My.Escrow.Buddy-1.1.0.pkg', undefined],
  ])('%s: %s', (file, name) => expect(claimedPackage(config, undefined, file)).toBe(name));
});

describe('whose tools made a package of ours', () => {
  const beside = (manifest: object) => {
    const file = join(scratch, 'a.pkg');
    writeFileSync(file, readFileSync(builtPackage()));
    writeFileSync(join(scratch, 'release.json'), JSON.stringify(manifest));
    return file;
  };
  const recorded = () => JSON.parse(readFileSync(join(inject('releaseFolder'), 'release.json'), 'utf8'));

  it('is what the person says, whatever is configured', async () => {
    const configured = { ...config, signing: { ...config.signing, toolchain: 'portable' as const } };
    expect(await makerOf('a.pkg', configured, 'apple')).toBe('apple');
    expect(await makerOf('a.pkg', configured, undefined)).toBe('portable');
  });

  it('is recorded in the release.json beside it, for a file of this digest only', async () => {
    const file = beside({ ...recorded(), toolchain: 'apple' });
    expect(await makerOf(file, config, undefined)).toBe('apple');
    writeFileSync(file, 'another file');
    expect(await makerOf(file, config, undefined)).toBe('portable');
  });

  it('is ours where nothing is known', async () => {
    expect(await makerOf(join(tmpdir(), 'nowhere', 'a.pkg'), config, undefined)).toBe('portable');
    expect(await makerOf(beside({ not: 'a manifest' }), config, undefined)).toBe('portable');
  });
});

describe('what a package says it is', () => {
  const IDS = { product: 'com.netflix.Escrow-Buddy', guard: 'com.netflix.Escrow-Buddy.guard' };
  const says = (parts: { id?: string; title?: string; refs?: string[]; components?: [string, string][] }) => {
    const { id, title, refs = [], components = [] } = parts;
    const distribution = {
      ...(id !== undefined && { product: { id } }),
      title,
      packages: refs.map((ref) => ({ id: ref })),
    };
    const opened = {
      distribution,
      components: components.map(([identifier, folder]) => ({ info: { identifier }, folder })),
    };
    return claimedPackage(config, opened as never, 'other.pkg');
  };

  it.each<[string, Parameters<typeof says>[0], string | undefined]>([
    ['its product', { id: IDS.product }, 'product'],
    ['its product, in other capitals and with blanks', { id: ' COM.netflix.escrow-buddy ' }, 'product'],
    ['its title', { title: 'escrow buddy guard' }, 'guard'],
    ['its component', { components: [[IDS.guard, 'x']] }, 'guard'],
    ['the folder of its component', { components: [['x', `${IDS.guard}.PKG`]] }, 'guard'],
    ['a reference', { refs: ['x', IDS.product] }, 'product'],
    ['several: an extra package before the product', { refs: [IDS.product, IDS.guard] }, 'guard'],
    ['several: the one that its product names', { id: IDS.product, refs: [IDS.guard] }, 'product'],
    ['nothing', {}, undefined],
    ['something else', { id: 'com.example.a', title: 'Escrow Buddy 2', refs: [`${IDS.product}.more`] }, undefined],
  ])('by %s', (_, parts, expected) => expect(says(parts)).toBe(expected));

  it('is held to a form: scripts, and the root alone where nothing is laid down', async () => {
    const plan = { root: process.cwd(), config };
    const known = { madeBy: 'portable', teamIdentifier: null, version: null } as const;
    const [product, guard] = [await ourForm(plan, 'product', known), await ourForm(plan, 'guard', known)];
    expect([product.scripts, guard.scripts]).toEqual([
      ['preinstall', 'postinstall', 'guard.sh'],
      ['postinstall', 'guard.sh'],
    ]);
    expect([...guard.payload]).toEqual([['.', 0o755]]);
    expect(product.payload.size).toBeGreaterThan(3);
    expect([product.bundles('1.2.3').length, guard.bundles('1.2.3'), product.isVersion('1.2')]).toEqual([1, [], false]);
    expect(product).toMatchObject({
      ...known,
      title: 'Escrow Buddy',
      identifier: IDS.product,
      minimumSystemVersion: '10.14.4',
    });
  });
});
