import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { InterruptedError } from '../../../src/base/errors.ts';
import * as tools from '../../../src/base/run-tool.ts';
import { appleToolchain } from '../../../src/toolchain/apple/apple-toolchain.ts';
import { withKeychain } from '../../../src/toolchain/apple/keychain/keychain.ts';
import { runProductbuild } from '../../../src/toolchain/apple/productbuild.ts';
import type { BundleSource, SigningIdentity } from '../../../src/toolchain/toolchain.ts';
import { sampleBundle } from '../../code-signature/sample.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { scriptsOnly } from './machine.ts';

const work = mkdtempSync(join(tmpdir(), 'patience-'));
const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const mac = appleToolchain();
const notary = mac.notary({ key: { key, keyId: 'K', issuerId: 'I' } } as never);
const SOURCE = {
  ...{ folder: '/none', sources: ['a.c'], compilerFlags: [], linkerFlags: [], stubHeaders: 's', stubLibraries: [] },
  ...{ frameworks: [], exportedSymbols: [], executable: 'A', sdkVersion: '14.4' },
  minimumMacOS: { x86_64: '10.14', arm64: '11.0' },
} satisfies BundleSource;

/** What the tools print; `xcrun` alone is no name of a tool. */
let printed: Readonly<
  Record<string, { readonly exitCode?: number; readonly stdout?: string; readonly stderr?: string }>
>;
/** Each tool that was started, and the seconds that it has. */
let asked: [string, number | undefined][];
beforeEach(() => {
  [printed, asked] = [{}, []];
  vi.spyOn(tools, 'runTool').mockImplementation(async (program, argv, options = {}) => {
    const tool = program === 'xcrun' && !argv[2]?.startsWith('--') ? (argv[2] as string) : program;
    asked.push([tool, options.timeoutMs === undefined ? undefined : options.timeoutMs / 1000]);
    return { exitCode: 0, stdout: '', stderr: '', ...printed[tool] };
  });
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => rmSync(work, { recursive: true }));

describe('one of Apple’s tools is ended after a time that the slowest machine does not need', () => {
  const path = join(work, 'a.pkg');
  const product = { ...{ identifier: 'a', version: '1', component: path, path }, distribution: Buffer.alloc(0) };
  const submitted = { announced: async () => undefined, tell: () => undefined, warn: () => undefined };

  it.each<[string, () => Promise<unknown>, [string, number | undefined][]]>([
    ['compiling', () => mac.compiler.compile(SOURCE, {}), [['clang', 300], ['clang', 300], ['ld', 300], ['ld', 300], ['xcrun', undefined]]], // biome-ignore format: a table
    ['signing code', () => mac.codeSigner.sign(sampleBundle(), 'A', { kind: 'ad-hoc' }, {}), [['codesign', 300], ['codesign', undefined]]], // biome-ignore format: a table
    ['building a component', () => mac.packageBuilder.build(scriptsOnly(0), path, {}), [['pkgbuild', 600]]],
    ['building a product', () => runProductbuild(product, {}), [['productbuild', 600]]],
    ['a keychain', () => withKeychain([], {}, async () => undefined), [...Array(9)].map(() => ['security', 60])],
    ['uploading', () => notary.submit({ name: 'a.pkg', data: Buffer.alloc(0), sha256: '' }, submitted), [['notarytool', 1800]]], // biome-ignore format: a table
    ['asking for a verdict', () => notary.status('a'), [['notarytool', 120]]],
    ['asking Gatekeeper', () => mac.verifier({} as never).verify(path, {}), [['pkgutil', undefined], ['spctl', 120], ['stapler', 120]]], // biome-ignore format: a table
  ])('%s', async (_, run, expected) => {
    await run().catch(() => undefined);
    // Both slices are made at once.
    expect(asked.map(String).sort()).toEqual(expected.map(String).sort());
  });

  it('signing a package', async () => {
    const { members, chainOf } = await sharedAuthority();
    const identity = { ...members.installer, role: 'installer', chain: chainOf('installer') };
    printed = { security: { stdout: `  1) ${identity.certificate.sha1} "x"\n` } };
    const signer = { kind: 'identity', identity } as unknown as SigningIdentity;
    await mac.packageSigner.sign({ path }, signer, path, {}).catch(() => undefined);
    expect(asked.filter(([tool]) => tool !== 'security')).toEqual([['productsign', 300]]);
  });
});

describe('a command of security', () => {
  it('is one line, whatever the folder of temporary files is called', async () => {
    const before = process.env.TMPDIR;
    try {
      for (const end of ['\n', '\r']) {
        process.env.TMPDIR = join(work, `a${end}b`);
        mkdirSync(process.env.TMPDIR);
        await expect(withKeychain([], {}, async () => undefined)).rejects.toThrow('a command of security is one line');
      }
    } finally {
      process.env.TMPDIR = before;
      if (before === undefined) delete process.env.TMPDIR;
    }
  });
});

describe('a ticket that does not come', () => {
  it('is asked for every five seconds, for five minutes', async () => {
    let now = 0;
    const pauses: number[] = [];
    vi.spyOn(systemClock, 'now').mockImplementation(() => new Date(now));
    vi.spyOn(systemClock, 'sleep').mockImplementation(async (milliseconds) => {
      pauses.push(milliseconds);
      now += milliseconds;
    });
    printed = { stapler: { exitCode: 65, stderr: 'Could not find base64 encoded ticket in response for 2/de18' } };
    const stapling = mac
      .stapler({} as never)
      .staple({ path: import.meta.filename }, { tell: () => undefined, goOn: '' });
    await expect(stapling).rejects.toMatchObject({
      code: 'TICKET_LATE',
      message: expect.stringContaining('within 300 s'),
    });
    expect(pauses).toEqual(Array(60).fill(5000));
  });
});

describe('an upload', () => {
  it('says how much it sends, and gives the id that notarytool tells', async () => {
    printed = { notarytool: { stdout: '{"id":"1"}' } };
    const told: string[] = [];
    const hear = { tell: (text: string) => void told.push(text), warn: () => undefined };
    const announced = async (id: string) => void told.push(id);
    await notary.submit({ name: 'a.pkg', data: Buffer.alloc(7), sha256: '' }, { announced, ...hear });
    expect(told).toEqual(['notarytool uploads 7 bytes', '1']);
  });
});

describe('the log of the notary', () => {
  it('is none where notarytool fails, and an error where the run is interrupted', async () => {
    printed = { notarytool: { exitCode: 1, stderr: 'words' } };
    expect(await notary.log('a')).toBeNull();
    vi.mocked(tools.runTool).mockRejectedValue(new InterruptedError());
    await expect(notary.log('a')).rejects.toBeInstanceOf(InterruptedError);
  });
});
