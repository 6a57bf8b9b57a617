import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ofTheDay } from '../support/by-day.ts';
import { CASES_OF_SERVICE, poisonFor, told, WHOLE_OF_SERVICE } from './cases.ts';
import { JOB_PATIENCE, logOf, resultsOf, scratchFolders } from './jobs.ts';
import { makeReplay, type Replay, replayNeeds } from './replay.ts';
import type { Run } from './runner.ts';

vi.setConfig(JOB_PATIENCE);

const scratch = scratchFolders();

/** The same project with its keys in a service: who signs is chosen by a variable, and no job holds a key. */
describe.skipIf(replayNeeds.missing)(`a release with keys in a service${replayNeeds.note}${ofTheDay}`, () => {
  const toTheEnd = ofTheDay === '';
  // Of the jobs after `signed` only the look knows who signed: test/build/look asks it every day.
  const today = toTheEnd ? WHOLE_OF_SERVICE : WHOLE_OF_SERVICE.slice(0, 1);
  const played: string[] = [];
  let replay: Replay;
  const ends = (name: string, { jobs }: Run) => {
    played.push(name);
    expect(resultsOf(jobs), logOf(jobs)).toMatchObject(told(name));
  };
  beforeAll(async () => {
    replay = await makeReplay(scratch(), { short: true, quick: true, keys: 'aws' });
  });
  afterAll(() => replay.service?.close());

  it('both variants are chosen: the configuration says one, the variable the other', async () => {
    replay.runner.options.variables.SIGNING_KEYS = '';
    const run = await replay.start('release.yml');
    ends('both variants are chosen', run);
    expect(run.jobs.plan!.log).toContain('SIGNING_KEYS does not choose one');
  });

  it('neither variant is chosen: the variable names a service that is not set up', async () => {
    for (const [value, words] of [
      ['gcp', 'SIGNING_KEYS says "gcp"'],
      ['azure', 'must be sh, build/signers/azure-key-vault.sh'],
    ] as const) {
      replay.runner.options.variables.SIGNING_KEYS = value;
      const run = await replay.start('release.yml');
      ends('neither variant is chosen', run);
      expect(run.jobs.plan!.log).toContain(words);
    }
  });

  if (today.includes('keys in a service'))
    it('keys in a service: two approvals, one for each key, then the rest as ever', async () => {
      replay.runner.options.variables.SIGNING_KEYS = 'aws';
      replay.runner.unapproved.add('signing');
      const waiting = await replay.start('release.yml');
      expect(resultsOf(waiting.jobs), logOf(waiting.jobs)).toMatchObject({
        'code-service': 'waiting',
        'code-key': 'skipped',
        submit: 'waiting',
      });
      expect(replay.service!.audiences).toEqual([]);
      replay.runner.approved.add('release.yml/code-service');
      const second = await replay.runner.rerun(waiting);
      expect(resultsOf(second.jobs), logOf(second.jobs)).toMatchObject({
        'packages-service': 'waiting',
        signed: 'waiting',
      });
      replay.runner.unapproved.clear();
      if (!toTheEnd) replay.runner.cancelAt = 'release.yml/submit';
      const run = await replay.runner.rerun(second);
      played.push('keys in a service');
      const { submit, publish, verify, ...toTheSignatures } = told('keys in a service');
      const later = { submit, look: 'success', publish, verify };
      const ending = { ...toTheSignatures, signed: 'success', ...(toTheEnd && later) };
      expect(resultsOf(run.jobs), logOf(run.jobs)).toMatchObject(ending);
      const published = { draft: false, target_commitish: replay.commit };
      expect(replay.github().releases).toMatchObject(toTheEnd ? [published] : []);
      expect(replay.service!.audiences).toEqual(['sts.amazonaws.com', 'sts.amazonaws.com']);
    });

  if (today.includes('a signature that belongs to nothing'))
    it('a signature that belongs to nothing: a poisoned package has one made, and the look finds that no package needs it', async () => {
      const poisoned = await makeReplay(scratch(), {
        short: true,
        quick: true,
        keys: 'aws',
        poison: poisonFor('installer'),
      });
      poisoned.runner.options.variables.SIGNING_KEYS = 'aws';
      const run = await poisoned.start('release.yml');
      poisoned.service?.close();
      ends('a signature that belongs to nothing', run);
      expect(run.jobs['packages-service']!.log).toContain(`check-signatures: installer signed ${'1'.repeat(64)}`);
      expect(run.jobs.look!.log).toContain('DIFFERS INSTALLER: a signature that no package needs');
    });

  if (today.includes('keys in a service'))
    it('no secret is named to any of its jobs, no token to one that runs npm, and no key lies anywhere', () => {
      const { executed } = replay.runner;
      const ofKeys = executed.filter(({ at }) => /^release.yml\/(code|packages|signed)/.test(at));
      expect(ofKeys.length).toBeGreaterThan(15);
      for (const { at, env, run } of ofKeys) {
        expect(Object.keys(env).filter((name) => /P12|NOTARY|GH_TOKEN/.test(name))).toEqual([]);
        if (/-service$/.test(at)) expect(run).not.toMatch(/node|npm/);
      }
      expect(executed.filter(({ at }) => /\/(sign|.*-key)$/.test(at))).toEqual([]);
    });

  afterAll(() => {
    const quick = CASES_OF_SERVICE.filter((name) => !WHOLE_OF_SERVICE.includes(name));
    if (played.length > 0) expect([...new Set(played)].sort()).toEqual([...quick, ...today].sort());
  });
});
