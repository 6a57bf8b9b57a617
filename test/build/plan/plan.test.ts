import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { bundleVersionOf, makePlan } from '../../../build/plan/plan.ts';

describe('bundleVersionOf', () => {
  it.each([
    ['1.1.0', 10100],
    ['1.0.99', 10099],
    ['12.34.56', 123456],
  ])('%s is %i', (version, number) => expect(bundleVersionOf(version)).toBe(number));

  it.each(['1.1', '1.1.0-beta', '01.1.0', '1.100.0', '', 'v1.1.0'])('refuses %j', (version) =>
    expect(() => bundleVersionOf(version)).toThrow(/allowed is x\.y\.z/),
  );
});

describe('makePlan', () => {
  const plan = (sourceDateEpoch: string | undefined) =>
    makePlan({ root: process.cwd(), outFolder: '/tmp/out', sourceDateEpoch });

  it('takes the time of the last commit by default', async () => {
    expect((await plan('1700000000')).sourceDateEpoch).toBe(1700000000);
    expect((await plan(undefined)).sourceDateEpoch).toBeGreaterThan(1700000000);
  });

  it.each(['yesterday', '-1', '4294967296', '1.5'])('refuses SOURCE_DATE_EPOCH=%s', async (epoch) => {
    await expect(plan(epoch)).rejects.toMatchObject({ code: 'EPOCH_INVALID' });
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
