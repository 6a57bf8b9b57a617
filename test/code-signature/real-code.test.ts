import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type BundleEntry, CODE_RESOURCES_PATH, INFO_PLIST_PATH } from '../../src/code-signature/bundle-entry.ts';
import { MAGIC_EMBEDDED_SIGNATURE, parseSuperBlob } from '../../src/code-signature/super-blob.ts';
import { codeCmsVerifier } from '../../src/code-signature/verify/verify-cms.ts';
import { type CodeReport, verifyBundle } from '../../src/code-signature/verify/verify-code.ts';
import { isUniversal } from '../../src/macho/first-bytes.ts';
import { parseMacho } from '../../src/macho/macho.ts';
import { appleTrust } from '../../src/pki/x509/apple-roots.ts';
import { check, needs, realPackages } from '../support/needs.ts';

/** Code of other publishers: signed by Apple's codesign, so no form of ours is demanded of it. */
const expectations = () => ({ verifyCms: codeCmsVerifier(appleTrust(), new Date()), ours: false, allowAdHoc: true });

function readBundle(folder: string): BundleEntry[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((found) => !found.isDirectory())
    .map((found): BundleEntry => {
      const whole = join(found.parentPath, found.name);
      const path = whole.slice(folder.length + 1);
      if (found.isSymbolicLink()) return { path, mode: 0o777, symlink: readlinkSync(whole) };
      return { path, mode: 0o644, data: readFileSync(whole) };
    });
}

function failures({ checks }: CodeReport): string[] {
  return checks
    .filter(({ status }) => status === 'fail')
    .map(({ id, subject, reason }) => `${id} ${subject}: ${reason}`);
}

/** Returns the bundle with one bit of one file flipped. */
function flipped(entries: readonly BundleEntry[], path: string, at: number): BundleEntry[] {
  return entries.map((entry) => {
    if (entry.path !== path || !('data' in entry)) return entry;
    const data = Buffer.from(entry.data);
    data[at] = data[at]! ^ 1;
    return { ...entry, data };
  });
}

describe('an authorization plug-in signed in 2016, with code inside', () => {
  const path = join(realPackages.folder ?? '', 'bundle/FV2AuthPlugin.bundle');
  const entries = realPackages.missing ? [] : readBundle(path);

  it.skipIf(realPackages.missing)(`verifies, nested service and all${realPackages.note}`, () => {
    const report = verifyBundle(entries, expectations());
    expect(failures(report)).toEqual([]);
    expect(report.checks.filter(({ id }) => id === 'code-pages')).toHaveLength(2);
    expect(report.slices).toMatchObject([
      {
        architecture: 'x86_64',
        identifier: 'gov.nih.FV2AuthPlugin',
        teamIdentifier: 'QZQALU4M8H',
        hashType: 1,
        flags: 0,
      },
    ]);
    expect(report.slices[0]?.timestamp?.toISOString()).toBe('2016-01-06T20:05:56.000Z');
  });

  it.skipIf(realPackages.missing)(`fails when a bit of any signed part is flipped${realPackages.note}`, () => {
    for (const entry of entries) {
      if (!('data' in entry)) continue;
      const steps = entry.data.length > 10000 ? 6 : 2;
      for (let step = 0; step < steps; step++) {
        const at = Math.floor((step * entry.data.length) / steps);
        const report = verifyBundle(flipped(entries, entry.path, at), expectations());
        expect(report.valid, `${entry.path} at ${at}`).toBe(false);
      }
    }
  });

  it.skipIf(realPackages.missing)(`fails when a file is added, removed or made a link${realPackages.note}`, () => {
    const added = { path: 'Contents/Resources/new', mode: 0o644, data: Buffer.alloc(0) };
    const ids = (changed: BundleEntry[]) =>
      failures(verifyBundle(changed, expectations())).map((text) => text.split(' ')[0]);
    expect(ids([...entries, added])).toEqual(['seal-added']);
    expect(ids(entries.filter((entry) => !entry.path.endsWith('uninstall.py')))).toEqual(['seal-removed']);
    expect(ids(entries.filter((entry) => !entry.path.includes('.xpc/')))).toEqual(['seal-removed']);
    expect(ids(entries.filter((entry) => entry.path !== CODE_RESOURCES_PATH))).toContain('seal');
    expect(ids(flipped(entries, INFO_PLIST_PATH, 700))).toContain('code-slots');
  });
});

const bsdtar = needs('bsdtar');
const skip = realPackages.missing || bsdtar.missing;
const note = realPackages.note || bsdtar.note;
const folder = mkdtempSync(join(tmpdir(), 'real-code-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Unpacks the payload of a package and returns the folder. */
function payloadOf(name: string, member: string): string {
  const target = join(folder, name);
  mkdirSync(target, { recursive: true });
  const payload = check('bsdtar', ['-xOf', join(realPackages.folder ?? '', 'pkg', name), member]);
  check('bsdtar', ['-xf', '-', '-C', target], payload);
  return target;
}

describe('code inside of real packages', () => {
  it.skipIf(skip)(
    `verifies with SHA-1 and SHA-256 side by side, kernel extension and nested programs (2017)${note}`,
    () => {
      const target = payloadOf('santa-0.9.19-2017.pkg', 'Payload');
      for (const [bundle, programs] of [
        ['Library/Extensions/santa-driver.kext', 4],
        ['Applications/Santa.app', 1],
      ] as const) {
        const report = verifyBundle(readBundle(join(target, bundle)), expectations());
        expect(failures(report)).toEqual([]);
        // Two code directories each.
        expect(report.checks.filter(({ id }) => id === 'code-pages')).toHaveLength(2 * programs);
      }
    },
  );

  it.skipIf(skip)(`verifies a universal program that Xcode signed ad-hoc (2021)${note}`, () => {
    const target = payloadOf('relic-dummy-2021.pkg', 'com.sas.dummy.pkg/Payload');
    const entries = readBundle(join(target, 'dummy.app'));
    const report = verifyBundle(entries, expectations());
    expect(failures(report)).toEqual([]);
    expect(report.slices.map(({ architecture }) => architecture)).toEqual(['x86_64', 'arm64']);
  });

  it.skipIf(skip)(`finds a flipped bit in every blob of a signature${note}`, () => {
    const entries = readBundle(join(payloadOf('santa-0.9.19-2017.pkg', 'Payload'), 'Applications/Santa.app'));
    const path = 'Contents/MacOS/Santa';
    const program = entries.find((entry) => entry.path === path);
    const data = program && 'data' in program ? program.data : Buffer.alloc(0);
    expect(isUniversal(data)).toBe(false);
    const { dataOffset = 0 } = parseMacho(data).codeSignature ?? {};
    let at = dataOffset;
    const { blobs, length } = parseSuperBlob(data.subarray(dataOffset), MAGIC_EMBEDDED_SIGNATURE);
    at += length - blobs.reduce((sum, blob) => sum + blob.data.length, 0);
    for (const blob of blobs) {
      const middle = at + Math.floor(blob.data.length / 2);
      expect(verifyBundle(flipped(entries, path, middle), expectations()).valid, `0x${blob.type.toString(16)}`).toBe(
        false,
      );
      at += blob.data.length;
    }
  });
});
