import { describe, expect, it, vi } from 'vitest';
import { readPins } from '../../build/github/upkeep/pins.ts';
import { JOB_PATIENCE, logOf, resultsOf, scratchFolders } from './jobs.ts';
import { makeReplay } from './replay.ts';
import { scriptsOf } from './workflow.ts';

vi.setConfig(JOB_PATIENCE);

const scratch = scratchFolders();

describe('expiry.yml', () => {
  it('opens one issue with what it found, keeps it up to date, and closes it', async () => {
    const replay = await makeReplay(scratch(), { short: true, quick: true });
    const pins = await readPins('.');
    const pinned = Object.fromEntries(
      Object.entries(pins).map(([action, { tag, commit }]) => [`${action}@${tag}`, commit]),
    );
    replay.change((state) => {
      state.commits = { ...pinned, 'actions/checkout@v7.0.1': 'f'.repeat(40) };
    });
    const { jobs } = await replay.start('expiry.yml');
    // Without a key the notary is not asked, and that is a finding.
    expect(resultsOf(jobs), logOf(jobs)).toEqual({
      certificates: 'success',
      pins: 'success',
      parts: 'success',
      platforms: 'success',
      notary: 'failure',
      issue: 'success',
    });
    expect(logOf(jobs)).toContain('NOTARY_KEY, NOTARY_KEY_ID, NOTARY_ISSUER_ID');
    expect(replay.runner.executed.map(({ at, run }) => `${at}: ${run}`)).toEqual(scriptsOf('expiry.yml'));
    const [issue] = replay.github().issues;
    expect(issue?.body).toContain('actions/checkout: v7.0.1 is now at ffff');
    expect(issue?.body).toContain('the check itself ended with: failure');
  });
});

describe('an artifact that another job changed', () => {
  it('stops the job that fetches it before anything of it runs', async () => {
    const replay = await makeReplay(scratch(), {
      short: true,
      quick: true,
      kill: { at: 'release.yml/code', step: 'Begin' },
    });
    const first = await replay.start('release.yml');
    expect(first.jobs.code?.result, logOf(first.jobs)).toBe('failure');
    replay.runner.artifacts.tamper('parts-1', (bytes) =>
      Buffer.from(bytes.toString('latin1').replace('release', 'releasf'), 'latin1'),
    );
    const { jobs } = await replay.runner.rerun(first);
    expect(jobs.code).toMatchObject({ result: 'failure' });
    expect(jobs.code?.log).toContain('parts.tar: FAILED');
    expect(replay.runner.executed.at(-1)?.step).toBe('Check and unpack the parts');
  });
});
