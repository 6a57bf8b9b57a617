import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolders } from '../github/jobs.ts';
import { makeReplay } from '../github/replay.ts';

const scratch = scratchFolders();

/** What release.json of a job's folder says of the submission, as text. */
function submission(workspace: string): string {
  const out = join(workspace, 'out');
  const [version] = existsSync(out) ? readdirSync(out) : [];
  const file = version && join(out, version, 'release.json');
  return file && existsSync(file) ? (/"status": "([^"]*)"/.exec(readFileSync(file, 'utf8'))?.[1] ?? '') : '';
}

/** Where a job is killed, and how many submissions the notary may have seen in the end. */
const KILLS = [
  { at: 'release.yml/plan', step: 'Decide', when: () => true, submissions: 1 },
  {
    at: 'release.yml/sign',
    step: 'Put the signatures in',
    when: (folder: string) => existsSync(join(folder, 'out')),
    submissions: 1,
  },
  { at: 'release.yml/submit', step: 'Submit to the notary', when: () => true, submissions: 1 },
  // Announced, and perhaps not uploaded: then the notary never checks it, and a second one is needed.
  {
    at: 'release.yml/submit',
    step: 'Submit to the notary',
    when: (folder: string) => submission(folder) !== '',
    submissions: 2,
  },
  { at: 'release.yml/staple', step: 'Wait, staple, verify', when: () => true, submissions: 1 },
  { at: 'release.yml/smoke', step: 'Install, use, uninstall', when: () => true, submissions: 1 },
  { at: 'release.yml/publish', step: 'Publish', when: () => true, submissions: 1 },
  { at: 'release.yml/verify', step: 'Download and check', when: () => true, submissions: 1 },
];

describe('release.yml on all images', () => {
  it.each(KILLS)(
    'killed in $at and run again: one release, nothing submitted in vain',
    async ({ submissions, ...kill }) => {
      const replay = await makeReplay(scratch(), { kill });
      const first = await replay.start('release.yml');
      expect(Object.values(first.jobs).some(({ result }) => result === 'failure')).toBe(true);
      const second = await replay.runner.rerun(first);
      for (const [id, { result, log }] of Object.entries(second.jobs)) expect(result, `${id}\n${log}`).toBe('success');
      expect(replay.submissions()).toBeLessThanOrEqual(submissions);
      expect(replay.github().releases).toMatchObject([{ draft: false, immutable: true }]);
    },
  );
});
