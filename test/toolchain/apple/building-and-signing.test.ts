import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { InterruptedError } from '../../../src/base/errors.ts';
import { appleToolchain } from '../../../src/toolchain/apple/apple-toolchain.ts';
import { renderComponentPlist } from '../../../src/toolchain/apple/pkgbuild.ts';
import { parsePropertyList } from '../../../src/xml/property-list.ts';
import { sampleBundle } from '../../code-signature/sample.ts';
import type { AppleMachine } from '../../support/apple-tools/apple-machine.ts';
import { scriptsOnly, unsignedPackage, useMachine } from './machine.ts';

const tools = appleToolchain();
const signal = new AbortController().signal;
const held = useMachine();
const { calls } = held;
let machine: AppleMachine;
let work: string;
let unsigned: string;

beforeAll(async () => {
  ({ machine, work } = held);
  unsigned = await unsignedPackage(work);
});

describe('codesign', () => {
  const sign = async () =>
    tools.codeSigner.sign(sampleBundle(), 'A.bundle', await machine.identity('application'), { signal });

  it('is told: force, hardened runtime, timestamp, keychain, the digest of the certificate; then verifies', async () => {
    await sign();
    const { sha1 } = (await machine.identity('application')).identity.certificate;
    const [signing, verifying] = calls('codesign');
    const keychain = expect.stringMatching(/signing\.keychain-db$/);
    const bundle = expect.stringMatching(/\/A\.bundle$/);
    const expected = ['--force', '--options', 'runtime', '--timestamp', '--keychain', keychain, '--sign', sha1, bundle];
    expect(signing).toEqual(['codesign', ...expected]);
    expect(verifying).toEqual(['codesign', '--verify', '--strict', '--deep', '--verbose=2', bundle]);
  });

  it.each([
    ['A.bundle: errSecInternalComponent\n', 'CODESIGN_KEY_ACCESS', 'ToolError'],
    ['A.bundle: A timestamp was expected but was not found.\n', 'TIMESTAMP_MISSING', 'NetworkError'],
    ['A.bundle: something new\n', 'TOOL_FAILED', 'ToolError'],
  ])('fails with %j: %s, and leaves no keychain', async (stderr, code, name) => {
    machine.playFaults({ tool: 'codesign', stderr });
    await expect(sign()).rejects.toMatchObject({ code, name });
    expect(Object.keys(machine.keychains().keychains)).toEqual([]);
  });

  it('that reports success and did nothing is found out by its own verification', async () => {
    machine.playFaults({ tool: 'codesign', argv: '--sign', exitCode: 0 });
    await expect(sign()).rejects.toMatchObject({ name: 'VerificationError', code: 'CODE_UNSIGNED' });
  });

  it('that hangs ends with the run, and its keychain too', async () => {
    machine.playFaults({ tool: 'codesign', hang: true });
    const interruption = new AbortController();
    const identity = await machine.identity('application');
    const options = { signal: interruption.signal };
    const signing = tools.codeSigner.sign(sampleBundle(), 'A.bundle', identity, options);
    const started = setInterval(() => calls('codesign').length > 0 && interruption.abort(), 20);
    await expect(signing).rejects.toBeInstanceOf(InterruptedError);
    clearInterval(started);
    expect(machine.keychains().keychains).toEqual({});
  });
});

describe('pkgbuild and productbuild', () => {
  it('are told what the plan says', async () => {
    await tools.packageBuilder.build(scriptsOnly(0), join(work, 'built.pkg'), { signal });
    const path = (end: string) => expect.stringMatching(new RegExp(`${end}$`));
    expect(calls('pkgbuild')).toEqual([
      [
        ...['pkgbuild', '--quiet', '--root', path('/root'), '--component-plist', path('/components.plist')],
        ...['--install-location', '/Library', '--identifier', 'com.example.a', '--version', '1.0'],
        ...['--ownership', 'recommended', path('/com.example.a.pkg')],
      ],
    ]);
    expect(calls('productbuild')).toEqual([
      [
        ...['productbuild', '--quiet', '--distribution', path('Distribution'), '--package-path', expect.any(String)],
        ...['--identifier', 'com.example.a', '--version', '1.0', path('unfinished/built\\.pkg')],
      ],
    ]);
  });

  it('replace bundles whole, whatever their version, and nowhere else', () => {
    const plist = renderComponentPlist([{ path: 'A.bundle', id: 'com.example.a' }]);
    const [wishes] = parsePropertyList(Buffer.from(plist)) as unknown as ReadonlyMap<string, unknown>[];
    expect(Object.fromEntries(wishes as ReadonlyMap<string, unknown>)).toEqual({
      BundleHasStrictIdentifier: false,
      BundleIsRelocatable: false,
      BundleIsVersionChecked: false,
      BundleOverwriteAction: 'upgrade',
      RootRelativeBundlePath: 'A.bundle',
    });
  });

  it('are not used for files that are not root’s', async () => {
    const failure = tools.packageBuilder.build(scriptsOnly(501), join(work, 'owner.pkg'), { signal });
    await expect(failure).rejects.toMatchObject({ name: 'UsageError', code: 'OWNER_NOT_ROOT' });
  });

  it('leave what was at the path when they fail', async () => {
    const path = join(work, 'kept.pkg');
    writeFileSync(path, 'before');
    machine.playFaults({ tool: 'productbuild', late: true, stderr: 'productbuild: error: something new' });
    await expect(tools.packageBuilder.build(scriptsOnly(0), path, { signal })).rejects.toMatchObject({
      code: 'TOOL_FAILED',
    });
    expect(readFileSync(path, 'utf8')).toBe('before');
    expect(readdirSync(work).filter((name) => name.includes('unfinished'))).toEqual([]);
  });
});

describe('productsign', () => {
  it('is told: timestamp, keychain, the name of the identity', async () => {
    const identity = await machine.identity('installer');
    await tools.packageSigner.sign({ path: unsigned }, identity, join(work, 'b.pkg'), { signal });
    const { commonName } = identity.identity.certificate;
    const [call] = calls('productsign');
    expect(call?.slice(0, 3)).toEqual(['productsign', '--timestamp', '--keychain']);
    expect(call?.slice(4)).toEqual(['--sign', commonName, unsigned, expect.stringMatching(/unfinished\/b\.pkg$/)]);
  });

  it('refuses an application identity, and leaves no file', async () => {
    const path = join(work, 'wrong.pkg');
    const failure = tools.packageSigner.sign({ path: unsigned }, await machine.identity('application'), path, {
      signal,
    });
    await expect(failure).rejects.toMatchObject({ code: 'PRODUCTSIGN_ROLE' });
    expect(readdirSync(work).filter((name) => name.includes('wrong.pkg'))).toEqual([]);
  });

  it('signs in place', async () => {
    const path = join(work, 'in-place.pkg');
    copyFileSync(unsigned, path);
    const product = await tools.packageSigner.sign({ path }, await machine.identity('installer'), path, { signal });
    expect(product.size).toBeGreaterThan(10_000);
  });
});
