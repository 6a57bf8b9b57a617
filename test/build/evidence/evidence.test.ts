import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { checkEvidence } from '../../../build/evidence/check-evidence.ts';
import { INDEX_FILE, indexOf } from '../../../build/evidence/make-evidence.ts';
import { type KitFile, unzip, zip } from '../../../build/kit/zip.ts';
import { collect } from '../../mutation/sample.ts';
import { builtPackage } from '../../support/built-package.ts';
import { byDay, ofTheDay } from '../../support/by-day.ts';
import { inProcess } from '../../support/in-process.ts';
import { evidenceOfRelease } from './evidence-subject.ts';
import { SIGNER, sigstore, statementOf } from './sigstore.ts';

/** What takes the network away: as root, or in a name space where this user is. */
const UNPLUGGED = ['--net', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])];
const canUnplug = spawnSync('unshare', [...UNPLUGGED, 'true']).status === 0;
const apart = { missing: !canUnplug, note: canUnplug ? '' : ' (skipped: needs unshare --net)' };

const evidence = evidenceOfRelease();
const { failed } = evidence;

describe(`evidence${ofTheDay}`, () => {
  it('of the release is accepted, made and checked by the commands', async () => {
    const path = join(evidence.scratch, 'evidence.zip');
    const made = await inProcess(['evidence', inject('releaseFolder'), '--out', path, '--json']);
    expect([made.status, JSON.parse(made.stdout).files]).toEqual([0, evidence.files.map((file) => file.path).sort()]);
    const run = await inProcess(['verify', builtPackage(), '--verbose', '--trust', 'rehearsal', '--evidence', path]);
    expect(run.stdout).toMatch(/pass +evidence-report\n/);
    expect(run.stdout).toMatch(/pass +evidence-policy\n/);
    expect(run.status).toBe(0);
    const archive = readFileSync(path);
    archive[archive.length - 1] = 1;
    writeFileSync(path, archive);
    const damaged = await inProcess(['verify', builtPackage(), '--trust', 'rehearsal', '--evidence', path]);
    expect([damaged.status, damaged.stdout]).toEqual([6, expect.stringMatching(/FAIL +evidence-/)]);
  });

  it.each([
    ['that is none', '{"schema": 2}', 'fail'],
    ['that the package meets', '{"schema": 1, "team": "REHEARSAL0"}', 'pass'],
    ['that it does not meet', '{"schema": 1, "team": "ABCDE12345"}', 'fail'],
  ])('has one word about a policy %s', async (_, policy, word) => {
    const files = evidence.changed('policy.json', () => `${policy}\n`);
    const archive = await collect(zip(files, 1_700_000_000) as AsyncIterable<Buffer>);
    const checks = await checkEvidence(archive, evidence.subject);
    expect(checks.flatMap(({ id, status }) => (id === 'evidence-policy' ? [status] : []))).toEqual([word]);
  });

  it.skipIf(apart.missing)(`is checked with the network unplugged, an attestation too${apart.note}`, async () => {
    const world = await sigstore();
    const about = statementOf(createHash('sha256').update(readFileSync(builtPackage())).digest('hex'));
    const [bundles, root, path] = ['bundles.jsonl', 'root.json', 'attested.zip'].map((name) =>
      join(evidence.scratch, name),
    );
    writeFileSync(bundles as string, `${JSON.stringify(await world.bundle(about))}\n`);
    writeFileSync(root as string, world.trust.trustedRoot);
    const release = inject('releaseFolder');
    const made = await inProcess(['evidence', release, '--out', path as string, '--attestation', bundles as string]);
    expect(made.status).toBe(0);
    const argv = ['verify', builtPackage(), '--verbose', '--trust', 'rehearsal', '--evidence', path as string];
    argv.push('--trusted-root', root as string, '--signer');
    const command = [process.execPath, '.build/cli.mjs', ...argv, SIGNER];
    const line = 'grep -c : /proc/net/dev; exec "$@"'; // networks: the loopback alone
    const run = spawnSync('unshare', [...UNPLUGGED, 'sh', '-c', line, 'sh', ...command], { encoding: 'utf8' });
    expect(run.stdout).toMatch(/^1\n(.*\n)*.*pass +attestation\n/);
    expect(run.status).toBe(0);
    expect((await inProcess([...argv, `${SIGNER}-2`])).stdout).toMatch(/FAIL +attestation/);

    const { files: attested } = await unzip(readFileSync(path as string));
    expect(attested).toHaveLength(evidence.files.length + 1);
    for (const { path: name, data } of byDay(attested, 1, ({ path: name }) => String(/attestations/.test(name)))) {
      const copy = Buffer.from(data);
      copy[copy.length >> 1] = (copy[copy.length >> 1] as number) ^ 1;
      const others = attested.map((file) => (file.path === name ? { path: name, data: copy } : file));
      expect([name, (await failed(others, { attestation: world.trust })).length > 0]).toEqual([name, true]);
    }
  });

  it('without Sigstore bundles, or without whose to believe, says that nobody was asked', async () => {
    const skipped = async (of: readonly KitFile[]) => {
      const checks = await checkEvidence(
        await collect(zip(of, 1_700_000_000) as AsyncIterable<Buffer>),
        evidence.subject,
      );
      return checks.filter(({ status }) => status === 'skipped').map(({ id, reason }) => `${id}: ${reason}`);
    };
    expect(await skipped(evidence.files)).toEqual([
      expect.stringMatching(/^attestation: the evidence holds no Sigstore bundle/),
    ]);
    const attested = [
      ...evidence.files.filter(({ path }) => path !== INDEX_FILE),
      { path: 'attestations.jsonl', data: Buffer.from('{}') },
    ];
    expect(await skipped([...attested, { path: INDEX_FILE, data: indexOf(attested) }])).toEqual([
      expect.stringMatching(/^attestation: to check its Sigstore bundles, give --trusted-root and --signer/),
    ]);
  });

  it('names one missing file and several as English does', async () => {
    const reason = async (...names: string[]) => {
      const left = evidence.files.filter(({ path }) => !names.includes(path));
      const checks = await checkEvidence(
        await collect(zip(left, 1_700_000_000) as AsyncIterable<Buffer>),
        evidence.subject,
      );
      return checks.find(({ status }) => status === 'fail')?.reason;
    };
    expect(await reason('SHA256SUMS')).toBe('SHA256SUMS is missing');
    expect(await reason('policy.json', 'SHA256SUMS')).toBe('SHA256SUMS, policy.json are missing');
  });

  it('is refused beside another package', async () => {
    const file = join(inject('releaseFolder'), 'extras/Escrow.Buddy.Guard-1.1.0-rehearsal.pkg');
    expect(await failed(evidence.files, { file, ours: null })).toEqual(
      expect.arrayContaining(['evidence-provenance', 'evidence-sbom', 'evidence-notary-log', 'evidence-report']),
    );
  });

  it('keeps what it reads of a zip that it wrote', async () => {
    const archive = await collect(zip(evidence.files, 1_700_000_000) as AsyncIterable<Buffer>);
    expect((await unzip(archive)).files.map(({ path }) => path)).toEqual(evidence.files.map(({ path }) => path).sort());
  });
});
