import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ofTheDay } from '../support/by-day.ts';
import { CASES_OF_NOTARY, told } from './cases.ts';
import { JOB_PATIENCE, logOf, resultsOf, scratchFolders } from './jobs.ts';
import { makeReplay, type Replay, replayNeeds } from './replay.ts';
import type { Run } from './runner.ts';

vi.setConfig(JOB_PATIENCE);

const scratch = scratchFolders();

/** A signed release at the notary; each `it` goes on where the one before ended. Who signed it: story-of-approvals. */
describe.skipIf(replayNeeds.missing)(`a release that waits for Apple${replayNeeds.note}${ofTheDay}`, () => {
  const played: string[] = [];
  let replay: Replay;
  let run: Run;
  const answersOfWait = () => join(replay.scratch, 'answers-of-wait');
  const ends = (name: string, { jobs }: Run) => {
    played.push(name);
    expect(resultsOf(jobs), logOf(jobs)).toMatchObject(told(name));
  };

  beforeAll(async () => {
    replay = await makeReplay(scratch(), {
      quick: true,
      anew: /release.yml\/(submit|wait|staple)$/,
      kill: { at: 'release.yml/staple', step: 'Wait, staple, verify', words: '✓  7/10 notarize' },
    });
    // Of those that come to an answer the first turn and the last really ask.
    writeFileSync(answersOfWait(), '5\n5\n5\nask\n0\n0\n0\n');
    run = await replay.start('release.yml');
  });

  it('a wait over night: turn after turn without a person; then the job dies that was about to staple', () => {
    played.push('a wait over night');
    expect(run.jobs.wait, logOf(run.jobs)).toMatchObject({ result: told('a wait over night').wait });
    expect(run.jobs.wait!.workspaces).toHaveLength(8);
    ends('a job that dies', run);
  });

  it('staples after a re-run, and submits each of the four packages once', async () => {
    replay.runner.cancelAt = 'release.yml/look';
    run = await replay.runner.rerun(run);
    expect(resultsOf(run.jobs), logOf(run.jobs)).toMatchObject({ wait: 'success', staple: 'success' });
    expect(replay.submissions()).toBe(4);
    expect(replay.runner.artifacts.names()).toEqual(['parts-1', 'signed-1', 'submitted-1', 'finished-2']);
  });

  it("gives the notary's key to its jobs alone, which have neither a token nor a checkout", () => {
    const notary = replay.runner.executed.filter(({ env }) => 'NOTARY_KEY' in env);
    const [submit, wait, staple] = ['submit', 'wait', 'staple'].map((id) => `release.yml/${id}`);
    expect(new Set(notary.map(({ at }) => at))).toEqual(new Set([submit, wait, staple]));
    for (const { env } of replay.runner.executed)
      expect('GH_TOKEN' in env && ('NOTARY_KEY' in env || 'APPLICATION_P12_BASE64' in env)).toBe(false);
    for (const id of ['submit', 'wait', 'staple']) {
      expect(existsSync(join(run.jobs[id]!.workspaces[0]!, 'build/cli.ts'))).toBe(false);
      expect(existsSync(join(run.jobs[id]!.workspaces[0]!, 'cli.mjs'))).toBe(true);
    }
  });

  it('Apple refuses: no further turn is taken, nothing is stapled', async () => {
    replay.runner.cancelAt = undefined;
    const earlier = { ...run.jobs, wait: { ...run.jobs.wait!, result: 'failure' as const, legs: [] } };
    writeFileSync(answersOfWait(), '4\n');
    ends('Apple refuses', await replay.runner.rerun({ ...run, jobs: earlier }));
  });

  afterAll(() => {
    if (played.length > 0) expect(played.sort()).toEqual([...CASES_OF_NOTARY].sort());
  });
});
