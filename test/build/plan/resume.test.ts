import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Manifest } from '../../../build/plan/manifest.ts';
import { unusableReason } from '../../../build/plan/resume.ts';
import { withFile } from '../../../src/base/with-file.ts';
import { readXar } from '../../../src/xar/read.ts';
import { builtPackage } from '../../support/built-package.ts';

const scratch = mkdtempSync(join(tmpdir(), 'resume-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const [PACKAGE, EXTRA] = ['product.pkg', 'extras/guard.pkg'];
const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest('hex');
const bare = await withFile(builtPackage(), async (access) => {
  const { trailing } = await readXar(access);
  return readFileSync(builtPackage()).subarray(0, trailing.offset);
});
let outFolder: string;
beforeEach(() => {
  outFolder = mkdtempSync(join(scratch, 'out-'));
  mkdirSync(join(outFolder, 'extras'));
  writeFileSync(join(outFolder, PACKAGE), bare);
  writeFileSync(join(outFolder, EXTRA), bare);
});

const listed = (path: string, role: string, content: Buffer | string) => ({
  path,
  role,
  size: 1,
  sha256: sha256(content),
});
type Parts = Pick<Manifest, 'stages' | 'package' | 'commit' | 'files'>;
const whole = (): Parts => ({
  stages: [
    { name: 'build-package', seconds: 1, outcome: 'done' },
    { name: 'sign-package', seconds: 1, outcome: 'done' },
    { name: 'notarize', seconds: 1, outcome: 'failed' },
  ],
  package: { identifier: 'a', tocDigest: '', signer: null, teamIdentifier: null, timestamp: null },
  commit: 'c0ffee',
  files: [listed(PACKAGE, 'package', bare), listed(EXTRA, 'extra', bare), listed('SHA256SUMS', 'digests', 'gone')],
});
const reason = (change: Partial<Parts> = {}, commit: string | null = 'c0ffee') =>
  unusableReason({ ...whole(), ...change } as Manifest, { outFolder, commit, sourceDateEpoch: 1 });

describe('what an earlier run signed', () => {
  it('is used again when each package has its digest; other files are made anew in any case', async () => {
    expect(await reason()).toBeUndefined();
    expect(await reason({ commit: null }, null)).toBeUndefined();
  });

  it('is used again with a ticket behind it that nothing tells of', async () => {
    const stapled = readFileSync(builtPackage());
    expect(stapled.length).toBeGreaterThan(bare.length);
    writeFileSync(join(outFolder, PACKAGE), stapled);
    expect(await reason()).toBeUndefined();
  });

  it.each<[string, Partial<Parts>]>([
    ['no stage', { stages: [] }],
    ['a stage that failed', { stages: [{ name: 'sign-package', seconds: 1, outcome: 'failed' }] }],
    ['another stage', { stages: [{ name: 'build-package', seconds: 1, outcome: 'done' }] }],
    ['no package', { package: null }],
  ])('is not there with %s', async (_, change) => {
    expect(await reason(change)).toBe('the package was not signed yet');
  });

  it.each([
    ['c0ffee', 'c0ffee+changes'],
    ['c0ffee', null],
    [null, 'c0ffee'],
  ])('of commit %s is not that of commit %s', async (before, now) => {
    expect(await reason({ commit: before }, now)).toBe('the sources are at another commit');
  });

  it.each([PACKAGE, EXTRA])('is not used when %s is changed, cut, no package at all or gone', async (path) => {
    const place = join(outFolder, path);
    const changed = Buffer.from(bare);
    changed[bare.length - 1]! ^= 1;
    for (const content of [changed, bare.subarray(0, 100), 'something else', '']) {
      writeFileSync(place, content);
      expect(await reason()).toBe(`${path} is missing or was changed`);
    }
    rmSync(place);
    expect(await reason()).toBe(`${path} is missing or was changed`);
  });

  it('lets a fault of the disk pass', async () => {
    rmSync(join(outFolder, EXTRA));
    mkdirSync(join(outFolder, EXTRA));
    await expect(reason()).rejects.toMatchObject({ code: 'EISDIR' });
  });
});
