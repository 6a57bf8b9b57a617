import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { Secret } from '../../../src/base/secret.ts';
import { loadIdentity } from '../../../src/pki/identity/identity.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import type { NotaryAccess, SigningIdentity } from '../../../src/toolchain/toolchain.ts';
import { rehearsalP12 } from '../../rehearsal/authority-p12.ts';
import { keptBuild } from '../kept-build.ts';
import { quickCompiler } from '../quick-compiler.ts';
import { testAuthority } from '../test-authority.ts';
import type { Fault, Keychains } from './machine.ts';

export const P12_PASSWORD = 'p12 "pass\\word"';
export const KEY_NAMES = { keyId: 'ABCDEF1234', issuerId: '00000000-0000-4000-8000-000000000000' };
/** Where stand-ins lie; on PATH they make this machine look like a Mac with Xcode. */
export const STAND_INS = join(import.meta.dirname, 'bin');
export const LOGIN_KEYCHAIN = '/Users/tester/Library/Keychains/login.keychain-db';

/** A machine that has Apple's tools, as far as this project runs them. */
export interface AppleMachine {
  /** Calls so far, as tool and arguments. */
  calls(): string[][];
  clearCalls(): void;
  playFaults(...faults: Fault[]): void;
  /** What submissions become from now on; undefined: what they deserve. */
  setVerdict(verdict: string | undefined): void;
  /** As if nothing had ever been submitted. */
  forgetSubmissions(): void;
  keychains(): Keychains;
  identity(role: Role): Promise<SigningIdentity>;
  /** A key that its notary takes. Its tools know where their services are. */
  access(): NotaryAccess;
  readonly authority: RehearsalAuthority;
  /** Ends the stand-ins, puts PATH and DEVELOPER_DIR back and removes the machine's memory. */
  dispose(): void;
}

type Role = 'application' | 'installer';

async function identityOf(authority: RehearsalAuthority, role: Role): Promise<SigningIdentity> {
  const p12 = new Secret(await rehearsalP12(authority, role, P12_PASSWORD));
  const source = { p12, password: new Secret(P12_PASSWORD) };
  return { kind: 'identity', identity: await loadIdentity(role, source, { trust: authority.trust }) };
}

/** Starts the stand-ins, puts them on PATH and returns the machine they make. */
export async function makeAppleMachine(): Promise<AppleMachine> {
  const developer = mkdtempSync(join(tmpdir(), 'developer-'));
  const memory = join(developer, 'stand-ins');
  mkdirSync(memory);
  const sdks = join(developer, 'Platforms/MacOSX.platform/Developer/SDKs');
  mkdirSync(sdks, { recursive: true });
  // At one place for all machines, so that the compiler is asked the same.
  symlinkSync(await keptSdk(), join(sdks, 'MacOSX.sdk'));
  const authority = await testAuthority(join(memory, 'authority'));
  const write = (name: string, value: unknown) => writeFileSync(join(memory, name), JSON.stringify(value));
  write('keychains.json', { searchList: [LOGIN_KEYCHAIN], keychains: {} });
  writeFileSync(join(memory, 'calls'), '');
  const server = await serve(developer);
  const identities: Partial<Record<Role, Promise<SigningIdentity>>> = {};
  const before = { PATH: process.env.PATH, DEVELOPER_DIR: process.env.DEVELOPER_DIR };
  process.env.PATH = `${STAND_INS}${delimiter}${quickCompiler()}`;
  process.env.DEVELOPER_DIR = developer;
  return {
    authority,
    calls: () => lines(join(memory, 'calls')).map((line) => line.split('\t')),
    clearCalls: () => writeFileSync(join(memory, 'calls'), ''),
    playFaults: (...faults) => write('faults.json', faults),
    setVerdict: (verdict) =>
      verdict === undefined ? rmSync(join(memory, 'verdict.json'), { force: true }) : write('verdict.json', verdict),
    forgetSubmissions: () => rmSync(join(memory, 'submissions.json'), { force: true }),
    keychains: () => JSON.parse(readFileSync(join(memory, 'keychains.json'), 'utf8')) as Keychains,
    identity: (role) => (identities[role] ??= identityOf(authority, role)),
    access: () => ({
      key: { key: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey, ...KEY_NAMES },
      notaryUrl: 'https://notary.invalid',
      ticketUrl: 'https://tickets.invalid',
      trust: authority.trust,
    }),
    dispose() {
      server.kill();
      process.env.PATH = before.PATH;
      if (before.DEVELOPER_DIR === undefined) delete process.env.DEVELOPER_DIR;
      else process.env.DEVELOPER_DIR = before.DEVELOPER_DIR;
      rmSync(developer, { recursive: true, force: true });
    },
  };
}

const lines = (path: string) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');

const STUBS = 'payload/plugin/sdk';
const keptSdk = () =>
  keptBuild('apple-sdk', { files: [STUBS], programs: [], variables: [] }, async (folder) => makeSdk(folder));

/** An SDK in the folders of a real one, with the project's own headers and stub libraries in it. */
function makeSdk(sdk: string): void {
  const stubs = join(process.cwd(), STUBS);
  const framework = join(sdk, 'System/Library/Frameworks/CoreFoundation.framework');
  mkdirSync(join(sdk, 'usr/lib'), { recursive: true });
  mkdirSync(framework, { recursive: true });
  symlinkSync(join(stubs, 'include'), join(sdk, 'usr/include'));
  cpSync(join(stubs, 'lib/libSystem.tbd'), join(sdk, 'usr/lib/libSystem.tbd'));
  cpSync(join(stubs, 'lib/CoreFoundation.tbd'), join(framework, 'CoreFoundation.tbd'));
}

/** Starts what answers all calls of the stand-ins of one machine, bundled because Node 20 runs no TypeScript. */
async function serve(developer: string): Promise<ChildProcess> {
  const files = ['src', 'test/support/apple-tools', 'package-lock.json'];
  const folder = await keptBuild('apple-tools', { files, programs: [], variables: [] }, async (target) => {
    await build({ ...BUNDLED, entryPoints: ['test/support/apple-tools/main.ts'], outfile: join(target, 'main.mjs') });
  });
  const child = spawn(process.execPath, [join(folder, 'main.mjs')], {
    env: { ...process.env, DEVELOPER_DIR: developer },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error('the stand-ins for Apple’s tools do not start'))),
  ]);
  return child;
}

const BUNDLED: BuildOptions = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  // Packages written as CommonJS call require(); an ES module has none of its own.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
};
