import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildComponent } from '../../../src/package/component.ts';
import type { ProductPlan } from '../../../src/package/product.ts';
import { appleToolchain } from '../../../src/toolchain/apple/apple-toolchain.ts';
import { portableCompiler } from '../../../src/toolchain/portable/compiler.ts';
import type { BundleSource } from '../../../src/toolchain/toolchain.ts';
import { deflatedFile, directory, emitXar, layoutXar } from '../../../src/xar/write.ts';
import { sampleBundle } from '../../code-signature/sample.ts';
import { collect } from '../../support/xar.ts';

const before = { PATH: process.env.PATH, TMPDIR: process.env.TMPDIR };
const { signal } = new AbortController();
let work: string;
/** The only folder for temporary files, which must be empty again. */
let temporary: string;
/** The only folder on PATH. */
let bin: string;
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'leftovers-'));
});
beforeEach(() => {
  [temporary, bin] = ['tmp-', 'bin-'].map((name) => mkdtempSync(join(work, name))) as [string, string];
  Object.assign(process.env, { PATH: bin, TMPDIR: temporary });
});
afterEach(() => {
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});
afterAll(() => rmSync(work, { recursive: true }));

/** Makes a program that is a few lines of shell. */
const program = (name: string, lines: string) =>
  writeFileSync(join(bin, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
const SOURCE = {
  ...{ folder: '/none', sources: ['a.c'], compilerFlags: [], linkerFlags: [], stubHeaders: 's', stubLibraries: [] },
  ...{ frameworks: [], exportedSymbols: [], executable: 'A', sdkVersion: '14.4' },
  minimumMacOS: { x86_64: '10.14', arm64: '11.0' },
} satisfies BundleSource;
const root = { uid: 0, gid: 0, mtimeSeconds: 1_700_000_000, kind: 'directory' as const, path: '.', mode: 0o755 };
const COMPONENT = {
  ...{ identifier: 'com.example.a', version: '1.0', installLocation: '/L', scripts: [], bundles: [] },
  payload: [root],
};
const PLAN: ProductPlan = {
  ...{ identifier: 'com.example.p', version: '1.0', title: 'A', minimumSystemVersion: '11.0', creationTime: 1 },
  component: COMPONENT,
};
const KEY = {
  ...{ key: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey, keyId: 'K', issuerId: 'I' },
};

describe('a tool of Apple’s that fails leaves no temporary file', () => {
  const tools = appleToolchain();
  const notary = tools.notary({ key: KEY } as never);
  it.each<[string, () => Promise<unknown>]>([
    ['lipo', () => tools.compiler.join([{ architecture: 'arm64', data: Buffer.from('a') }], {})],
    ['clang', () => tools.compiler.compile(SOURCE, {})],
    ['codesign', () => tools.codeSigner.sign(sampleBundle(), 'A.bundle', { kind: 'ad-hoc' }, {})],
    ['pkgbuild', () => tools.packageBuilder.build(PLAN, join(work, 'a.pkg'), {})],
    ['notarytool', () => notary.history(signal)],
  ])('%s', async (_, run) => {
    for (const name of ['xcrun', 'codesign', 'pkgbuild']) program(name, 'echo "it is broken" >&2; exit 1');
    await expect(run()).rejects.toThrow('it is broken');
    expect(readdirSync(temporary)).toEqual([]);
    expect(readdirSync(work).filter((name) => name.includes('a.pkg'))).toEqual([]);
    // Somebody else may tidy up first.
    for (const name of ['xcrun', 'codesign', 'pkgbuild'])
      program(name, 'echo "it is broken" >&2; /bin/rm -rf "$TMPDIR"/*; exit 1');
    await expect(run()).rejects.toThrow('it is broken');
  });

  it('nor does a compiler of other machines', async () => {
    for (const name of ['clang', 'ld64.lld']) program(name, 'exit 1');
    await expect(portableCompiler().compile(SOURCE, {})).rejects.toThrow();
    expect(readdirSync(temporary)).toEqual([]);
  });
});

describe('a place in a folder that is not there', () => {
  const tools = appleToolchain();
  const place = '/none/there/a.pkg';
  it.each<[string, () => Promise<unknown>]>([
    ['pkgbuild', () => tools.packageBuilder.build(PLAN, place, {})],
    [
      'productsign',
      () => tools.packageSigner.sign({ path: place }, { identity: { certificate: {} } } as never, place, {}),
    ],
  ])('is the fault that is told of %s', async (_, run) => {
    await expect(run()).rejects.toMatchObject({ code: 'ENOENT', syscall: 'mkdir' });
  });
});

describe('pkgbuild', () => {
  it('makes one component, or what it made is refused', async () => {
    const parts = await Promise.all(['a', 'b'].map((name) => buildComponent(COMPONENT, join(work, name), signal)));
    const attributes = { mode: 0o700, uid: 0, gid: 0, mtime: 1 };
    const folders = parts.map(({ members }, index) => directory(`${index}.pkg`, members, attributes));
    const made = await collect(
      emitXar(
        layoutXar([deflatedFile('Distribution', Buffer.from('<installer-gui-script/>')), ...folders], {
          creationTime: 1,
        }),
      ),
    );
    for (const part of parts) await part.dispose();
    const path = join(work, 'two.pkg');
    writeFileSync(path, made);
    mkdirSync(bin, { recursive: true });
    program('pkgbuild', `for last; do :; done; /bin/cp '${path}' "$last"`);
    await expect(appleToolchain().packageBuilder.build(PLAN, join(work, 'b.pkg'), {})).rejects.toMatchObject({
      code: 'PACKAGE_COMPONENTS',
      message: expect.stringContaining('expected one component, found 2'),
    });
  });
});
