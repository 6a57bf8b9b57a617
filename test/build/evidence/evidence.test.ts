import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { checkEvidence, type EvidenceSubject } from '../../../build/evidence/check-evidence.ts';
import { INDEX_FILE, indexOf, makeEvidence } from '../../../build/evidence/make-evidence.ts';
import { type KitFile, unzip, zip } from '../../../build/kit/zip.ts';
import { makePlan } from '../../../build/plan/plan.ts';
import { ourForm } from '../../../build/stages/our-form.ts';
import { openRehearsalAuthority, REHEARSAL_TEAM } from '../../../src/rehearsal/authority.ts';
import { collect } from '../../mutation/sample.ts';
import { builtPackage } from '../../support/built-package.ts';
import { inProcess } from '../../support/in-process.ts';
import { SIGNER, sigstore, statementOf } from './sigstore.ts';

/** What takes the network away: as root, or in a name space where this user is. */
const UNPLUGGED = ['--net', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])];
const canUnplug = spawnSync('unshare', [...UNPLUGGED, 'true']).status === 0;
const apart = { missing: !canUnplug, note: canUnplug ? '' : ' (skipped: needs unshare --net)' };

let scratch: string;
let files: readonly KitFile[];
let subject: EvidenceSubject;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'evidence-'));
  const { trust } = await openRehearsalAuthority('.rehearsal');
  const plan = await makePlan({ root: process.cwd(), outFolder: scratch, sourceDateEpoch: '1700000000' });
  const known = { madeBy: 'portable', teamIdentifier: REHEARSAL_TEAM, version: null } as const;
  subject = { attestation: null, file: builtPackage(), trust, ours: await ourForm(plan, 'product', known) };
  ({ files } = await makeEvidence({ folder: inject('releaseFolder'), policy: undefined, bundles: undefined }));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const failed = async (of: readonly KitFile[], about: Partial<EvidenceSubject> = {}) => {
  const checks = await checkEvidence(await collect(zip(of, 1_700_000_000) as AsyncIterable<Buffer>), {
    ...subject,
    ...about,
  });
  return [...new Set(checks.filter(({ status }) => status === 'fail').map(({ id }) => id))];
};

/** Changes a file and has the index follow, as whoever forges evidence would. */
const changed = (name: string, change: (text: string) => string): KitFile[] => {
  const others = files.map((file) => {
    if (file.path !== name) return file;
    const text = change(file.data.toString());
    expect(text).not.toBe(file.data.toString());
    return { path: name, data: Buffer.from(text) };
  });
  return others.map((file) => (file.path === INDEX_FILE ? { path: INDEX_FILE, data: indexOf(others) } : file));
};

describe('evidence', () => {
  it('of the release is accepted, made and checked by the commands', async () => {
    const path = join(scratch, 'evidence.zip');
    const made = await inProcess(['evidence', inject('releaseFolder'), '--out', path, '--json']);
    expect([made.status, JSON.parse(made.stdout).files]).toEqual([0, files.map((file) => file.path).sort()]);
    const run = await inProcess(['verify', builtPackage(), '--verbose', '--trust', 'rehearsal', '--evidence', path]);
    expect(run.stdout).toMatch(/pass +evidence-report\n/);
    expect(run.status).toBe(0);
    const archive = readFileSync(path);
    archive[archive.length - 1] = 1;
    writeFileSync(path, archive);
    const damaged = await inProcess(['verify', builtPackage(), '--trust', 'rehearsal', '--evidence', path]);
    expect([damaged.status, damaged.stdout]).toEqual([6, expect.stringMatching(/FAIL +evidence-/)]);
  });

  it.skipIf(apart.missing)(`is checked with the network unplugged, an attestation too${apart.note}`, async () => {
    const world = await sigstore();
    const about = statementOf(createHash('sha256').update(readFileSync(builtPackage())).digest('hex'));
    const [bundles, root, path] = ['bundles.jsonl', 'root.json', 'attested.zip'].map((name) => join(scratch, name));
    writeFileSync(bundles as string, `${JSON.stringify(await world.bundle(about))}\n`);
    writeFileSync(root as string, world.trust.trustedRoot);
    const release = inject('releaseFolder');
    const made = await inProcess(['evidence', release, '--out', path as string, '--attestation', bundles as string]);
    expect(made.status).toBe(0);
    const check = (trusted: readonly string[]) => {
      const argv = ['verify', builtPackage(), '--verbose', '--trust', 'rehearsal', '--evidence', path as string];
      const command = [process.execPath, '.build/cli.mjs', ...argv, ...trusted];
      const line = 'grep -c : /proc/net/dev; exec "$@"'; // networks: the loopback alone
      return spawnSync('unshare', [...UNPLUGGED, 'sh', '-c', line, 'sh', ...command], { encoding: 'utf8' });
    };
    const trusted = ['--trusted-root', root as string, '--signer', SIGNER];
    const run = check(trusted);
    expect(run.stdout).toMatch(/^1\n(.*\n)*.*pass +attestation\n/);
    expect(run.status).toBe(0);
    expect(check([...trusted.slice(0, 3), `${SIGNER}-2`]).stdout).toMatch(/FAIL +attestation/);

    const { files: attested } = await unzip(readFileSync(path as string));
    expect(attested).toHaveLength(files.length + 1);
    for (const { path: name, data } of attested) {
      const copy = Buffer.from(data);
      copy[copy.length >> 1] = (copy[copy.length >> 1] as number) ^ 1;
      const others = attested.map((file) => (file.path === name ? { path: name, data: copy } : file));
      expect([name, (await failed(others, { attestation: world.trust })).length > 0]).toEqual([name, true]);
    }
  });

  it('is refused when a byte of any of its files is another', async () => {
    for (const { path, data } of files) {
      for (const at of [0, data.length >> 1, data.length - 1]) {
        const copy = Buffer.from(data);
        copy[at] = (copy[at] as number) ^ 1;
        const others = files.map((file) => (file.path === path ? { path, data: copy } : file));
        expect([path, at, (await failed(others)).length > 0]).toEqual([path, at, true]);
      }
    }
  });

  it('is refused when a file is missing or one too many', async () => {
    for (const { path } of files)
      expect(await failed(files.filter((file) => file.path !== path))).toEqual(['evidence-files']);
    const stray = [...files, { path: 'stray', data: Buffer.from('x') }];
    expect(await failed(stray)).toContain('evidence-files');
    const twice = [...files, files[0] as KitFile];
    expect(
      await failed(twice.map((file) => (file.path === INDEX_FILE ? { path: INDEX_FILE, data: indexOf(twice) } : file))),
    ).toContain('evidence-files');
  });

  it.each([
    ['notary-log.json', 'evidence-notary-log', (text: string) => text.replace('"Accepted"', '"Invalid"')],
    [
      'notary-log.json',
      'evidence-notary-log',
      (text: string) => text.replace(/"sha256":"[0-9a-f]{4}/, '"sha256":"0000'),
    ],
    ['verify-report.json', 'evidence-report', (text: string) => text.replace('"pass"', '"skipped"')],
    ['verify-report.json', 'evidence-report', (text: string) => text.replace('REHEARSAL0', 'REHEARSAL1')],
    ['EscrowBuddy.cdx.json', 'evidence-sbom', (text: string) => text.replace('"1.6"', '"1.5"')],
    ['SHA256SUMS', 'evidence-sums', (text: string) => text.replace(/^[0-9a-f]{4}/, '0000')],
    ['policy.json', 'evidence-policy', () => '{"schema": 1, "team": "ABCDE12345"}\n'],
    ['policy.json', 'evidence-policy', () => '{"schema": 2}\n'],
    [
      'provenance.json',
      'evidence-provenance',
      (text: string) => text.replace(/"sha256": "[0-9a-f]{4}/, '"sha256": "0000'),
    ],
    [
      'provenance.json',
      'evidence-provenance',
      (text: string) => text.replace('"version": "1.1.0"', '"version": "1.1.1"'),
    ],
  ])('is refused for what a forged %s says (%s)', async (name, id, change) => {
    expect(await failed(changed(name, change))).toContain(id);
  });

  it('is refused beside another package', async () => {
    const file = join(inject('releaseFolder'), 'extras/Escrow.Buddy.Guard-1.1.0-rehearsal.pkg');
    expect(await failed(files, { file, ours: null })).toEqual(
      expect.arrayContaining(['evidence-provenance', 'evidence-sbom', 'evidence-notary-log', 'evidence-report']),
    );
  });

  it('keeps what it reads of a zip that it wrote', async () => {
    const archive = await collect(zip(files, 1_700_000_000) as AsyncIterable<Buffer>);
    expect((await unzip(archive)).files.map(({ path }) => path)).toEqual(files.map(({ path }) => path).sort());
  });
});
