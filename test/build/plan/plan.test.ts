import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { laterFiles } from '../../../build/plan/output-files.ts';
import { bundleVersionOf, isReleaseVersion, makePlan, outputName, readVersion } from '../../../build/plan/plan.ts';

describe('bundleVersionOf', () => {
  it.each([
    ['1.1.0', 10100],
    ['1.0.99', 10099],
    ['12.34.56', 123456],
    ['0.0.0', 0],
    ['9999.99.99', 99999999],
  ])('%s is %i', (version, number) => {
    expect(bundleVersionOf(version)).toBe(number);
    expect(isReleaseVersion(version)).toBe(true);
  });

  it.each(['1.1', '1.1.0-beta', '01.1.0', '1.100.0', '1.0.100', '10000.0.0', '', 'v1.1.0'])('refuses %j', (version) => {
    expect(() => bundleVersionOf(version)).toThrow(/allowed is x\.y\.z/);
    expect(isReleaseVersion(version)).toBe(false);
  });
});

describe('makePlan', () => {
  const plan = (sourceDateEpoch: string | undefined) =>
    makePlan({ root: process.cwd(), outFolder: '/tmp/out', sourceDateEpoch });

  it('takes the time of the last commit by default', async () => {
    expect((await plan('1700000000')).sourceDateEpoch).toBe(1700000000);
    expect((await plan(undefined)).sourceDateEpoch).toBeGreaterThan(1700000000);
  });

  it.each([
    ['0', 0],
    ['4294967295', 4_294_967_295],
  ])('takes SOURCE_DATE_EPOCH=%s', async (epoch, time) => {
    expect(await plan(epoch)).toMatchObject({ sourceDateEpoch: time, timeFrom: 'SOURCE_DATE_EPOCH' });
  });

  it('takes an empty SOURCE_DATE_EPOCH for none', async () => {
    expect(await plan('')).toMatchObject({ timeFrom: 'commit' });
  });

  it('puts results of a version into a folder of their own, and names a package before only where one is given', async () => {
    const input = { root: process.cwd(), outFolder: '/tmp/out', sourceDateEpoch: '1' };
    const { version, outFolder, ...others } = await makePlan(input);
    expect([outFolder, 'previousPackage' in others]).toEqual([`/tmp/out/${version}`, false]);
    expect(await makePlan({ ...input, previousPackage: 'a.pkg' })).toMatchObject({ previousPackage: 'a.pkg' });
  });

  it.each(['yesterday', '-1', '4294967296', '99999999999', '1.5', '1e3'])(
    'refuses SOURCE_DATE_EPOCH=%s',
    async (epoch) => {
      await expect(plan(epoch)).rejects.toMatchObject({ code: 'EPOCH_INVALID' });
    },
  );
});

describe('readVersion', () => {
  const root = mkdtempSync(join(tmpdir(), 'version-'));
  afterAll(() => rmSync(root, { recursive: true }));

  it.each([
    ['{"version": "1.2.3"}', '1.2.3'],
    ['{"version": "x"}', 'x'],
    ['{"version": 1}', ''],
    ['{}', ''],
  ])('of %s is %j', async (text, version) => {
    writeFileSync(join(root, 'package.json'), text);
    expect(await readVersion(root)).toBe(version);
  });
});

describe('the names of results', () => {
  const config = JSON.parse(readFileSync('release.config.json', 'utf8'));
  config.output.guard = '{version}/{version}.pkg';
  const plan = { config, version: '1.2.3' };

  it('have the version wherever it is asked for, and say that they are of a rehearsal', () => {
    expect(outputName(plan, 'guard')).toBe('1.2.3/1.2.3.pkg');
    expect(outputName({ ...plan, nameSuffix: '-rehearsal' }, 'package')).toBe('Escrow.Buddy-1.2.3-rehearsal.pkg');
  });

  it('of what a run removes when it makes packages anew are these', () => {
    expect(laterFiles(plan)).toEqual([
      'notary-log.json',
      'verify-report.json',
      'EscrowBuddy.cdx.json',
      'EscrowBuddy-1.2.3-mdm-kit.zip',
      'report.html',
      'extras/release-notes.md',
      'SHA256SUMS',
    ]);
  });
});

describe('a source archive', () => {
  const root = mkdtempSync(join(tmpdir(), 'archive-'));
  afterAll(() => rmSync(root, { recursive: true }));
  // What is changed and not yet committed belongs to it: a commit that no branch has.
  const state = execFileSync('git', ['stash', 'create'], { encoding: 'utf8' }).trim() || 'HEAD';
  const head = execFileSync('git', ['log', '-1', '--format=%H %ct', state], { encoding: 'utf8' }).trim().split(' ');
  const plan = (sourceDateEpoch?: string) => makePlan({ root, outFolder: '/tmp/out', sourceDateEpoch });

  it('as git makes it tells its commit and time without git', async () => {
    const archive = execFileSync('git', ['archive', '--format=tar', state], { maxBuffer: 2 ** 28 });
    execFileSync('tar', ['-xf', '-', '-C', root], { input: archive });
    const expected = { commit: head[0], sourceDateEpoch: Number(head[1]), timeFrom: 'source archive' };
    expect(await plan()).toMatchObject(expected);
    expect(await plan('1')).toMatchObject({ commit: head[0], sourceDateEpoch: 1, timeFrom: 'SOURCE_DATE_EPOCH' });
  });

  it('without that note has the day of its version in CHANGELOG.md', async () => {
    rmSync(join(root, 'build/plan/source-archive.txt'));
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    writeFileSync(join(root, 'CHANGELOG.md'), `# Changelog\n\n## ${version}, 2026-11-30\n\n## 1.0.0, 2023-06-01\n`);
    expect(await plan()).toMatchObject({ commit: null, sourceDateEpoch: 1_795_996_800, timeFrom: 'CHANGELOG.md' });
  });
});

describe('the commit of a plan', () => {
  const root = mkdtempSync(join(tmpdir(), 'plan-'));
  afterAll(() => rmSync(root, { recursive: true }));
  for (const name of ['release.config.json', 'package.json']) cpSync(name, join(root, name));
  const git = (...argv: string[]) =>
    execFileSync('git', ['-C', root, '-c', 'user.name=a', '-c', 'user.email=a@example.com', ...argv], {
      encoding: 'utf8',
      env: { ...process.env, GIT_COMMITTER_DATE: '1700000001 +0000' },
    }).trim();
  const plan = (sourceDateEpoch?: string) => makePlan({ root, outFolder: '/tmp/out', sourceDateEpoch });

  it('is unknown outside of a repository and before the first commit, and so is the time', async () => {
    expect(await plan('1')).toMatchObject({ commit: null, sourceDateEpoch: 1 });
    git('init', '--quiet');
    expect(await plan('1')).toMatchObject({ commit: null, sourceDateEpoch: 1 });
    writeFileSync(join(root, 'release.config.json'), readFileSync('release.config.json'));
    utimesSync(join(root, 'package.json'), 1_690_000_000, 1_690_000_000);
    utimesSync(join(root, 'release.config.json'), 1_690_000_005, 1_690_000_005);
    mkdirSync(join(root, 'out'));
    expect(await plan()).toMatchObject({ commit: null, sourceDateEpoch: 1_690_000_005, timeFrom: 'file times' });
  });

  it('is the one checked out, with a mark when files differ from it', async () => {
    git('add', '.');
    git('commit', '--quiet', '-m', 'a');
    const commit = git('rev-parse', 'HEAD');
    git('config', 'log.showSignature', 'true');
    expect(await plan()).toMatchObject({ commit, sourceDateEpoch: 1700000001 });
    writeFileSync(join(root, 'new'), '');
    expect(await plan()).toMatchObject({ commit: `${commit}+changes`, sourceDateEpoch: 1700000001 });
  });
});
