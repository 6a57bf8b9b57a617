import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CommandContext } from '../../build/command.ts';
import { type ReleaseOptions, release } from '../../build/commands/release.ts';
import { verify } from '../../build/commands/verify.ts';
import type { Manifest } from '../../build/plan/manifest.ts';
import { EXTRA_PACKAGES } from '../../build/plan/plan.ts';
import { createProgress } from '../../build/report/progress.ts';
import { type RehearsalServices, startRehearsalServices } from '../../src/rehearsal/services.ts';
import { rehearsalP12 } from '../rehearsal/authority-p12.ts';
import { type AppleMachine, makeAppleMachine, P12_PASSWORD } from '../support/apple-tools/apple-machine.ts';

let machine: AppleMachine;
let services: RehearsalServices;
let root: string;
let env: NodeJS.ProcessEnv;
/** The product and the packages beside it. */
const PACKAGES = 1 + EXTRA_PACKAGES.length;
/** What all commands told, and the words of all calls. */
const told: string[] = [];
const called: string[] = [];

// A release with identities and a key of one's own, on a machine with Apple's tools; the stand-ins' authority is their Apple.
beforeAll(async () => {
  machine = await makeAppleMachine();
  services = await startRehearsalServices({ authority: machine.authority });
  root = makeProject(services);
  const p12 = async (role: 'application' | 'installer') =>
    (await rehearsalP12(machine.authority, role, P12_PASSWORD)).toString('base64');
  env = {
    SOURCE_DATE_EPOCH: '1700000000',
    APPLICATION_P12_BASE64: await p12('application'),
    APPLICATION_P12_PASSWORD: P12_PASSWORD,
    INSTALLER_P12_BASE64: await p12('installer'),
    INSTALLER_P12_PASSWORD: P12_PASSWORD,
    NOTARY_KEY: services.key.key.export({ type: 'pkcs8', format: 'pem' }) as string,
    NOTARY_KEY_ID: services.key.keyId,
    NOTARY_ISSUER_ID: services.key.issuerId,
  };
});
afterAll(async () => {
  await services?.close();
  machine?.dispose();
  rmSync(root, { recursive: true, force: true });
});
beforeEach(() => {
  called.push(...machine.calls().flat());
  machine.clearCalls();
  machine.playFaults();
  machine.setVerdict(undefined);
});

/** The project with services of its own; Apple's tools do not know of them. */
function makeProject({ notaryUrl, ticketUrl }: RehearsalServices): string {
  const folder = mkdtempSync(join(tmpdir(), 'apple-release-'));
  for (const name of ['package.json', 'package-lock.json', 'payload', 'scripts', 'LICENSE'])
    symlinkSync(join(process.cwd(), name), join(folder, name));
  const config = JSON.parse(readFileSync('release.config.json', 'utf8'));
  config.services = { timestamp: ticketUrl, notary: notaryUrl, tickets: ticketUrl, downloads: null };
  writeFileSync(join(folder, 'release.config.json'), JSON.stringify(config));
  return folder;
}

const context = (): CommandContext => ({
  root,
  program: '',
  progress: createProgress({ stream: { write: (text) => void told.push(text) }, verbose: true, color: false }),
  signal: new AbortController().signal,
  json: true,
  argv: ['release'],
  verbose: true,
  env,
  trust: machine.authority.trust,
});

async function run(out: string, options: ReleaseOptions = {}): Promise<Manifest> {
  const { document } = await release(context(), { toolchain: 'apple', out: join(root, out), ...options });
  return document as Manifest;
}

const count = (tool: string, command: string) =>
  machine.calls().filter((call) => call[0] === tool && call[1] === command).length;

// Three packages through stand-ins, each call a process of its own.
describe('a release with the apple toolchain', () => {
  it('is compiled, signed, built and submitted by Apple’s tools', async () => {
    machine.setVerdict('In Progress');
    const manifest = await run('out', { submitOnly: true });
    expect(manifest).toMatchObject({ mode: 'release', toolchain: 'apple', submission: { status: 'In Progress' } });
    expect(manifest.ticket).toBeNull();
    const tools = new Set(machine.calls().map(([tool]) => tool));
    for (const tool of ['lipo', 'security', 'codesign', 'pkgbuild', 'productbuild', 'productsign', 'notarytool'])
      expect(tools).toContain(tool);
    expect(machine.calls().some((call) => call[0] === 'xcrun' && call.includes('clang'))).toBe(true);
    expect(count('notarytool', 'submit')).toBe(PACKAGES);
    expect(services.calls.get('submit') ?? 0).toBe(0);
    expect(machine.keychains().keychains).toEqual({});
  });

  it('is resumed, and never submitted twice, until Apple’s tools and ours vouch for it', async () => {
    machine.setVerdict('Accepted');
    const manifest = await run('out', { resume: true });
    expect(manifest.submission).toMatchObject({ status: 'Accepted' });
    expect(manifest.ticket?.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect([count('notarytool', 'submit'), count('codesign', '--force'), count('stapler', 'staple')]).toEqual([
      0,
      0,
      PACKAGES,
    ]);
    expect([count('pkgutil', '--check-signature'), count('spctl', '--assess')]).toEqual([PACKAGES, PACKAGES]);
    const folder = join(root, 'out', manifest.version);
    const path = join(folder, manifest.files.find(({ role }) => role === 'package')?.path as string);
    const checked = await verify(context(), path, {});
    expect(checked.text).not.toContain('FAIL');
    expect(checked.document).toMatchObject({
      verdict: 'pass',
      facts: { ticketIssuedAt: expect.stringMatching(/^20.*Z$/) },
    });
  });

  it('leaves no secret behind', () => {
    const left = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const files = left.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'));
    const secrets = [
      P12_PASSWORD,
      ...(env.NOTARY_KEY as string).split('\n').filter((line) => /^[\w+/]{40}/.test(line)),
    ];
    expect(secrets.length).toBeGreaterThan(2);
    expect(Math.min(told.length, called.length)).toBeGreaterThan(10);
    for (const text of [...files, ...told, ...called])
      for (const secret of secrets) expect(text.includes(secret)).toBe(false);
  });

  it('stops when Gatekeeper denies what all others accept', async () => {
    machine.playFaults({ tool: 'spctl', exitCode: 3, stderr: 'a.pkg: rejected\nsource=Unnotarized Developer ID\n' });
    const message = expect.stringContaining('apple.gatekeeper');
    await expect(run('out', { resume: true })).rejects.toMatchObject({ code: 'PACKAGE_INVALID', message });
  });

  it('stops where Apple refuses, and publishes nothing', async () => {
    const folder = copyWith('refused', () => null);
    machine.forgetSubmissions();
    machine.setVerdict('Invalid');
    await expect(run('refused', { resume: true })).rejects.toMatchObject({ code: 'NOTARY_INVALID' });
    expect([count('notarytool', 'submit'), count('stapler', 'staple')]).toEqual([1, 0]);
    expect(existsSync(join(folder, 'SHA256SUMS'))).toBe(false);
  });

  it('leaves notary and ticket to our own client when asked to, as where notarytool crashes', async () => {
    // Our client asks the service that the configuration names, which has never heard of what notarytool submitted.
    // An id that is new may be unknown for a while, so it is made an old one.
    copyWith('mixed', (submission) => ({ ...submission, submittedAt: '2020-01-01T00:00:00.000Z' }));
    const mixed = run('mixed', { resume: true, notary: 'portable' });
    await expect(mixed).rejects.toMatchObject({ code: 'NOTARY_UNKNOWN_ID', name: 'UsageError' });
    expect(services.calls.get('history')).toBe(1);
    expect(machine.calls().some(([tool]) => tool === 'notarytool')).toBe(false);
  });
});

/** Copies what the release made, as if nothing had been published yet, with another submission on record. */
function copyWith(name: string, change: (submission: Manifest['submission']) => object | null): string {
  const folder = join(root, name, version());
  cpSync(join(root, 'out', version()), folder, { recursive: true });
  const path = join(folder, 'release.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  writeFileSync(path, JSON.stringify({ ...manifest, submission: change(manifest.submission) }));
  rmSync(join(folder, 'SHA256SUMS'));
  return folder;
}

const version = () => readdirSync(join(root, 'out'))[0] as string;
