import { describe, expect, it, vi } from 'vitest';
import { JOB_PATIENCE, scratchFolders } from '../github/jobs.ts';
import { makeReplay } from '../github/replay.ts';

vi.setConfig(JOB_PATIENCE);

const scratch = scratchFolders();

/** Where a job is killed, and how many submissions of the four packages the notary may have seen in the end. */
const KILLS = [
  { at: 'release.yml/plan', step: 'Decide', submissions: 4 },
  { at: 'release.yml/signed', step: 'Put the signatures in', words: '5/6 build-package', submissions: 4 },
  { at: 'release.yml/submit', step: 'Submit to the notary', submissions: 4 },
  // Announced, and perhaps not uploaded: then the notary never checks it, and another one is needed.
  { at: 'release.yml/submit', step: 'Submit to the notary', words: 'uploading', submissions: 5 },
  { at: 'release.yml/staple', step: 'Wait, staple, verify', submissions: 4 },
  { at: 'release.yml/smoke', step: 'Install, use, uninstall', submissions: 4 },
  { at: 'release.yml/publish', step: 'Publish', submissions: 4 },
  { at: 'release.yml/verify', step: 'Download and check', submissions: 4 },
];

describe('release.yml on all images', () => {
  it.each(KILLS.map((kill) => [kill.at, kill.words ?? 'its beginning', kill] as const))(
    'killed in %s at %s and run again: one release, nothing submitted in vain',
    async (_at, _moment, { submissions, ...kill }) => {
      const replay = await makeReplay(scratch(), { kill });
      const first = await replay.start('release.yml');
      const killed = kill.at.replace('release.yml/', '');
      expect(first.jobs[killed]?.result, first.jobs[killed]?.log).toBe('failure');
      const second = await replay.runner.rerun(first);
      for (const [id, { result, log }] of Object.entries(second.jobs))
        expect(result, `${id}\n${log}`).toBe(NOT_NEEDED.includes(id) ? 'skipped' : 'success');
      expect(replay.submissions()).toBeLessThanOrEqual(submissions);
      expect(replay.github().releases).toMatchObject([{ draft: false, immutable: true }]);
    },
  );
});

/** The keys are stored, so neither a key service nor a Mac signs. */
const NOT_NEEDED = ['code-service', 'packages-service', 'sign'];
