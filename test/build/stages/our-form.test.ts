import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Config, readConfig } from '../../../build/plan/config.ts';
import { claimedPackage, makerOf } from '../../../build/stages/our-form.ts';
import { builtPackage } from '../../support/built-package.ts';

let config: Config;
let scratch: string;
beforeAll(async () => {
  config = await readConfig(process.cwd());
  scratch = mkdtempSync(join(tmpdir(), 'our-form-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('a package is ours when its file is named like one', () => {
  it.each([
    ['Escrow.Buddy-1.1.0.pkg', 'product'],
    ['/tmp/escrow.buddy-9.9.pkg', 'product'],
    ['Escrow.Buddy-1.1.0-rehearsal.pkg', 'product'],
    ['Escrow.Buddy.Guard-1.1.0.pkg', 'guard'],
    ['Escrow.Buddy.Uninstall-1.1.0.pkg', 'uninstall'],
    ['Escrow.Buddy.Request-1.1.0.pkg', 'request'],
    ['Escrow-Buddy-1.1.0.pkg', undefined],
    ['Other-1.1.0.pkg', undefined],
    ['My.Escrow.Buddy-1.1.0.pkg', undefined],
  ])('%s: %s', (file, name) => expect(claimedPackage(config, undefined, file)).toBe(name));
});

describe('whose tools made a package of ours', () => {
  const beside = (manifest: object) => {
    const file = join(scratch, 'a.pkg');
    writeFileSync(file, readFileSync(builtPackage()));
    writeFileSync(join(scratch, 'release.json'), JSON.stringify(manifest));
    return file;
  };
  const recorded = () => JSON.parse(readFileSync(join(inject('releaseFolder'), 'release.json'), 'utf8'));

  it('is what the person says, whatever is configured', async () => {
    const configured = { ...config, signing: { ...config.signing, toolchain: 'portable' as const } };
    expect(await makerOf('a.pkg', configured, 'apple')).toBe('apple');
    expect(await makerOf('a.pkg', configured, undefined)).toBe('portable');
  });

  it('is recorded in the release.json beside it, for a file of this digest only', async () => {
    const file = beside({ ...recorded(), toolchain: 'apple' });
    expect(await makerOf(file, config, undefined)).toBe('apple');
    writeFileSync(file, 'another file');
    expect(await makerOf(file, config, undefined)).toBe('portable');
  });

  it('is ours where nothing is known', async () => {
    expect(await makerOf(join(tmpdir(), 'nowhere', 'a.pkg'), config, undefined)).toBe('portable');
    expect(await makerOf(beside({ not: 'a manifest' }), config, undefined)).toBe('portable');
  });
});
