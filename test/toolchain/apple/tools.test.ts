import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InterruptedError } from '../../../src/base/errors.ts';
import { buildProduct, type ProductPlan } from '../../../src/package/product.ts';
import type { SignedProduct } from '../../../src/package/sign-product.ts';
import { appleToolchain } from '../../../src/toolchain/apple/apple-toolchain.ts';
import { renderComponentPlist } from '../../../src/toolchain/apple/pkgbuild.ts';
import { runAppleTool } from '../../../src/toolchain/apple/run-apple-tool.ts';
import { parsePropertyList } from '../../../src/xml/property-list.ts';
import { sampleBundle } from '../../code-signature/sample.ts';
import { type AppleMachine, KEY_NAMES, makeAppleMachine } from '../../support/apple-tools/apple-machine.ts';

let machine: AppleMachine;
let work: string;
let unsigned: string;
let signed: SignedProduct;
const tools = appleToolchain();
const signal = new AbortController().signal;

beforeAll(async () => {
  machine = await makeAppleMachine();
  work = mkdtempSync(join(tmpdir(), 'apple-tools-'));
  unsigned = join(work, 'unsigned.pkg');
  await buildProduct(scriptsOnly(0), unsigned, signal);
  signed = await tools.packageSigner.sign(
    { path: unsigned },
    await machine.identity('installer'),
    join(work, 'a.pkg'),
    {},
  );
});
afterAll(() => {
  machine?.dispose();
  rmSync(work, { recursive: true, force: true });
});
beforeEach(() => {
  machine.clearCalls();
  machine.playFaults();
  machine.setVerdict(undefined);
});

function scriptsOnly(uid: number): ProductPlan {
  const common = { uid, gid: 0, mtimeSeconds: 1700000000 };
  const component = {
    identifier: 'com.example.a',
    version: '1.0',
    installLocation: '/Library',
    payload: [{ ...common, kind: 'directory' as const, path: '.', mode: 0o755 }],
    scripts: [],
    bundles: [],
  };
  const product = { identifier: 'com.example.a', version: '1.0', title: 'A', minimumSystemVersion: '10.14' };
  return { ...product, component, creationTime: 1700000000 };
}

const calls = (tool: string) => machine.calls().filter(([name]) => name === tool);

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
    expect(existsSync(path)).toBe(false);
  });

  it('signs in place', async () => {
    const path = join(work, 'in-place.pkg');
    copyFileSync(unsigned, path);
    const product = await tools.packageSigner.sign({ path }, await machine.identity('installer'), path, { signal });
    expect(product.size).toBeGreaterThan(10_000);
  });
});

describe('notarytool', () => {
  const submit = async (access = machine.access(), name = 'a.pkg') => {
    const data = readFileSync(signed.path);
    const ids: string[] = [];
    const announced = async (id: string) => void ids.push(id);
    const quiet = { tell: () => undefined, warn: () => undefined };
    const notary = tools.notary(access);
    await notary.submit({ name, data, sha256: signed.sha256 }, { announced, ...quiet, signal });
    return { notary, id: ids[0] as string };
  };

  it('gets key and package as files that are gone afterwards, never the key as an argument', async () => {
    const { notary, id } = await submit();
    await notary.status(id, signal);
    await notary.history(signal);
    await notary.log(id, signal);
    const [submitted, info, history, log] = calls('notarytool');
    const key = submitted?.[submitted.indexOf('--key') + 1] as string;
    expect(existsSync(dirname(key))).toBe(false);
    expect(machine.calls().flat().join()).not.toContain('PRIVATE KEY');
    const { keyId, issuerId } = KEY_NAMES;
    const access = ['--key', expect.any(String), '--key-id', keyId, '--issuer', issuerId];
    const json = ['--output-format', 'json'];
    expect(submitted).toEqual(['notarytool', 'submit', join(dirname(key), 'a.pkg'), '--no-wait', ...access, ...json]);
    expect(info).toEqual(['notarytool', 'info', id, ...access, ...json]);
    expect(history).toEqual(['notarytool', 'history', ...access, ...json]);
    expect(log).toEqual(['notarytool', 'log', id, ...access, ...json]);
  });

  it('exits with 0 for Invalid, which is a verdict and no success', async () => {
    machine.setVerdict('Invalid');
    const { notary, id } = await submit();
    expect(await notary.status(id)).toMatchObject({ id, status: 'Invalid', name: 'a.pkg' });
    expect(await notary.log(id)).toMatchObject({ statusCode: 4000 });
  });

  it('lists what it was given, newest first', async () => {
    const first = await submit(undefined, 'first.pkg');
    const second = await submit(undefined, 'second.pkg');
    const ids = (await second.notary.history()).map(({ id }) => id);
    expect(ids.slice(0, 2)).toEqual([second.id, first.id]);
  });

  it('that gives no log does not hide the verdict', async () => {
    const { notary, id } = await submit();
    machine.playFaults({ tool: 'notarytool', argv: 'log', stderr: 'Error: something new' });
    expect(await notary.log(id)).toBeNull();
  });

  it('says when an id is of no submission of the team', async () => {
    const { notary } = await submit();
    await expect(notary.status('00000000-0000-4000-8000-00000000beef')).rejects.toMatchObject({
      code: 'NOTARY_UNKNOWN_ID',
    });
  });

  it.each([
    [
      'Error: HTTP status code: 403. A required agreement is missing or has expired. …',
      69,
      'NOTARY_AGREEMENT',
      'RefusedError',
    ],
    [
      'Error: HTTPError(statusCode: nil, error: Error Domain=NSURLErrorDomain Code=-1001)',
      1,
      'NETWORK_TIMEOUT',
      'NetworkError',
    ],
  ])('that says %j', async (stderr, exitCode, code, name) => {
    machine.playFaults({ tool: 'notarytool', stderr, exitCode });
    await expect(submit()).rejects.toMatchObject({ code, name });
  });

  it('refuses a key that is revoked', async () => {
    const access = machine.access();
    const revoked = { ...access, key: { ...access.key, keyId: 'REVOKED000' } };
    await expect(submit(revoked)).rejects.toMatchObject({ code: 'NOTARY_CREDENTIALS' });
  });
});

describe('stapler and the verifier', () => {
  const staple = async (path: string) =>
    tools.stapler(machine.access()).staple({ path }, { signal, tell: () => undefined, goOn: '' });
  const verify = async (path: string) => tools.verifier(machine.authority.trust).verify(path, { signal });

  it('says when a package has no signature to find a ticket by', async () => {
    await expect(staple(unsigned)).rejects.toMatchObject({ code: 'STAPLE_SIGNATURE' });
  });

  it('that reports success without a ticket is found out', async () => {
    machine.playFaults({ tool: 'stapler', exitCode: 0 });
    await expect(staple(signed.path)).rejects.toMatchObject({ code: 'STAPLE_INVALID' });
  });

  it('fails every check of an unsigned package, each with its reason', async () => {
    expect(await verify(unsigned)).toEqual([
      { id: 'apple.signature', status: 'fail', reason: 'pkgutil: no signature' },
      { id: 'apple.gatekeeper', status: 'fail', reason: 'spctl: rejected, source=no usable signature' },
      { id: 'apple.ticket', status: 'fail', reason: expect.stringContaining('code signature') },
    ]);
  });

  it('believes Gatekeeper only when words and exit code agree', async () => {
    machine.playFaults({ tool: 'spctl', exitCode: 3, stderr: 'a.pkg: accepted\nsource=Notarized Developer ID\n' });
    const [, gatekeeper] = await verify(signed.path);
    expect(gatekeeper).toMatchObject({ id: 'apple.gatekeeper', status: 'fail' });
  });

  it('takes no tool’s silence for a yes', async () => {
    const silent = ['pkgutil', 'spctl'].map((tool) => ({ tool, exitCode: 0 }));
    machine.playFaults(...silent);
    expect((await verify(signed.path)).map(({ status }) => status)).toEqual(['fail', 'fail', 'fail']);
  });
});

describe('xcrun', () => {
  it('without an Xcode, or with one that lacks a tool, says so', async () => {
    const developer = process.env.DEVELOPER_DIR as string;
    process.env.DEVELOPER_DIR = '/nowhere';
    await expect(runAppleTool('stapler', ['validate', 'x'])).rejects.toMatchObject({ code: 'XCODE_INVALID' });
    process.env.DEVELOPER_DIR = developer;
    await expect(runAppleTool('xcrun', ['--sdk', 'macosx', 'nm', 'x'])).rejects.toMatchObject({ code: 'XCODE_TOOL' });
  });
});

describe('the stand-ins', () => {
  it.each([
    ['codesign', ['--sing', '-', 'x'], 2],
    ['pkgbuild', ['--roots', 'x', 'y'], 1],
    ['productbuild', ['--distributions', 'x', 'y'], 1],
    ['productsign', ['--sign', 'X', '--force', 'a', 'b'], 1],
    ['pkgutil', ['--check-signatures', 'x'], 64],
    ['spctl', ['--asses', 'x'], 2],
    ['security', ['create-keychain', '-q', 'x'], 2],
    ['security', ['nonsense'], 1],
    ['notarytool', ['submit', 'x', '--keys', 'y', '--output-format', 'json'], 64],
    ['stapler', ['stapel', 'x'], 64],
    ['lipo', ['-creat', 'x'], 1],
  ] as const)('%s does not know %j', async (tool, argv, exitCode) => {
    await expect(runAppleTool(tool, argv)).rejects.toThrow(`${tool} ended with ${exitCode}`);
  });

  it.each([
    ['codesign', ['--entitlements', 'x', '--sign', '-', 'y']],
    ['pkgbuild', ['--nopayload', '--identifier', 'a', 'x']],
    ['spctl', ['--status']],
  ] as const)('%s ends with 97 for options of its manual page that are not played: %j', async (tool, argv) => {
    await expect(runAppleTool(tool, argv)).rejects.toThrow(`${tool} ended with 97`);
  });
});
