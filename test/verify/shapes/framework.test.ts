import { beforeAll, describe, expect, it } from 'vitest';
import { accessBuffer } from '../../../src/base/random-access.ts';
import type { BundleEntry } from '../../../src/code-signature/bundle-entry.ts';
import type { BundleSigner } from '../../../src/code-signature/sign/sign-bundle.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import type { Policy } from '../../../src/verify/expectations.ts';
import { verifyPackage } from '../../../src/verify/verify-package.ts';
import { otherRehearsalSigner, rehearsalSigner } from '../../code-signature/signers.ts';
import { packageOf } from '../others.ts';
import { framework, outerBundle } from './nested.ts';

// A framework as most programs carry some: one version, links into the current one, sealed by the program around it.
let authority: RehearsalAuthority;
let signer: BundleSigner;
let right: readonly BundleEntry[];
let another: readonly BundleEntry[];
let strangers: readonly BundleEntry[];
beforeAll(async () => {
  ({ authority, signer } = await rehearsalSigner());
  right = await framework(signer);
  another = await framework(signer, 'com.example.other');
  strangers = await framework((await otherRehearsalSigner()).signer);
});

const PLACE = 'Frameworks/F.framework';
const VERSION = 'A.app/Contents/Frameworks/F.framework/Versions/A';

async function check(entries: readonly BundleEntry[], sealedAs: readonly BundleEntry[] | null = entries, policy?: Policy) {
  const payload = await outerBundle(signer, { [PLACE]: entries }, sealedAs ? { [PLACE]: sealedAs } : {});
  const options = { trust: authority.trust, now: new Date('2023-11-15'), ours: null, policy };
  const { checks } = await verifyPackage(accessBuffer(await packageOf(authority, { payload })), options);
  const failed = checks.filter(({ status }) => status === 'fail');
  return { checks, failed: [...new Set(failed.map(({ id, subject, reason }) => `${id}: ${subject}: ${reason}`))] };
} // biome-ignore format: short

type Change = (entries: readonly BundleEntry[]) => readonly BundleEntry[];
const changed =
  (path: string, change: (entry: BundleEntry) => BundleEntry): Change =>
  (entries) =>
    entries.map((entry) => (entry.path === path ? change(entry) : entry));
const link = (path: string, symlink: string): Change => changed(path, () => ({ path, mode: 0o755, symlink }));
const added =
  (entry: BundleEntry): Change =>
  (entries) => [...entries, entry];
const without =
  (path: string): Change =>
  (entries) =>
    entries.filter((entry) => entry.path !== path);
const file = (path: string, text = 'x'): BundleEntry => ({ path, mode: 0o644, data: Buffer.from(text) });

describe('a framework inside a bundle of a package', () => {
  it('passes, and is sealed by the bundle around it and by itself', async () => {
    const { failed, checks } = await check(right);
    expect(failed).toEqual([]);
    const passed = (wanted: string) =>
      checks.filter(({ id, status }) => id === wanted && status === 'pass').map(({ subject }) => subject);
    expect(passed('seal-changed')).toEqual(['A.app', VERSION]);
    expect(passed('seal-nested')).toContain('A.app');
    expect(passed('code-pages')).toContain(`${VERSION}/F (arm64)`);
  });

  it.each<[string, Change, string[]]>([
    ['a resource changed', changed('Versions/A/Resources/data', () => file('Versions/A/Resources/data', 'y')), [`seal-changed: ${VERSION}: Resources/data`]],
    ['a resource more', added(file('Versions/A/Resources/more')), [`seal-added: ${VERSION}: Resources/more`]],
    ['a resource less', without('Versions/A/Resources/data'), [`seal-removed: ${VERSION}: Resources/data`]],
    ['a changed page of its program', changed('Versions/A/F', (entry) => ('data' in entry ? { ...entry, data: flipped(entry.data) } : entry)), [`code-pages: ${VERSION}/F (arm64): `]],
    ['a current version outside of it', link('Versions/Current', '../../../Elsewhere'), [`bundle-places: ${VERSION}: Versions/Current points to ../../../Elsewhere`]],
    ['a link that leads past the current version', link('F', 'Versions/B/F'), [`bundle-places: ${VERSION}: F lies beside the versions of the framework`]],
    ['a file beside its versions', added(file('evil')), [`bundle-places: ${VERSION}: evil lies beside the versions of the framework`]],
    ['its resources in the place of a link', (entries) => [...without('Resources')(entries), file('Resources/data')], [`bundle-places: ${VERSION}: Resources/data lies beside the versions of the framework`]],
  ])('is refused by name with %s', async (_, change, expected) => {
    const { failed } = await check(change(right), right);
    for (const words of expected) expect(failed.join('\n')).toContain(words);
  }); // biome-ignore format: a table

  it('is refused in the place of another one, whoever signed it', async () => {
    const { failed } = await check(another, right);
    expect(failed).toEqual([expect.stringMatching(/^seal-nested: A\.app: Frameworks\/F\.framework has (cdhash|requirement)/)]);
    const stranger = (await check(strangers)).failed.join('\n');
    expect(stranger).toContain(`code-chain: ${VERSION}/F (arm64)`);
  }); // biome-ignore format: short

  it('is refused where the bundle around it does not seal it, and missed where it does', async () => {
    expect((await check(right, null)).failed.join('\n')).toContain('seal-nested: A.app: Frameworks/F.framework is not sealed');
    expect((await check([], right)).failed.join('\n')).toContain('seal-removed: A.app: Frameworks/F.framework is missing');
  }); // biome-ignore format: short

  it('with a second version is the current one to the bundle around it', async () => {
    const second = another.flatMap((entry) =>
      entry.path.startsWith('Versions/A/') ? [{ ...entry, path: entry.path.replace('/A/', '/B/') }] : [],
    );
    expect((await check([...right, ...second], right)).failed).toEqual([]);
    const moved = link('Versions/Current', 'B')([...right, ...second]);
    expect((await check(moved, right)).failed.join('\n')).toMatch(/seal-nested: A\.app: Frameworks\/F\.framework has cdhash/);
  }); // biome-ignore format: short

  it('is held to a policy with everything else', async () => {
    expect((await check(right, right, { allowedPaths: ['/A.app'] })).failed).toEqual([]);
    const out = added({ path: 'Versions/A/Resources/out', mode: 0o755, symlink: '/etc' })(right);
    expect((await check(out, right, { allowedPaths: ['/A.app'] })).failed.join('\n')).toContain('leads to /etc, which is not allowed');
  }); // biome-ignore format: short
});

function flipped(data: Buffer): Buffer {
  const copy = Buffer.from(data);
  copy[0x4000] = (copy[0x4000] as number) ^ 1;
  return copy;
}
