import { beforeAll, describe, expect, it } from 'vitest';
import { accessBuffer } from '../../src/base/random-access.ts';
import { type BundleEntry, fileAt } from '../../src/code-signature/bundle-entry.ts';
import { FLAG_ADHOC, FLAG_RUNTIME } from '../../src/code-signature/code-directory.ts';
import { encodeRequirementSet } from '../../src/code-signature/requirement/requirement-set.ts';
import { type BundleSigner, signBundle } from '../../src/code-signature/sign/sign-bundle.ts';
import { signSlice } from '../../src/code-signature/sign/sign-macho.ts';
import { buildFat } from '../../src/macho/fat.ts';
import { FAT_ARCH, FAT_HEADER } from '../../src/macho/layout.ts';
import type { RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import type { PayloadEntry } from '../../src/tree/entry.ts';
import { verifyPackage } from '../../src/verify/verify-package.ts';
import { storedFile } from '../../src/xar/write.ts';
import { sampleBundle, sampleSlice } from '../code-signature/sample.ts';
import { rehearsalSigner } from '../code-signature/signers.ts';
import { directory, file, symlink } from '../support/payload.ts';
import { type PackageParts, packageOf } from './others.ts';

let authority: RehearsalAuthority;
let signer: BundleSigner;
let signed: Buffer;
let adHoc: Buffer;
let bundle: readonly BundleEntry[];

const OPTIONS = {
  identifier: 'tool',
  flags: FLAG_ADHOC,
  teamIdentifier: null,
  infoPlist: null,
  codeResources: null,
  requirements: encodeRequirementSet(null),
  cms: null,
};

beforeAll(async () => {
  ({ authority, signer } = await rehearsalSigner());
  if (signer.kind !== 'identity') throw new Error('no identity');
  const { signCms, teamIdentifier } = signer;
  const cms = (content: Buffer) => signCms({ content, extraSignedAttributes: [] });
  const own = { ...OPTIONS, flags: FLAG_RUNTIME, teamIdentifier, cms };
  signed = (await signSlice(sampleSlice('arm64'), own)).data;
  adHoc = (await signSlice(sampleSlice('arm64'), OPTIONS)).data;
  bundle = (await signBundle(sampleBundle(), signer)).entries;
});

async function check(parts: Partial<PackageParts>, now = new Date('2023-11-15')) {
  const data = await packageOf(authority, parts);
  // The identity is of 2023, and the timestamps with it.
  const { checks, facts } = await verifyPackage(accessBuffer(data), {
    trust: authority.trust,
    now,
    ours: null,
  });
  const own = checks.filter(({ id }) => !id.startsWith('package-'));
  const failed = own.filter(({ status }) => status === 'fail').map(({ id, subject }) => `${id}: ${subject}`);
  return { checks, failed: [...new Set(failed)], slices: facts.slices };
}

const flipped = (data: Buffer) => {
  const copy = Buffer.from(data);
  copy[0x4100] = copy[0x4100]! ^ 1;
  return copy;
};
const tool = (data: Buffer, path = './tool'): PayloadEntry => file(path, data, 0o755);

/** Returns the entries of a bundle in a payload, with all folders above it. */
function laidDown(root: string, entries: readonly BundleEntry[]): PayloadEntry[] {
  const folders = new Set<string>();
  for (const { path } of [{ path: '' }, ...entries]) {
    const names = `${root}/${path}`.split('/').slice(0, -1);
    for (let end = 2; end <= names.length; end++) folders.add(names.slice(0, end).join('/'));
  }
  return [
    ...[...folders].filter((path) => path !== '.').map((path) => directory(path)),
    ...entries.map((entry) =>
      'data' in entry
        ? file(`${root}/${entry.path}`, entry.data, entry.mode)
        : symlink(`${root}/${entry.path}`, entry.symlink),
    ),
  ];
}

describe('code in a package of somebody else', () => {
  it('passes when somebody signed it: programs, bundles, wherever they lie', async () => {
    const payload = [tool(signed), ...laidDown('./A.bundle', bundle)];
    const { checks, failed } = await check({ payload });
    expect(failed).toEqual([]);
    expect(checks.filter(({ id, status }) => id === 'code-pages' && status === 'pass')).toHaveLength(3);
  });

  it('passes long after its certificates expired, as its timestamp is from before', async () => {
    const { checks, failed } = await check({ payload: [tool(signed)] }, new Date('2060-01-01'));
    expect(failed).toEqual([]);
    expect(checks.filter(({ id, status }) => id === 'code-cms' && status === 'pass')).toHaveLength(1);
  });

  it('says what was looked for when there is none', async () => {
    const { checks } = await check({ payload: [file('./a.txt', 'text')] });
    expect(checks).toContainEqual(
      expect.objectContaining({
        id: 'code-signatures',
        status: 'skipped',
        reason: 'no Mach-O file among the 1 files of the payload',
      }),
    );
  });

  it.each<[string, () => PayloadEntry[], string[]]>([
    ['an unsigned program', () => [tool(sampleSlice('arm64'))], ['code-layout: tool (arm64)']],
    ['an unsigned program of Intel', () => [tool(sampleSlice('x86_64'))], ['code-layout: tool (x86_64)']],
    ['an ad-hoc program', () => [tool(adHoc)], ['code-cms: tool (arm64)']],
    ['a changed program', () => [tool(flipped(signed))], ['code-pages: tool (arm64)']],
    ['a library with any name', () => [file('./data.bin', flipped(signed))], ['code-pages: data.bin (arm64)']],
    ['a program of 32 bytes', () => [tool(sampleSlice('arm64').subarray(0, 32))], ['code-universal: tool']],
    [
      'a helper among the resources of a signed bundle',
      () => laidDown('./A.bundle', [...bundle, { path: 'Contents/Resources/helper', mode: 0o755, data: adHoc }]),
      ['seal-added: A.bundle', 'code-cms: A.bundle/Contents/Resources/helper (arm64)'],
    ],
    [
      'a bundle inside the resources of another one',
      () =>
        laidDown('./A.bundle/Contents/Resources/B.bundle', [
          ...bundle.filter(({ path }) => path !== 'Contents/Resources/AuthDBSetup.sh'),
        ]),
      ['seal-removed: A.bundle/Contents/Resources/B.bundle', 'seal-links: A.bundle/Contents/Resources/B.bundle'],
    ],
  ])('fails, by name: %s', async (_, payload, expected) => {
    expect((await check({ payload: payload() })).failed).toEqual(expected);
  });

  it('fails in a universal file of 60 slices, which others take for a Java class', async () => {
    const records = Array.from({ length: 60 }, (_, index) =>
      FAT_ARCH.encode({
        cpuType: index === 50 ? 0x0100000c : 0x0a0000 + index,
        cpuSubtype: 0,
        offset: 0x4000,
        size: 1,
        alignment: 14,
      }),
    );
    const many = Buffer.concat([FAT_HEADER.encode({ magic: 0xcafebabe, count: 60 }), ...records, Buffer.alloc(0x4000)]);
    expect((await check({ payload: [tool(many)] })).failed).toEqual(['code-universal: tool']);
  });

  it('passes when slices were signed one by one under different names, and says so', async () => {
    if (signer.kind !== 'identity') throw new Error('no identity');
    const { signCms, teamIdentifier } = signer;
    const cms = (content: Buffer) => signCms({ content, extraSignedAttributes: [] });
    const own = { ...OPTIONS, identifier: 'other', flags: FLAG_RUNTIME, teamIdentifier, cms };
    const { data } = await signSlice(sampleSlice('x86_64'), own);
    const { checks, failed } = await check({ payload: [tool(buildFat([data, signed]))] });
    expect(failed).toEqual([]);
    expect(checks).toContainEqual(
      expect.objectContaining({ id: 'code-slices-agree', status: 'pass', reason: 'identifiers other and tool' }),
    );
  });

  it('is checked in frameworks, version by version', async () => {
    const name = 'Escrow Buddy';
    const root = './A.framework/Versions/A';
    const framework = (program: Buffer) => [
      directory('./A.framework'),
      directory('./A.framework/Versions'),
      directory(root),
      directory(`${root}/Resources`),
      file(`${root}/Resources/Info.plist`, fileAt(bundle, 'Contents/Info.plist') as Buffer),
      file(`${root}/${name}`, program, 0o755),
      symlink('./A.framework/Versions/Current', 'A'),
      symlink(`./A.framework/${name}`, `Versions/Current/${name}`),
    ];
    const { failed } = await check({ payload: framework(flipped(signed)) });
    expect(failed).toContain(`code-pages: A.framework/Versions/A/${name} (arm64)`);
    expect(failed).toContain('seal: A.framework/Versions/A');
  });
});

describe('code that a script brings', () => {
  const script = file('./postinstall', '#!/bin/sh\nexit 0\n', 0o755);

  it('need be signed by nobody, as Gatekeeper never sees it, but must be whole and able to run', async () => {
    const scripts = (data: Buffer) => [script, tool(data, './helper')];
    expect((await check({ scripts: scripts(adHoc) })).failed).toEqual([]);
    expect((await check({ scripts: scripts(sampleSlice('x86_64')) })).failed).toEqual([]);
    expect((await check({ scripts: scripts(sampleSlice('arm64')) })).failed).toEqual(['code-layout: helper (arm64)']);
    expect((await check({ scripts: scripts(flipped(adHoc)) })).failed).toEqual(['code-pages: helper (arm64)']);
  });

  it('is checked in packages among the scripts, and in packages of the payload', async () => {
    const inner = (data: Buffer) => packageOf(authority, { payload: [tool(data)] });
    const bad = file('./inner.pkg', await inner(flipped(signed)));
    expect((await check({ scripts: [script, bad] })).failed).toEqual(['code-pages: tool (arm64)']);
    expect((await check({ payload: [bad] })).failed).toEqual(['code-pages: tool (arm64)']);
    expect((await check({ scripts: [script, file('./inner.pkg', await inner(adHoc))] })).failed).toEqual([]);
    expect((await check({ payload: [file('./inner.pkg', await inner(adHoc))] })).failed).toEqual([
      'code-cms: tool (arm64)',
    ]);
    const whole = await check({ payload: [file('./inner.pkg', await inner(signed)), tool(signed)] });
    expect(whole.slices.map(({ architecture, identifier }) => `${identifier} ${architecture}`)).toEqual([
      'tool arm64',
      'tool arm64',
    ]);
    const broken = file('./inner.pkg', (await inner(signed)).subarray(0, 3000));
    expect((await check({ payload: [broken] })).checks).toContainEqual(
      expect.objectContaining({ id: 'package-contents', status: 'fail', subject: 'component/inner.pkg' }),
    );
  });

  it('in packages inside packages without end is refused by the limit', async () => {
    let inner = await packageOf(authority, { payload: [tool(signed)] });
    const wrapped = async () => {
      const payload = [file('./i.pkg', inner)];
      const found = await check({ payload });
      inner = await packageOf(authority, { payload });
      return found;
    };
    for (let depth = 1; depth <= 2; depth++) expect((await wrapped()).failed).toEqual([]);
    expect((await wrapped()).checks).toContainEqual(
      expect.objectContaining({ status: 'fail', reason: expect.stringContaining('2 packages inside each other') }),
    );
  });
});

describe('names in a payload', () => {
  it.each<[string, () => PayloadEntry[], RegExp]>([
    ['that differ in capitals', () => [file('./a', '1'), file('./A', '2')], /names that differ on every Mac/],
    ['that differ in normal form', () => [file('./\u00e9', '1'), file('./e\u0301', '2')], /names that differ/],
    ['that differ in what nobody sees', () => [file('./ab', '1'), file('./a\u200db', '2')], /names that differ/],
  ])('%s are refused, as expand refuses them', async (_, payload, reason) => {
    const { checks } = await check({ payload: payload() });
    expect(checks).toContainEqual(
      expect.objectContaining({ id: 'one-meaning', status: 'fail', reason: expect.stringMatching(reason) }),
    );
  });

  it('of members are checked in the same way', async () => {
    const { failed } = await check({ more: [storedFile('payload', Buffer.from('x'))] });
    expect(failed).toContain('one-meaning: package');
  });
});
