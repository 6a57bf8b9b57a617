import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SMOKE_IMAGES } from '../../build/github/release/verdicts.ts';
import { byDay, ofTheDay } from '../support/by-day.ts';
import { sha256 } from '../support/file-digest.ts';
import { CASES_OF_PUBLISHING, told } from './cases.ts';
import { JOB_PATIENCE, logOf, resultsOf, scratchFolders, WITHOUT_ROSETTA } from './jobs.ts';
import { makeReplay, type Replay, replayNeeds } from './replay.ts';
import type { Run } from './runner.ts';

vi.setConfig(JOB_PATIENCE);

const scratch = scratchFolders();

/** A release that was tried, until it is published; each `it` goes on where the one before ended. How it got there: story-of-macs. */
describe.skipIf(replayNeeds.missing)(`a release that is published${replayNeeds.note}${ofTheDay}`, () => {
  const played: string[] = [];
  let replay: Replay;
  let run: Run;
  const ends = (name: string, { jobs }: Run) => {
    played.push(name);
    expect(resultsOf(jobs), logOf(jobs)).toMatchObject(told(name));
  };
  /** What an asset of the release is, and a file of the package that was finished before it. */
  const asset = (name: string) => join(replay.scratch, 'github/assets', String(replay.github().releases[0]!.id), name);

  beforeAll(async () => {
    replay = await makeReplay(scratch(), {
      short: true,
      quick: true,
      anew: /release.yml\/(publish|verify)$/,
    });
    replay.change((state) => {
      state.tagRule = true;
    });
    run = await replay.start('release.yml');
  });

  it('a tag rule: the draft stays, and the rule is named', () => {
    ends('a tag rule', run);
    expect(run.jobs.publish!.log).toContain('restrict updates and deletions, not creations');
    expect(replay.github().releases).toMatchObject([{ draft: true }]);
    replay.change((state) => {
      state.tagRule = false;
    });
  });

  it('an answer that is lost: the same release is recognised, and verified', async () => {
    replay.fault('--method PATCH', 'after', 'HTTP 504: Gateway timeout');
    run = await replay.runner.rerun(run);
    ends('an answer that is lost', run);
    expect(replay.submissions()).toBe(4);
  });

  it('publishes one immutable release whose tag is the commit that was merged', () => {
    const { releases, tags } = replay.github();
    expect(releases).toMatchObject([
      { tag_name: `v${replay.version}`, draft: false, immutable: true, target_commitish: replay.commit },
    ]);
    expect(tags).toEqual({ [`v${replay.version}`]: replay.commit });
  });

  it('publishes exactly the set of assets: the package first, as the only .pkg, the notary log among them', () => {
    expect(replay.github().releases[0]!.assets.map(({ name }) => name)).toEqual([
      `Escrow.Buddy-${replay.version}.pkg`,
      `EscrowBuddy-${replay.version}-mdm-kit.zip`,
      'SHA256SUMS',
      'release.json',
      'EscrowBuddy.intoto.jsonl',
      'EscrowBuddy.cdx.json',
      'verify-report.json',
      'report.html',
      'smoke-verdicts.jsonl',
      'notary-log.json',
    ]);
  });

  it('gives every asset the digest of the finished file', () => {
    const folder = join(replay.scratch, 'finished');
    mkdirSync(folder);
    execFileSync('tar', ['-xf', replay.runner.artifacts.newest('finished-1'), '-C', folder]);
    const later = ['EscrowBuddy.intoto.jsonl', 'smoke-verdicts.jsonl'];
    for (const { name, digest } of replay.github().releases[0]!.assets.filter(({ name }) => !later.includes(name)))
      expect(digest).toBe(`sha256:${sha256(join(folder, replay.version, name))}`);
  });

  it('attests every asset, and of the package also its SBOM, which names the commit', () => {
    const { releases, attested, described } = replay.github();
    const digests = releases[0]!.assets.map(({ name, digest }) => [name, digest.slice('sha256:'.length)] as const);
    for (const [name, digest] of digests)
      expect([name, attested[digest]]).toEqual([name, name === 'EscrowBuddy.intoto.jsonl' ? undefined : replay.commit]);
    expect(described).toEqual({ [digests[0]![1]]: replay.commit });
    const [provenance, sbom, ...others] = linesOf(asset('EscrowBuddy.intoto.jsonl'));
    expect([others, provenance.predicate]).toEqual([[], undefined]);
    expect(sbom.predicate.metadata.component.pedigree.commits).toEqual([{ uid: replay.commit }]);
  });

  it("names its Xcode to every step on a Mac, and none on Linux, where the configuration's tools run", () => {
    for (const { at, env } of replay.runner.executed) {
      const chosen = /^(build|release)\.yml\/(parts|again|submit|staple)$/.test(at) ? '' : undefined;
      const xcode = { 'macos-15': '16.4', 'macos-15-intel': '16.4', 'xcode-27': '27.0' }[env.IMAGE ?? ''] ?? '26.6';
      if (at !== 'release.yml/smoke') expect([at, env.DEVELOPER_DIR]).toEqual([at, chosen]);
      else if (env.IMAGE) expect(env.DEVELOPER_DIR).toBe(`/Applications/Xcode_${xcode}.app/Contents/Developer`);
    }
  });

  it('tells on the page what changed, whose package it is and how to check it', () => {
    const { body } = replay.github().releases[0]!;
    for (const words of [
      '### Added',
      'REHEARSAL0',
      'com.netflix.Escrow-Buddy',
      'gh attestation verify',
      'EscrowBuddy.cdx.json',
    ])
      expect(body).toContain(words);
  });

  it('publishes what each Mac found, bound to the very package', () => {
    const verdicts = linesOf(asset('smoke-verdicts.jsonl'));
    expect(verdicts.map(({ image }) => image)).toEqual([...SMOKE_IMAGES]);
    const [package_] = replay.github().releases[0]!.assets;
    for (const { package: tried } of verdicts) expect(`sha256:${tried.sha256}`).toBe(package_?.digest);
    expect(verdicts.at(-1).skipped).toEqual(ofTheDay === '' ? [WITHOUT_ROSETTA] : []);
  });

  it('does nothing on the next merge with the same version', async () => {
    const next = await replay.start('release.yml');
    const { plan, ...others } = resultsOf(next.jobs);
    expect([plan, new Set(Object.values(others))], logOf(next.jobs)).toEqual(['success', new Set(['skipped'])]);
    expect(replay.github().releases).toHaveLength(1);
  });

  it('an expired artifact: only a new run helps, and that names the version', async () => {
    replay.change((state) => {
      Object.assign(state, { tags: {}, releases: [] });
    });
    replay.runner.artifacts.expire();
    const late = await replay.runner.rerun({
      ...run,
      jobs: { ...run.jobs, publish: { ...run.jobs.publish!, result: 'failure' } },
    });
    ends('an expired artifact', late);
    replay.runner.unapproved.add('signing');
    // By day up to where it is built.
    replay.runner.cancelAt = byDay(['release.yml/build'], 0).length > 0 ? undefined : 'release.yml/build';
    const merged = replay.merge(() => undefined);
    const payload = { client_payload: { version: replay.version } };
    const anew = await replay.start('release.yml', { event: 'repository_dispatch', payload });
    expect(anew.jobs.plan!.outputs, logOf(anew.jobs)).toMatchObject({ release: 'true', version: replay.version });
    const endings = replay.runner.cancelAt ? { build: 'cancelled' } : { code: 'success', 'code-key': 'waiting' };
    expect(resultsOf(anew.jobs), logOf(anew.jobs)).toMatchObject(endings);
    expect(anew.commit).toBe(merged);
  });

  afterAll(() => {
    if (played.length > 0) expect(played.sort()).toEqual([...CASES_OF_PUBLISHING].sort());
  });
});

const linesOf = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
