import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ofTheDay } from '../support/by-day.ts';
import { CASES_OF_MERGES, told } from './cases.ts';
import { filesWith, JOB_PATIENCE, logOf, resultsOf, scratchFolders } from './jobs.ts';
import { makeReplay, type Replay, replayNeeds } from './replay.ts';
import type { Run } from './runner.ts';

vi.setConfig(JOB_PATIENCE);

const scratch = scratchFolders();

/** A release that is built and not signed yet; each `it` goes on where the one before ended. How it is signed: story-of-approvals. */
describe.skipIf(replayNeeds.missing)(`a release that a merge starts${replayNeeds.note}${ofTheDay}`, () => {
  const played: string[] = [];
  let replay: Replay;
  let run: Run;
  const ends = (name: string, { jobs }: Run) => {
    played.push(name);
    expect(resultsOf(jobs), logOf(jobs)).toMatchObject(told(name));
  };

  beforeAll(async () => {
    replay = await makeReplay(scratch(), { quick: true, anew: /(^build.yml|plan|review)/ });
    replay.runner.unapproved.add('signing');
    run = await replay.start('release.yml');
  });

  it('a lone maintainer: signing waits for them, and for nobody else', () => ends('a lone maintainer', run));

  it('two merges in a row: the second one starts no second package, whenever it comes', async () => {
    replay.merge((origin) => writeFileSync(join(origin, 'README.md'), 'another'));
    const second = await replay.start('release.yml');
    ends('two merges in a row', second);
    expect(logOf(second.jobs)).toContain(`is the release of ${replay.commit}`);
  });

  it('leaves no byte of a signing key in any artifact or in the folder of a job', () => {
    const folders = ['plan', 'build', 'review'].flatMap((id) => run.jobs[id]!.workspaces);
    expect(filesWith(replay.signingKeys, [join(replay.scratch, 'artifacts'), ...folders])).toBe('');
  });

  it('tells before the approval what is about to be signed', () => {
    const summary = readFileSync(join(run.jobs.review!.workspaces[0]!, '../summary.md'), 'utf8');
    for (const words of [
      `About to be signed: ${replay.version}`,
      replay.commit,
      'cli.mjs',
      'code for arm64',
      'no earlier release',
    ])
      expect(summary).toContain(words);
  });

  afterAll(() => {
    if (played.length > 0) expect(played.sort()).toEqual([...CASES_OF_MERGES].sort());
  });
});

describe('docs/releasing.md', () => {
  it('has a row for each case that is played, and none more', async () => {
    const { CASES_OF_APPROVALS, CASES_OF_KEYS, CASES_OF_MACS, CASES_OF_NOTARY, CASES_OF_PUBLISHING, CASES_OF_SERVICE } =
      await import('./cases.ts');
    const page = readFileSync('docs/releasing.md', 'utf8');
    const section = page.slice(page.indexOf('### What is played'), page.indexOf('### What else may happen'));
    const rows = [...section.matchAll(/^\| ([^|]+) \| `/gm)].map(([, name]) => name);
    const releases = [CASES_OF_MERGES, CASES_OF_APPROVALS, CASES_OF_NOTARY, CASES_OF_MACS, CASES_OF_PUBLISHING];
    const played = [...releases, CASES_OF_KEYS, CASES_OF_SERVICE];
    expect(rows.sort()).toEqual(played.flat().sort());
  });
});
