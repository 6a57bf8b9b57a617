import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identityOf, readKitFacts } from '../../../build/kit/facts.ts';
import { accessBuffer } from '../../../src/base/random-access.ts';
import { buildComponent, type ComponentPlan } from '../../../src/package/component.ts';
import { signPackage } from '../../../src/package/sign-product.ts';
import { localSigner } from '../../../src/pki/identity/signer.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { deflatedFile, emitXar, layoutXar, type XarEntry, directory as xarFolder } from '../../../src/xar/write.ts';
import { tokenMaker } from '../../mutation/signing.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { directory, file, symlink } from '../../support/payload.ts';
import { collect } from '../../support/xar.ts';

let authority: RehearsalAuthority;
let folder: string;
beforeAll(async () => {
  authority = await sharedAuthority();
  folder = mkdtempSync(join(tmpdir(), 'kit-facts-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const NAMES = (
  'PRODUCT_NAME VERSION DOMAIN PACKAGE_IDENTIFIER BUNDLE EXECUTABLE MECHANISM ANCHOR GUARD_IDENTIFIER UNINSTALL_IDENTIFIER ' +
  'REQUEST_IDENTIFIER PLUG_IN_FOLDER BUNDLE_NAME_ANY_CASE LOGIN_RIGHT MINIMUM_MACOS CODE_REQUIREMENT'
).split(' ');
const script = (names: readonly string[], more = '') =>
  `#!/bin/sh\n${names.map((name) => `${name}='${name === 'EXECUTABLE' ? 'A' : name.toLowerCase()}'\n`).join('')}${more}`;

/** A universal file of one slice without load commands. Source: Apple, mach-o/fat.h and loader.h. */
function program(): Buffer {
  const words = [0xcafebabe, 1, 0x01000007, 3, 4096, 32, 12];
  const data = Buffer.alloc(4096 + 32);
  for (const [at, word] of words.entries()) data.writeUInt32BE(word, at * 4);
  // 64 bits, x86_64, all of them, a bundle.
  for (const [at, word] of [0xfeedfacf, 0x01000007, 3, 8].entries()) data.writeUInt32LE(word, 4096 + at * 4);
  return data;
}

const DISTRIBUTION = `<?xml version="1.0"?><installer-gui-script minSpecVersion="2"><title>T</title><product id="p" version="9"/>
<options hostArchitectures="x86_64"/><volume-check><allowed-os-versions><os-version min="11.0"/><os-version min="12.0"/></allowed-os-versions></volume-check>
<pkg-ref id="com.example.a" version="2">#a.pkg</pkg-ref></installer-gui-script>`;

interface Made {
  readonly plan?: Partial<ComponentPlan>;
  readonly distribution?: string | undefined;
  /** Names of the folders of components. */
  readonly folders?: readonly string[];
}
const PLAN: ComponentPlan = {
  identifier: 'com.example.a',
  version: '2',
  installLocation: '/L',
  payload: [
    ...['.', './A.bundle', './A.bundle/Contents', './A.bundle/Contents/MacOS'].map((path) => directory(path)),
    file('./A.bundle/Contents/MacOS/A', program()),
    // No script, so its lines are no values.
    file('./A.bundle/notes', `VERSION='of notes'\n`),
    symlink('./A.bundle/link', 'notes'),
  ],
  scripts: [
    directory('.'),
    file('./guard.sh', script(NAMES.slice(0, 8), '# the guard\n')),
    file('./postinstall', script(NAMES.slice(8))),
  ],
  bundles: [{ path: 'A.bundle', id: 'com.example.bundle' }],
};

async function bytesOf({ plan, distribution = DISTRIBUTION, folders = ['a.pkg'] }: Made): Promise<Buffer> {
  const parts = await Promise.all(
    folders.map((name) => buildComponent({ ...PLAN, ...plan }, join(folder, name), new AbortController().signal)),
  );
  try {
    const entries: XarEntry[] = folders.map((name, index) =>
      xarFolder(name, parts[index]!.members, { mode: 0o700, uid: 0, gid: 0, mtime: 1 }),
    );
    if (distribution !== '') entries.unshift(deflatedFile('Distribution', Buffer.from(distribution)));
    return await collect(emitXar(layoutXar(entries, { creationTime: 1 })));
  } finally {
    for (const part of parts) await part.dispose();
  }
}
async function signed(data: Buffer, chain = authority.chainOf('installer')): Promise<Buffer> {
  const { certificate, privateKey } = authority.members.installer;
  const identity = { certificate, chain, signer: localSigner(privateKey) };
  const path = join(folder, 'signed');
  await signPackage(accessBuffer(data), path, { identity, signingTime: new Date(), timestamp: tokenMaker(authority) });
  return readFileSync(path);
}
async function factsOf(made: Made = {}, sign = false) {
  const path = join(folder, 'a.pkg');
  const data = await bytesOf(made);
  writeFileSync(path, sign ? await signed(data) : data);
  return readKitFacts(path);
}
const without = (name: string): Partial<ComponentPlan> => ({
  scripts: PLAN.scripts.map((entry) =>
    entry.path === './postinstall'
      ? file('./postinstall', script(NAMES.slice(8).filter((one) => one !== name)))
      : entry,
  ),
});

describe('the facts of a package', () => {
  it('are those of its Distribution, its component, its scripts and its program', async () => {
    const facts = await factsOf();
    expect(facts).toMatchObject({
      ...{ title: 'T', version: '2', identifier: 'com.example.a', minimumMacOS: '11.0', architectures: ['x86_64'] },
      ...{ signing: null, bundle: { path: 'bundle', identifier: 'com.example.bundle', executable: 'A' } },
      code: [{ architecture: 'x86_64', identifier: '', cdHash: null }],
      guardScript: script(NAMES.slice(0, 8), '# the guard\n'),
    });
    expect(Object.keys(facts.values).sort()).toEqual([...NAMES].sort());
    expect([facts.values.VERSION, facts.file.name]).toEqual(['version', 'a.pkg']);
  });

  it('name its signer, and the chain from the leaf to the root', async () => {
    const names = authority.chainOf('installer').map(({ commonName }) => commonName);
    expect((await factsOf({}, true)).signing).toEqual({
      ...{ signer: names[0], teamIdentifier: 'REHEARSAL0', authorities: names },
    });
  });

  it('have the name of the product for a title where there is none', async () => {
    expect((await factsOf({ distribution: DISTRIBUTION.replace('<title>T</title>', '') })).title).toBe('product_name');
  });

  const product = /a product archive with an oldest macOS and one bundle/;
  it.each<[string, Made, RegExp]>([
    ['without a Distribution', { distribution: '' }, product],
    ['whose Distribution names no product', { distribution: DISTRIBUTION.replace(/<product.*?>/, '') }, product],
    ['without an oldest macOS', { distribution: DISTRIBUTION.replace(/<os-version.*?>/g, '') }, product],
    ['without a bundle', { plan: { bundles: [] } }, product],
    ['of two components', { folders: ['a.pkg', 'b.pkg'] }, /one component/],
    ['of no component', { folders: [] }, /one component/],
    ['whose scripts lack a value', { plan: without('LOGIN_RIGHT') }, /scripts that say LOGIN_RIGHT$/],
    ['whose scripts lack the last value', { plan: without('CODE_REQUIREMENT') }, /scripts that say CODE_REQUIREMENT$/],
    ['without scripts', { plan: { scripts: [] } }, /scripts that say PRODUCT_NAME, VERSION, /],
    [
      'without the executable that its scripts name',
      { plan: { payload: PLAN.payload.filter(({ path }) => !path.endsWith('/A')) } },
      /the executable that its scripts name, and the guard/,
    ],
    [
      'without the guard',
      {
        plan: {
          scripts: PLAN.scripts.map((one) => (one.path === './guard.sh' ? { ...one, path: './other.sh' } : one)),
        },
      },
      /the executable that its scripts name, and the guard/,
    ],
  ])('are not read from one %s', async (_, made, words) => {
    await expect(factsOf(made)).rejects.toMatchObject({ code: 'KIT_PACKAGE', message: expect.stringMatching(words) });
  });
});

describe('the identity of a package in the kit', () => {
  it('is identifier and version of its components, and its signer', async () => {
    const data = await bytesOf({ distribution: '' });
    expect(await identityOf(data)).toBe('com.example.a 2, signed by nobody');
    expect(await identityOf(await signed(data))).toMatch(
      /^com\.example\.a 2, signed by Developer ID Installer: REHEARSAL/,
    );
    expect(await identityOf(await bytesOf({ folders: ['a.pkg', 'b.pkg'] }))).toBe(
      'com.example.a 2, com.example.a 2, signed by nobody',
    );
    expect(await identityOf(await bytesOf({ folders: [] }))).toBe('nothing, signed by nobody');
  });

  it('is asked of bytes; a fault of our own is none of the package', async () => {
    await expect(identityOf(undefined as never)).rejects.toThrow(TypeError);
  });
});
