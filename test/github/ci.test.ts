import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { JOB_PATIENCE, logOf, resultsOf, scratchFolders } from './jobs.ts';
import { makeReplay, type Replay } from './replay.ts';
import type { JobResult } from './schedule.ts';
import { scriptsOf } from './workflow.ts';

vi.setConfig(JOB_PATIENCE);

const scratch = scratchFolders();

describe("ci.yml for a stranger's pull request", () => {
  let replay: Replay;
  let jobs: Readonly<Record<string, JobResult>>;
  beforeAll(async () => {
    replay = await makeReplay(scratch(), { short: true, quick: true });
    ({ jobs } = await replay.start('ci.yml', { event: 'pull_request' }));
  });

  it('ends every job well and runs every script of the file', () => {
    expect(resultsOf(jobs), logOf(jobs)).toEqual({
      version: 'success',
      linux: 'success',
      workflows: 'success',
      macos: 'success',
    });
    expect(replay.runner.executed.map(({ at, run }) => `${at}: ${run}`)).toEqual(scriptsOf('ci.yml'));
  });

  it('rehearses on a Mac what it does on Linux, with the same tools: by day it is given what that made', () => {
    const [linux, mac] = ['linux', 'macos'].map((id) =>
      replay.runner.executed.find(({ at, step }) => at === `ci.yml/${id}` && step === 'Rehearse a release'),
    );
    expect(mac?.run).toBe(linux?.run.replace('--rehearsal', '--rehearsal --toolchain portable'));
    const package_ = `out/${replay.version}/Escrow.Buddy-${replay.version}.pkg`;
    const made = ['linux', 'macos'].map((id) => existsSync(join(jobs[id]!.workspaces[0]!, package_)));
    expect(made).toEqual([true, true]);
  });

  it('makes a real rehearsal package and tells about it on the page of the run', () => {
    const [workspace] = jobs.linux!.workspaces;
    const summary = readFileSync(join(dirname(workspace!), 'summary.md'), 'utf8');
    expect(existsSync(join(workspace!, 'out', replay.version, `Escrow.Buddy-${replay.version}.pkg`))).toBe(true);
    for (const words of [
      'No Mac trusts this package',
      '| staple | done |',
      '| verify | done |',
      `Escrow.Buddy-${replay.version}.pkg`,
    ])
      expect(summary).toContain(words);
  });
});
