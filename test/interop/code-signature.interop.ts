import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BundleEntry, CODE_RESOURCES_PATH, fileAt } from '../../src/code-signature/bundle-entry.ts';
import { signBundle } from '../../src/code-signature/sign/sign-bundle.ts';
import { verifyBundle } from '../../src/code-signature/verify/verify-code.ts';
import { SAMPLE_EXECUTABLE, sampleBundle } from '../code-signature/sample.ts';
import { AD_HOC, rehearsalSigner } from '../code-signature/signers.ts';
import { installCrate, installPythonPackage } from './install.ts';

/** What rcodesign sets aside for an ad-hoc signature of so small a file. */
const RCODESIGN_RESERVE = 0x1800;
/** Runs a program and returns all that it said; throws when it fails. */
function output(program: string, argv: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, argv, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return stdout + stderr;
}

/** lief says of each slice of a file whether its layout is sound, and where its signature lies. */
const LIEF = `
import lief, sys, json
fat = lief.MachO.parse(sys.argv[1])
slices = [fat.at(i) for i in range(fat.size)]
print(json.dumps([[*lief.MachO.check_layout(s), s.code_signature.data_offset, s.code_signature.data_size] for s in slices]))
`;

const folder = mkdtempSync(join(tmpdir(), 'interop-'));
afterAll(() => rmSync(folder, { recursive: true }));

function writeBundle(name: string, entries: readonly BundleEntry[]): string {
  const root = join(folder, name);
  for (const entry of entries) {
    const path = join(root, entry.path);
    mkdirSync(dirname(path), { recursive: true });
    if ('symlink' in entry) symlinkSync(entry.symlink, path);
    else writeFileSync(path, entry.data, { mode: entry.mode });
  }
  return root;
}

function readBundle(root: string): BundleEntry[] {
  return readdirSync(root, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((found) => !found.isDirectory())
    .map((found): BundleEntry => {
      const whole = join(found.parentPath, found.name);
      const path = whole.slice(root.length + 1);
      if (found.isSymbolicLink()) return { path, mode: 0o777, symlink: readlinkSync(whole) };
      return { path, mode: 0o644, data: readFileSync(whole) };
    });
}

describe('rcodesign', () => {
  let rcodesign = '';
  beforeAll(() => {
    rcodesign = installCrate('apple-codesign', '0.29.0', 'rcodesign');
  });
  const run = (...argv: string[]) => output(rcodesign, argv);

  it('makes the same bytes ad-hoc as we do', async () => {
    const root = writeBundle('theirs.bundle', sampleBundle());
    run('sign', '--code-signature-flags', 'runtime', root);
    const theirs = readBundle(root);
    const { entries: ours } = await signBundle(sampleBundle(), { kind: 'ad-hoc', signatureSize: RCODESIGN_RESERVE });
    for (const path of [CODE_RESOURCES_PATH, SAMPLE_EXECUTABLE]) {
      expect(fileAt(theirs, path)?.equals(fileAt(ours, path) as Buffer), path).toBe(true);
    }
    expect(verifyBundle(theirs, AD_HOC).checks.filter(({ status }) => status === 'fail')).toEqual([]);
  });

  it('verifies what we sign with a certificate', async () => {
    const { signer } = await rehearsalSigner();
    const { entries } = await signBundle(sampleBundle(), signer);
    const root = writeBundle('ours.bundle', entries);
    expect(run('verify', join(root, SAMPLE_EXECUTABLE))).toContain('no problems detected');
  });

  it('signs with a certificate what we accept, but for a timestamp and the root that its requirement names', async () => {
    const { authority, expectations } = await rehearsalSigner();
    const pem = (label: string, der: Buffer) =>
      `-----BEGIN ${label}-----\n${der.toString('base64')}\n-----END ${label}-----\n`;
    const key = authority.members.application.privateKey.export({ type: 'pkcs8', format: 'der' });
    const certificates = authority.chainOf('application').map(({ der }) => pem('CERTIFICATE', der));
    const path = join(folder, 'identity.pem');
    writeFileSync(path, pem('PRIVATE KEY', key) + certificates.join(''));
    const root = writeBundle('certificate.bundle', sampleBundle());
    run('sign', '--pem-file', path, '--timestamp-url', 'none', '--code-signature-flags', 'runtime', root);
    const report = verifyBundle(readBundle(root), { ...expectations, ours: false });
    const failed = new Set(report.checks.filter(({ status }) => status === 'fail').map(({ id }) => id));
    // It was given no timestamp service, and writes `anchor apple generic` for every certificate with Apple's marks.
    expect([...failed]).toEqual(['code-timestamp', 'code-designated-requirement']);
  });
});

describe('lief', () => {
  let python = '';
  beforeAll(() => {
    python = installPythonPackage('lief', '1.0.0');
  });

  it('finds the layout of every slice sound', async () => {
    const { signer } = await rehearsalSigner();
    const { entries } = await signBundle(sampleBundle(), signer);
    const root = writeBundle('lief.bundle', entries);
    const slices = JSON.parse(output(python, ['-c', LIEF, join(root, SAMPLE_EXECUTABLE)])) as [
      boolean,
      string,
      number,
      number,
    ][];
    expect(slices.map(([sound, problem]) => [sound, problem])).toEqual([
      [true, ''],
      [true, ''],
    ]);
    expect(slices.map(([, , offset]) => offset)).toEqual([0x2100, 0xc100]);
  });
});
