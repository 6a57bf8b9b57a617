import { appendFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, expectTypeOf, inject, it } from 'vitest';
import { type Manifest, type ManifestFile, readManifest } from '../../../build/plan/manifest.ts';
import { makePlan, type Plan, REHEARSAL_SUFFIX } from '../../../build/plan/plan.ts';
import type { NotarizedPackages } from '../../../build/stages/notarize.ts';
import { publish } from '../../../build/stages/publish.ts';
import type { StapledPackages } from '../../../build/stages/staple.ts';
import type { VerifiedPackage, verifyPackages } from '../../../build/stages/verify.ts';

let scratch: string;
let plan: Plan;
let manifest: Manifest;
beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'publish-stage-'));
  cpSync(inject('releaseFolder'), join(scratch, '1.1.0'), { recursive: true });
  const made = await makePlan({ root: process.cwd(), outFolder: scratch, sourceDateEpoch: '1700000000' });
  plan = { ...made, nameSuffix: REHEARSAL_SUFFIX };
  manifest = (await readManifest(plan.outFolder)) as Manifest;
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const at = (name: string) => join(plan.outFolder, name);
const listed = async () => {
  const { facts } = await publish(verified(), manifest, { plan });
  return facts?.files?.map(({ path }) => path);
};
const verified = (): VerifiedPackage => {
  const { path, sha256 } = manifest.files.find(({ role }) => role === 'package') as ManifestFile;
  return { kind: 'verified-package', path: at(path), sha256 };
};
const sums = () => readFileSync(at('SHA256SUMS'), 'utf8');

describe('publish', () => {
  it('lists the same files again when they were listed before', async () => {
    const before = manifest.files.map(({ path }) => path);
    expect((await listed())?.sort()).toEqual(before.sort());
    expect(sums().trim().split('\n')).toHaveLength(6);
  });

  it('does without a log of the notary', async () => {
    rmSync(at('notary-log.json'));
    expect(await listed()).not.toContain('notary-log.json');
    expect(sums()).not.toContain('notary-log.json');
    expect(sums()).toContain('verify-report.json');
  });

  it('takes away a log of another submission, and keeps one that names none', async () => {
    const log = JSON.parse(readFileSync(at('notary-log.json'), 'utf8'));
    writeFileSync(at('notary-log.json'), JSON.stringify({ ...log, jobId: undefined }));
    expect(await listed()).toContain('notary-log.json');
    writeFileSync(at('notary-log.json'), JSON.stringify({ ...log, jobId: '00000000-0000-0000-0000-000000000000' }));
    expect(await listed()).not.toContain('notary-log.json');
    expect(existsSync(at('notary-log.json'))).toBe(false);
  });

  it('publishes nothing when the package was changed after it was verified', async () => {
    const path = verified().path;
    appendFileSync(path, 'x');
    rmSync(at('SHA256SUMS'));
    await expect(listed()).rejects.toMatchObject({ code: 'PACKAGE_CHANGED', name: 'VerificationError' });
    expect(existsSync(at('SHA256SUMS'))).toBe(false);
  });

  it('takes nothing but a verified package, says the compiler', () => {
    const stapled: StapledPackages = { kind: 'stapled-packages', path: '', sha256: '' };
    const notarized: NotarizedPackages = { kind: 'notarized-packages', paths: [] };
    expectTypeOf(stapled).not.toExtend<Parameters<typeof publish>[0]>();
    expectTypeOf(notarized).not.toExtend<Parameters<typeof verifyPackages>[0]>();
    expectTypeOf(verified()).toExtend<Parameters<typeof publish>[0]>();
  });

  it("names npm's lock file when it is missing, and the way on", async () => {
    const root = join(scratch, 'root');
    for (const part of ['package.json', 'release.config.json', 'payload'])
      cpSync(part, join(root, part), { recursive: true });
    await expect(publish(verified(), manifest, { plan: { ...plan, root } })).rejects.toMatchObject({
      code: 'LOCK_INVALID',
      hint: expect.stringContaining('--resume'),
    });
  });
});
