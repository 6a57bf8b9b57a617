import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readBuildPackages } from '../../../build/sbom/npm-packages.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lock-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const lock = (packages: object, lockfileVersion = 3) =>
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ lockfileVersion, packages }));

describe('readBuildPackages', () => {
  it('gives what runs when a release is built, each once, by name', async () => {
    lock({
      '': { version: '1.0.0' },
      'node_modules/zod': { version: '4.0.0', license: 'MIT', integrity: `sha512-${'AAEC'.repeat(21)}AA==` },
      'node_modules/@scope/a': { version: '1.0.0', integrity: 'sha1-AAAA' },
      'node_modules/b/node_modules/@scope/a': { version: '1.0.0', integrity: 'sha1-AAAA' },
      'node_modules/c/node_modules/@scope/a': { version: '2.0.0' },
      'node_modules/vitest': { version: '4.0.0', dev: true },
      'node_modules/esbuild': { version: '0.28.2', dev: true, license: 'MIT' },
    });
    expect(await readBuildPackages(root)).toEqual([
      { name: '@scope/a', version: '1.0.0', sha512: null, license: null },
      { name: '@scope/a', version: '2.0.0', sha512: null, license: null },
      { name: 'esbuild', version: '0.28.2', sha512: null, license: 'MIT' },
      { name: 'zod', version: '4.0.0', sha512: `${'000102'.repeat(21)}00`, license: 'MIT' },
    ]);
  });

  it('gives those of this project', async () => {
    const names = (await readBuildPackages('.')).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['commander', 'zod', 'asn1js', 'esbuild']));
    expect(names).not.toContain('vitest');
  });

  it('refuses a missing file, one of another version, and no JSON', async () => {
    await expect(readBuildPackages(root)).rejects.toMatchObject({ code: 'LOCK_INVALID' });
    lock({}, 1);
    await expect(readBuildPackages(root)).rejects.toMatchObject({ code: 'LOCK_INVALID' });
    writeFileSync(join(root, 'package-lock.json'), '{');
    await expect(readBuildPackages(root)).rejects.toMatchObject({ code: 'JSON_INVALID' });
  });
});
