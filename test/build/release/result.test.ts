import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { MANIFEST_SCHEMA } from '../../../build/plan/manifest.ts';
import { builtPackage } from '../../support/built-package.ts';
import { sha256 } from '../../support/file-digest.ts';
import { inProcess } from '../../support/in-process.ts';
import { check, needs } from '../../support/needs.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'release-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('npm start', () => {
  it('leaves the package, the extra packages, what is told of them, and nothing else', () => {
    const folder = inject('releaseFolder');
    expect(readdirSync(folder).sort()).toEqual([
      'Escrow.Buddy-1.1.0-rehearsal.pkg',
      'EscrowBuddy-1.1.0-rehearsal-mdm-kit.zip',
      'EscrowBuddy.cdx.json',
      'SHA256SUMS',
      'extras',
      'notary-log.json',
      'release.json',
      'report.html',
      'verify-report.json',
    ]);
    expect(readdirSync(join(folder, 'extras')).sort()).toEqual([
      'Escrow.Buddy.Guard-1.1.0-rehearsal.pkg',
      'Escrow.Buddy.Request-1.1.0-rehearsal.pkg',
      'Escrow.Buddy.Uninstall-1.1.0-rehearsal.pkg',
      'release-notes.md',
    ]);
  });

  it('records sizes and digests that are those of the files', () => {
    const folder = inject('releaseFolder');
    const manifest = MANIFEST_SCHEMA.parse(JSON.parse(readFileSync(join(folder, 'release.json'), 'utf8')));
    expect(manifest.files.map(({ role }) => role)).toEqual([
      'package',
      'extra',
      'extra',
      'extra',
      'verify-report',
      'notary-log',
      'sbom',
      'mdm-kit',
      'report',
      'release-notes',
    ]);
    for (const file of manifest.files) {
      expect(file.sha256).toBe(sha256(join(folder, file.path)));
      expect(file.size).toBe(statSync(join(folder, file.path)).size);
    }
    expect(manifest.code.map((slice) => slice.architecture)).toEqual(['x86_64', 'arm64']);
  });

  const sums = needs('sha256sum');
  it.skipIf(sums.missing)(`writes sums that sha256sum accepts${sums.note}`, () => {
    const check = spawnSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: inject('releaseFolder') });
    expect(check.status).toBe(0);
  });
});

describe('the package, read by tools of others', () => {
  const bsdtar = needs('bsdtar', 'cpio', 'gzip');
  const xmllint = needs('bsdtar', 'xmllint');
  const objdump = needs('bsdtar', 'cpio', 'llvm-objdump');
  const expanded = () => {
    const folder = join(scratch, 'expanded');
    if (existsSync(folder)) return folder;
    mkdirSync(folder);
    check('bsdtar', ['-xf', builtPackage(), '-C', folder]);
    for (const member of ['Payload', 'Scripts']) {
      const archive = join(folder, 'com.netflix.Escrow-Buddy.pkg', member);
      mkdirSync(join(folder, member));
      check('sh', ['-c', 'gzip -dc <"$0" | (cd "$1" && cpio -idm --quiet)', archive, join(folder, member)]);
    }
    return folder;
  };

  it.skipIf(bsdtar.missing)(`is a xar with Distribution and one component${bsdtar.note}`, () => {
    expect(check('bsdtar', ['-tf', builtPackage()]).toString().trim().split('\n')).toEqual([
      'Distribution',
      'com.netflix.Escrow-Buddy.pkg',
      ...['Bom', 'Payload', 'Scripts', 'PackageInfo'].map((name) => `com.netflix.Escrow-Buddy.pkg/${name}`),
    ]);
  });

  it.skipIf(bsdtar.missing)(`has a payload that GNU cpio extracts, with the modes of the table${bsdtar.note}`, () => {
    const table = JSON.parse(readFileSync('payload/permissions.json', 'utf8')).payload as Record<string, string>;
    for (const [path, mode] of Object.entries(table)) {
      const { mode: found } = statSync(join(expanded(), 'Payload', path));
      expect([path, (found & 0o7777).toString(8).padStart(4, '0')]).toEqual([path, mode]);
    }
  });

  it.skipIf(bsdtar.missing)(`agrees with cksum about every file that its Bom lists${bsdtar.note}`, async () => {
    const document = JSON.parse((await inProcess(['inspect', '--json', builtPackage()])).stdout);
    const records = document.package.components[0].bom as { path: string; kind: string; cksum: number; size: number }[];
    const files = records.filter((record) => record.kind === 'file');
    expect(files.length).toBe(7);
    for (const { path, cksum, size } of files) {
      const [sum, bytes] = check('cksum', [join(expanded(), 'Payload', path)])
        .toString()
        .split(' ');
      expect([path, cksum, size]).toEqual([path, Number(sum), Number(bytes)]);
    }
  });

  it.skipIf(xmllint.missing)(`has a PackageInfo and a Distribution that xmllint parses${xmllint.note}`, () => {
    const xpath = (file: string, query: string) =>
      check('xmllint', ['--xpath', query, join(expanded(), file)])
        .toString()
        .trim();
    const info = 'com.netflix.Escrow-Buddy.pkg/PackageInfo';
    expect(xpath(info, 'string(/pkg-info/@identifier)')).toBe('com.netflix.Escrow-Buddy');
    expect(xpath(info, 'string(/pkg-info/@install-location)')).toBe('/Library/Security/SecurityAgentPlugins');
    expect(xpath(info, 'count(/pkg-info/relocate/*)')).toBe('0');
    expect(xpath(info, 'count(/pkg-info/bundle-version/*)')).toBe('0');
    expect(xpath(info, 'string(/pkg-info/upgrade-bundle/bundle/@id)')).toBe('com.netflix.Escrow-Buddy');
    expect(xpath(info, 'string(/pkg-info/bundle/@CFBundleVersion)')).toBe('10100');
    expect(xpath('Distribution', 'string(//options/@hostArchitectures)')).toBe('arm64,x86_64');
    expect(xpath('Distribution', 'string(//options/@rootVolumeOnly)')).toBe('true');
    expect(xpath('Distribution', 'string(//os-version/@min)')).toBe('10.14.4');
    expect(xpath('Distribution', 'string(//pkg-ref[@version])')).toBe('#com.netflix.Escrow-Buddy.pkg');
  });

  it.skipIf(objdump.missing)(
    `holds two slices that llvm-objdump reads, for the macOS versions of the configuration${objdump.note}`,
    () => {
      const executable = join(expanded(), 'Payload/Escrow Buddy.bundle/Contents/MacOS/Escrow Buddy');
      for (const [architecture, minimum] of [
        ['x86_64', '10.14'],
        ['arm64', '11.0'],
      ]) {
        const headers = check('llvm-objdump', [
          '--macho',
          '--private-headers',
          `--arch=${architecture}`,
          executable,
        ]).toString();
        expect(headers).toMatch(/BUNDLE/);
        expect(headers).toMatch(new RegExp(`(minos|version) ${minimum}\n`));
        expect(headers).toContain('sdk 14.4');
        expect(headers).toContain('LC_CODE_SIGNATURE');
        expect(headers.match(/name \/\S+/g)).toEqual([
          'name /usr/lib/libSystem.B.dylib',
          'name /System/Library/Frameworks/CoreFoundation.framework/Versions/A/CoreFoundation',
        ]);
        const exports = check('llvm-objdump', [
          '--macho',
          '--exports-trie',
          `--arch=${architecture}`,
          executable,
        ]).toString();
        expect(exports.match(/_\w+/g)).toEqual(['_AuthorizationPluginCreate']);
      }
    },
  );
});
