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
import { byDay, ofTheDay } from '../../support/by-day.ts';
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

describe(`evidence${ofTheDay}`, () => {
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
    const argv = ['verify', builtPackage(), '--verbose', '--trust', 'rehearsal', '--evidence', path as string];
    argv.push('--trusted-root', root as string, '--signer');
    const command = [process.execPath, '.build/cli.mjs', ...argv, SIGNER];
    const line = 'grep -c : /proc/net/dev; exec "$@"'; // networks: the loopback alone
    const run = spawnSync('unshare', [...UNPLUGGED, 'sh', '-c', line, 'sh', ...command], { encoding: 'utf8' });
    expect(run.stdout).toMatch(/^1\n(.*\n)*.*pass +attestation\n/);
    expect(run.status).toBe(0);
    expect((await inProcess([...argv, `${SIGNER}-2`])).stdout).toMatch(/FAIL +attestation/);

    const { files: attested } = await unzip(readFileSync(path as string));
    expect(attested).toHaveLength(files.length + 1);
    for (const { path: name, data } of byDay(attested, 1, ({ path: name }) => String(/attestations/.test(name)))) {
      const copy = Buffer.from(data);
      copy[copy.length >> 1] = (copy[copy.length >> 1] as number) ^ 1;
      const others = attested.map((file) => (file.path === name ? { path: name, data: copy } : file));
      expect([name, (await failed(others, { attestation: world.trust })).length > 0]).toEqual([name, true]);
    }
  });

  it('is refused when a byte of any of its files is another', async () => {
    const places = files.flatMap(({ path, data }) =>
      [0, data.length >> 1, data.length - 1].map((at) => ({ path, data, at })),
    );
    for (const { path, data, at } of byDay(places, 0, (place) => place.path)) {
      const copy = Buffer.from(data);
      copy[at] = (copy[at] as number) ^ 1;
      const others = files.map((file) => (file.path === path ? { path, data: copy } : file));
      expect([path, at, (await failed(others)).length > 0]).toEqual([path, at, true]);
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

  const FORGED: [string, string, (text: string) => string][] = [
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
  ];
  it.each(byDay(FORGED, 0, ([, id]) => id))('is refused for what a forged %s says (%s)', async (name, id, change) => {
    expect(await failed(changed(name, change))).toContain(id);
  });

  const forged = (name: string, change: (document: any) => void) =>
    failed(
      changed(name, (text) => {
        const document = JSON.parse(text);
        change(document);
        return `${JSON.stringify(document, null, 2)}\n`;
      }),
    );
  const sums = (change: (lines: string[]) => string[]) =>
    failed(changed('SHA256SUMS', (text) => `${change(text.trimEnd().split('\n')).join('\n')}\n`));

  it('is refused for byproducts that are not those of the evidence', async () => {
    const byproducts = (change: (list: { name: string; digest: object }[]) => object[]) =>
      forged('provenance.json', ({ predicate: { runDetails } }) => {
        runDetails.byproducts = change(runDetails.byproducts);
      });
    const [one] = JSON.parse(files.find(({ path }) => path === 'provenance.json')!.data.toString()).subject;
    expect(await byproducts((list) => [...list, one])).toEqual(['evidence-provenance']);
    expect(await byproducts((list) => list.slice(1))).toEqual(['evidence-provenance']);
    expect(await byproducts((list) => list.map((file, at) => (at ? file : { ...file, digest: one.digest })))).toEqual([
      'evidence-provenance',
    ]);
    expect(await forged('provenance.json', (document) => (document.note = ''))).toEqual(['evidence-provenance']);
  });

  it('is refused for lines of digests that are wrong, missing or none', async () => {
    const named = (name: string) => (line: string) => line.endsWith(`  ${name}`);
    expect(await sums((lines) => lines.filter((line) => !line.endsWith('-rehearsal.pkg')))).toContain('evidence-sums');
    for (const name of ['notary-log.json', 'verify-report.json', 'EscrowBuddy.cdx.json'])
      expect(await sums((lines) => lines.filter((line) => !named(name)(line)))).toContain('evidence-sums');
    expect(await sums((lines) => [...lines, 'no digest'])).toContain('evidence-sums');
    expect(
      await sums((lines) =>
        lines.map((line) =>
          named('notary-log.json')(line) ? line.replace(/^./, (c) => (c === '0' ? '1' : '0')) : line,
        ),
      ),
    ).toContain('evidence-sums');
    // The statement names the digest of this list, so that it alone speaks against a list with one line more.
    expect(await sums((lines) => [...lines, `${'0'.repeat(64)}  elsewhere.txt`])).toEqual(['evidence-provenance']);
  });

  const REPORTS: [string, (report: any) => void][] = [
    ['a failed verdict', (report) => (report.verdict = 'fail')],
    ['another trust', (report) => (report.trust = 'apple')],
    ['a check less', (report) => report.checks.pop()],
    ['a check of another thing', (report) => (report.checks[0].subject = 'other')],
    ['a check that ended otherwise', (report) => (report.checks[0].status = 'skipped')],
    ['a form that is none', (report) => (report.schema = 2)],
  ];
  it.each(byDay(REPORTS, 3))('is refused for a report with %s', async (_, change) => {
    expect(await forged('verify-report.json', change)).toContain('evidence-report');
  });

  it('is refused for a log of other tickets, or none', async () => {
    expect(await forged('notary-log.json', (log) => (log.ticketContents = []))).toContain('evidence-notary-log');
    const other = (log: any) => {
      for (const entry of log.ticketContents) entry.cdhash = '00'.repeat(20);
    };
    expect(await forged('notary-log.json', other)).toContain('evidence-notary-log');
    expect(await failed(changed('notary-log.json', () => 'no log'))).toContain('evidence-notary-log');
  });

  it('without Sigstore bundles, or without whose to believe, says that nobody was asked', async () => {
    const skipped = async (of: readonly KitFile[]) => {
      const checks = await checkEvidence(await collect(zip(of, 1_700_000_000) as AsyncIterable<Buffer>), subject);
      return checks.filter(({ status }) => status === 'skipped').map(({ id, reason }) => `${id}: ${reason}`);
    };
    expect(await skipped(files)).toEqual([
      expect.stringMatching(/^attestation: the evidence holds no Sigstore bundle/),
    ]);
    const attested = [
      ...files.filter(({ path }) => path !== INDEX_FILE),
      { path: 'attestations.jsonl', data: Buffer.from('{}') },
    ];
    expect(await skipped([...attested, { path: INDEX_FILE, data: indexOf(attested) }])).toEqual([
      expect.stringMatching(/^attestation: to check its Sigstore bundles, give --trusted-root and --signer/),
    ]);
  });

  it('names one missing file and several as English does', async () => {
    const reason = async (...names: string[]) => {
      const left = files.filter(({ path }) => !names.includes(path));
      const checks = await checkEvidence(await collect(zip(left, 1_700_000_000) as AsyncIterable<Buffer>), subject);
      return checks.find(({ status }) => status === 'fail')?.reason;
    };
    expect(await reason('SHA256SUMS')).toBe('SHA256SUMS is missing');
    expect(await reason('policy.json', 'SHA256SUMS')).toBe('SHA256SUMS, policy.json are missing');
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
