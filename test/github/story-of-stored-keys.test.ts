import { afterAll, describe, expect, it, vi } from 'vitest';
import { byDay, ofTheDay } from '../support/by-day.ts';
import { CASES_OF_KEYS, poisonFor, told } from './cases.ts';
import { JOB_PATIENCE, logOf, resultsOf, scratchFolders } from './jobs.ts';
import { makeReplay, replayNeeds } from './replay.ts';
import type { Run } from './runner.ts';

vi.setConfig(JOB_PATIENCE);

const scratch = scratchFolders();

/** Other releases, up to where their keys are used and what comes of it. */
describe.skipIf(replayNeeds.missing)(`a release whose keys are used on Linux${replayNeeds.note}${ofTheDay}`, () => {
  const today = byDay(CASES_OF_KEYS, 1);
  const played: string[] = [];
  const ends = (name: string, { jobs }: Run) => {
    played.push(name);
    expect(resultsOf(jobs), logOf(jobs)).toMatchObject(told(name));
  };
  /** As if a secret had been forgotten, or its name had a slip. */
  async function without(prefix: string): Promise<Run> {
    const replay = await makeReplay(scratch(), { short: true, quick: true });
    const { secrets } = replay.runner.options;
    const left = Object.entries(secrets.signing!).filter(([name]) => !name.startsWith(prefix));
    secrets.signing = Object.fromEntries(left);
    return replay.start('release.yml');
  }

  if (today.includes('missing secrets'))
    it('missing secrets: nothing is signed, and the first one is named', async () => {
      const run = await without('');
      ends('missing secrets', run);
      expect(run.jobs['code-key']!.log).toContain('APPLICATION_P12_BASE64 is not set');
    });

  if (today.includes('a secret of one key is missing'))
    it('a secret of one key is missing: the other key is used, and nothing is put together', async () => {
      const run = await without('INSTALLER_P12_PASSWORD');
      ends('a secret of one key is missing', run);
      expect(run.jobs['packages-key']!.log).toContain('INSTALLER_P12_PASSWORD is not set');
    });

  if (today.includes('more digests than slices'))
    it('more digests than slices: a poisoned package asks for a signature of its own, and no key is used', async () => {
      const replay = await makeReplay(scratch(), { short: true, quick: true, poison: poisonFor('application') });
      const run = await replay.start('release.yml');
      ends('more digests than slices', run);
      expect(run.jobs['code-key']!.log).toContain('--digests is not from 1 to 2 digests');
    });

  afterAll(() => {
    if (played.length > 0) expect(played.sort()).toEqual([...today].sort());
  });
});
