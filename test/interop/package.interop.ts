import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { EXTRA_PACKAGES } from '../../build/plan/plan.ts';
import { accessBuffer } from '../../src/base/random-access.ts';
import { openPackage } from '../../src/package/open-package.ts';
import { openRehearsalAuthority, type RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { verifyPackage } from '../../src/verify/verify-package.ts';
import { cli } from '../support/cli.ts';
import { check } from '../support/needs.ts';
import { pemOf } from '../support/openssl.ts';
import { installCrate, installGo } from './install.ts';

const folder = mkdtempSync(join(tmpdir(), 'interop-package-'));
afterAll(() => rmSync(folder, { recursive: true }));

let authority: RehearsalAuthority;
let packages: string[];
let expanded: string;
let root: string;
beforeAll(async () => {
  authority = await openRehearsalAuthority('.rehearsal');
  const release = inject('releaseFolder');
  const inFolder = (path: string) =>
    readdirSync(path)
      .filter((name) => name.endsWith('.pkg'))
      .map((name) => join(path, name));
  packages = [...inFolder(release), ...inFolder(join(release, 'extras'))];
  expanded = join(folder, 'expanded');
  expect(cli(['expand', packages[0]!, expanded]).status).toBe(0);
  root = join(folder, 'root.pem');
  writeFileSync(root, pemOf(authority.members.root.certificate));
});

/** Runs a program; its words are standard output and error together. */
function run(program: string, argv: string[]): { status: number | null; words: string } {
  const { status, stdout, stderr } = spawnSync(program, argv, { encoding: 'utf8' });
  return { status, words: stdout + stderr };
}

describe('relic', () => {
  let relic = '';
  beforeAll(() => {
    relic = installGo('github.com/sassoftware/relic/v7', 'v7.6.2', 'relic');
  });
  const verify = (path: string) => run(relic, ['verify', '--cert', root, path]);

  it('verifies every package, and its timestamp', () => {
    expect(packages).toHaveLength(1 + EXTRA_PACKAGES.length);
    for (const path of packages) {
      const { status, words } = verify(path);
      expect([status, words]).toEqual([0, expect.stringMatching(/OK - .*Installer.*\n.*\(timestamp\): OK/)]);
    }
  });

  it('verifies both slices of the executable', () => {
    const bundle = join(expanded, 'com.netflix.Escrow-Buddy.pkg/Payload/Escrow Buddy.bundle');
    const { status, words } = verify(join(bundle, 'Contents/MacOS/Escrow Buddy'));
    expect(status).toBe(0);
    for (const cpu of ['CpuAmd64', 'CpuArm64']) expect(words).toMatch(new RegExp(`\\[HardenedRuntime\\]: ${cpu}`));
  });

  it('refuses a package with one byte changed', () => {
    const data = readFileSync(packages[0]!);
    data[200] = (data[200] as number) ^ 1;
    const path = join(folder, 'changed.pkg');
    writeFileSync(path, data);
    expect(verify(path).status).not.toBe(0);
  });

  it('signs a package that we accept, but for the timestamp that it was not asked for', async () => {
    const unsigned = join(folder, 'unsigned');
    expect(cli(['build', '--out', unsigned]).status).toBe(0);
    const key = authority.members.installer.privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(join(folder, 'key.pem'), key);
    writeFileSync(join(folder, 'chain.pem'), authority.chainOf('installer').map(pemOf).join(''));
    const config = `tokens: {file: {type: file}}\nkeys: {k: {token: file, keyfile: ${folder}/key.pem, x509certificate: ${folder}/chain.pem}}\n`;
    writeFileSync(join(folder, 'relic.yml'), config);
    const [name] = readdirSync(join(unsigned, '1.1.0')).filter((file) => file.endsWith('.pkg'));
    const signed = join(folder, 'relic.pkg');
    const argv = ['sign', '--config', join(folder, 'relic.yml'), '--key', 'k', '--sig-type', 'xar'];
    const { status, words } = run(relic, [...argv, '--file', join(unsigned, '1.1.0', name!), '--output', signed]);
    expect([status, words]).toEqual([0, expect.anything()]);
    const expectations = { trust: authority.trust, now: new Date(), ours: null, allowUnsigned: true };
    const { checks, facts } = await verifyPackage(accessBuffer(readFileSync(signed)), expectations);
    expect(checks.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(checks.find(({ id }) => id === 'package-timestamp')?.status).toBe('skipped');
    expect(facts.signer).toContain('Developer ID Installer');
  });
});

describe('rcodesign', () => {
  let rcodesign = '';
  beforeAll(() => {
    rcodesign = installCrate('apple-codesign', '0.29.0', 'rcodesign');
  });

  it('finds the TOC digest and the CMS of every package right', () => {
    for (const path of packages) {
      const { words } = run(rcodesign, ['print-signature-info', path]);
      expect(words).toContain('checksum_verifies: true');
      expect(words).toContain('cms_signature_verifies: true');
      // Its own convention, which no package of Apple's tools follows.
      expect(words).toContain('rsa_signature_verifies: false');
      expect(words.match(/ signature_verifies: \w+/g)).toEqual([
        ' signature_verifies: true',
        ' signature_verifies: true',
      ]);
    }
  });

  it('signs a package whose RSA signature is not the one that macOS knows; the CMS is', async () => {
    const unsigned = join(folder, 'for-rcodesign');
    expect(cli(['build', '--out', unsigned]).status).toBe(0);
    const key = authority.members.installer.privateKey.export({ type: 'pkcs8', format: 'pem' });
    const pem = join(folder, 'identity.pem');
    writeFileSync(pem, key + authority.chainOf('installer').map(pemOf).join(''));
    const signed = join(folder, 'rcodesign.pkg');
    const [name] = readdirSync(join(unsigned, '1.1.0')).filter((file) => file.endsWith('.pkg'));
    const argv = ['sign', '--pem-file', pem, '--timestamp-url', 'none', join(unsigned, '1.1.0', name!), signed];
    expect(run(rcodesign, argv).status).toBe(0);
    const expectations = { trust: authority.trust, now: new Date(), ours: null, allowUnsigned: true };
    const { checks } = await verifyPackage(accessBuffer(readFileSync(signed)), expectations);
    const failed = checks.filter(({ status }) => status === 'fail');
    expect(failed.map(({ id, reason }) => [id, reason])).toEqual([
      ['package-rsa', expect.stringContaining('as rcodesign makes it')],
    ]);
  });
});

describe('lsbom of stuckliste', () => {
  it('lists of our Bom what we list', async () => {
    const lsbom = installCrate('stuckliste-cli', '0.4.3', 'lsbom');
    const { components } = await openPackage(accessBuffer(readFileSync(packages[0]!)));
    const TYPES = { file: 0o100000, directory: 0o040000, symlink: 0o120000 };
    const expected = components[0]!.bom!.records.map(({ path, kind, mode, uid, gid, size, cksum }) => {
      const common = [path, (TYPES[kind] | mode).toString(8), `${uid}/${gid}`];
      return (kind === 'file' ? [...common, size, cksum] : common).join('\t');
    });
    // It shows no times, and for a slice no line of its own.
    const listed = check(lsbom, [join(expanded, 'com.netflix.Escrow-Buddy.pkg/Bom')])
      .toString()
      .trim()
      .split('\n');
    expect(listed.map((line) => line.split('\t').slice(0, 5).join('\t')).sort()).toEqual(expected.sort());
  });
});
