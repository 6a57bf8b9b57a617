import { beforeAll, describe, expect, it } from 'vitest';
import { accessBuffer } from '../../../src/base/random-access.ts';
import { type BundleEntry, fileAt } from '../../../src/code-signature/bundle-entry.ts';
import { type BundleSigner, signBundle } from '../../../src/code-signature/sign/sign-bundle.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import type { Policy } from '../../../src/verify/expectations.ts';
import { verifyPackage } from '../../../src/verify/verify-package.ts';
import { sampleBundle, sampleSlice } from '../../code-signature/sample.ts';
import { otherRehearsalSigner, rehearsalSigner } from '../../code-signature/signers.ts';
import { directory, file, symlink } from '../../support/payload.ts';
import { type ProductParts, packageOf, productOf } from '../others.ts';
import { outerBundle, tool } from './nested.ts';

// Several components, and bundles with code inside code: made by our writers, signed by the rehearsal's authority and by a stranger.
let authority: RehearsalAuthority;
let signer: BundleSigner;
let stranger: { readonly authority: RehearsalAuthority; readonly signer: BundleSigner };
let inner: readonly BundleEntry[];
beforeAll(async () => {
  ({ authority, signer } = await rehearsalSigner());
  stranger = await otherRehearsalSigner();
  inner = (await signBundle(sampleBundle(), signer)).entries;
});

async function check(data: Buffer, policy?: Policy) {
  const options = { trust: authority.trust, now: new Date('2023-11-15'), ours: null, policy };
  const { checks, installs } = await verifyPackage(accessBuffer(data), options);
  const failed = checks.filter(({ status }) => status === 'fail').map(({ id, subject }) => `${id}: ${subject}`);
  const reasons = checks.filter(({ status }) => status === 'fail').map(({ reason }) => reason ?? '');
  return { checks, failed: [...new Set(failed)], reasons, installs };
}

const COMPONENTS: ProductParts = {
  'app.pkg': { identifier: 'com.example.app', payload: [file('./a', 'x')], installLocation: '/Applications' },
  'tool.pkg': {
    identifier: 'com.example.tool',
    payload: [directory('./1.0'), file('./1.0/data', 'old'), directory('./2.0'), file('./2.0/data', 'new'), symlink('./Current', '2.0')],
    installLocation: '/Library/Tool',
    scripts: [file('./postinstall', '#!/bin/sh\nexit 0\n', 0o755)],
  },
}; // biome-ignore format: a table

describe('a product of several components', () => {
  it('passes, and tells what each of them lays down', async () => {
    const { failed, installs, checks } = await check(await productOf(authority, COMPONENTS));
    expect(failed).toEqual([]);
    expect(
      installs.map(({ identifier, installLocation, numberOfFiles }) => [identifier, installLocation, numberOfFiles]),
    ).toEqual([
      ['com.example.app', '/Applications', 2],
      ['com.example.tool', '/Library/Tool', 6],
    ]);
    const subjects = new Set(checks.map(({ subject }) => subject));
    expect([...subjects]).toEqual(expect.arrayContaining(['package', 'app.pkg', 'tool.pkg']));
  });

  it.each<[string, ProductParts, (text: string) => string, string]>([
    [
      'whose second one is not referred to',
      COMPONENTS,
      (text) => text.replaceAll(/<pkg-ref[^>]*>#tool.pkg<\/pkg-ref>/g, ''),
      'nothing refers to the component tool.pkg',
    ],
    [
      'whose references are swapped',
      COMPONENTS,
      (text) => text.replace('#app.pkg', '#x').replace('#tool.pkg', '#app.pkg').replace('#x', '#tool.pkg'),
      'com.example.app leads to tool.pkg, which is com.example.tool',
    ],
  ])('%s is refused', async (_, parts, edit, words) => {
    const { failed, reasons } = await check(await productOf(authority, parts, edit));
    expect(failed).toEqual(['distribution: package']);
    expect(reasons.join()).toContain(words);
  });

  it('is refused by the name of the component that is wrong', async () => {
    const lacking = { ...COMPONENTS['tool.pkg'], identifier: 'com.example.tool', run: ['postinstall', 'preinstall'] };
    expect((await check(await productOf(authority, { ...COMPONENTS, 'tool.pkg': lacking }))).failed).toEqual([
      'scripts: tool.pkg',
    ]);
    const unsigned = { identifier: 'com.example.app', payload: [file('./t', sampleSlice('arm64'), 0o755)] };
    expect((await check(await productOf(authority, { ...COMPONENTS, 'app.pkg': unsigned }))).failed).toEqual([
      'code-layout: t (arm64)',
    ]);
  });

  it('is held to a policy with every component', async () => {
    const data = await productOf(authority, COMPONENTS);
    const paths = async (...allowedPaths: string[]) => (await check(data, { allowedPaths })).failed;
    expect(await paths('/Applications', '/Library/Tool')).toEqual([]);
    expect(await paths('/Applications')).toEqual(['policy-paths: package']);
    expect(await paths('/Library/Tool')).toEqual(['policy-paths: package']);
  });
});

describe('a bundle with code of its own inside', () => {
  it('passes with a helper, a service, a plug-in and a login item, each signed by itself', async () => {
    const nested = {
      'Helpers/helper': await tool(signer),
      'XPCServices/service.xpc': inner,
      'PlugIns/plug.bundle': inner,
      'Library/LoginItems/item.app': inner,
    };
    const { failed, checks, reasons } = await check(
      await packageOf(authority, { payload: await outerBundle(signer, nested) }),
    );
    expect(failed, reasons.join('\n')).toEqual([]);
    const sealed = checks.filter(({ id, status }) => id === 'seal-nested' && status === 'pass');
    expect(sealed.map(({ subject }) => subject)).toContain('A.app');
  });

  it('is refused with another helper in the place of the one that was sealed', async () => {
    const [own, other] = [await tool(signer), inner];
    const payload = await outerBundle(
      signer,
      { 'Helpers/helper': fileAt(other, 'Contents/MacOS/Escrow Buddy') as Buffer },
      { 'Helpers/helper': own },
    );
    const { failed, reasons } = await check(await packageOf(authority, { payload }));
    expect(failed).toContain('seal-nested: A.app');
    expect(reasons.join()).toContain('Helpers/helper has cdhash');
  });

  it('is refused with a helper more, with one less, and with one beside it', async () => {
    const helper = await tool(signer);
    const of = async (nested: Record<string, Buffer>, sealed: Record<string, Buffer>) =>
      (await check(await packageOf(authority, { payload: await outerBundle(signer, nested, sealed) }))).failed;
    expect(await of({ 'Helpers/helper': helper }, {})).toEqual(['seal-added: A.app', 'seal-nested: A.app']);
    expect(await of({}, { 'Helpers/helper': helper })).toEqual(['seal-removed: A.app']);
    expect(await of({ 'Helpers/helper': helper, 'Helpers/helper-evil': helper }, { 'Helpers/helper': helper })).toEqual(
      ['seal-added: A.app', 'seal-nested: A.app'],
    );
  });

  it('is refused by the name of the helper that a stranger signed', async () => {
    const nested = { 'Helpers/helper': await tool(stranger.signer) };
    const { failed } = await check(await packageOf(authority, { payload: await outerBundle(signer, nested) }));
    const name = 'A.app/Contents/Helpers/helper (arm64)';
    expect(failed).toEqual([`code-timestamp: ${name}`, `code-chain: ${name}`]);
  });
});

describe('a stranger’s signature', () => {
  it('over the package is refused, whatever lies inside', async () => {
    const { failed } = await check(await packageOf(stranger.authority, { payload: [file('./a', 'x')] }));
    expect(failed).toEqual(['package-timestamp: package', 'package-chain: package']);
  });

  it('over a component’s code is refused in a package that is rightly signed', async () => {
    const { failed } = await check(
      await packageOf(authority, { payload: [file('./t', await tool(stranger.signer), 0o755)] }),
    );
    expect(failed).toEqual(['code-timestamp: t (arm64)', 'code-chain: t (arm64)']);
  });
});
