import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CASES, CASES_OF_KEYS, CASES_OF_SERVICE, told } from './cases.ts';
import { JOB_PATIENCE, logOf, resultsOf, scratchFolders } from './jobs.ts';
import { makeReplay, type Replay, replayNeeds } from './replay.ts';
import type { Run } from './runner.ts';

vi.setConfig(JOB_PATIENCE);

const scratch = scratchFolders();

/** One release to which everything happens, in the order it would; each `it` goes on where the one before ended. */
describe.skipIf(replayNeeds.missing)(`a release to which everything happens${replayNeeds.note}`, () => {
  const played: string[] = [];
  let replay: Replay;
  let run: Run;
  let red = '';
  const answersOfWait = () => join(replay.scratch, 'answers-of-wait');
  const ends = (name: string, { jobs }: Run) => {
    played.push(name);
    expect(resultsOf(jobs), logOf(jobs)).toMatchObject(told(name));
  };

  beforeAll(async () => {
    replay = await makeReplay(scratch(), {
      quick: true,
      kill: { at: 'release.yml/staple', step: 'Wait, staple, verify', when: isLogged },
      onMac: (image) => ({ SMOKE_FAULT: image === red ? 'dyld-arm64' : '' }),
    });
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

  it('the first key is approved: the code is signed and stamped, and the second one waits for an approval of its own', async () => {
    replay.runner.approved.add('release.yml/code-key');
    run = await replay.runner.rerun(run);
    ends('the first key is approved', run);
  });

  it('the second key is rejected: nothing is put together, and a re-run asks for that key alone', async () => {
    replay.runner.unapproved.clear();
    replay.runner.rejected.add('release.yml/packages-key');
    const used = () => replay.runner.executed.filter(({ at }) => at === 'release.yml/code-key').length;
    const before = used();
    run = await replay.runner.rerun(run);
    ends('the second key is rejected', run);
    replay.runner.rejected.clear();
    replay.runner.unapproved.add('signing');
    run = await replay.runner.rerun(run);
    expect(resultsOf(run.jobs), logOf(run.jobs)).toMatchObject({ packages: 'success', 'packages-key': 'waiting' });
    expect(used()).toBe(before);
  });

  it('a wait over night: turn after turn without a person; then the job dies that was about to staple', async () => {
    // Of those that come to an answer the first turn and the last really ask.
    writeFileSync(answersOfWait(), '5\n5\n5\nask\n0\n0\n0\n');
    replay.runner.unapproved.clear();
    run = await replay.runner.rerun(run);
    played.push('a wait over night');
    expect(run.jobs.wait, logOf(run.jobs)).toMatchObject({ result: told('a wait over night').wait });
    expect(run.jobs.wait!.workspaces).toHaveLength(8);
    ends('a job that dies', run);
    expect(replay.submissions()).toBe(4);
  });

  it('smoke red on one image: nothing is attested, nothing published', async () => {
    red = 'macos-26';
    run = await replay.runner.rerun(run);
    ends('smoke red on one image', run);
    expect(run.jobs.smoke!.log).toContain('dyld would refuse the slice for arm64');
    expect(replay.github().releases).toEqual([]);
    red = '';
  });

  it('a tag rule: the draft stays, and the rule is named', async () => {
    replay.change((state) => {
      state.tagRule = true;
    });
    const before = replay.runner.executed.length;
    run = await replay.runner.rerun(run);
    ends('a tag rule', run);
    // Of all images only the one that was red is tried again.
    const tried = replay.runner.executed.slice(before).map(({ env }) => env.IMAGE ?? '');
    expect(tried.filter((image) => image !== '')).toEqual(['macos-26']);
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
    expect(replay.github().releases).toMatchObject([
      { draft: false, immutable: true, target_commitish: replay.commit },
    ]);
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
    replay.runner.approved.clear();
    replay.runner.unapproved.add('signing');
    const payload = { client_payload: { version: replay.version } };
    const anew = await replay.start('release.yml', { event: 'repository_dispatch', payload });
    expect(resultsOf(anew.jobs), logOf(anew.jobs)).toMatchObject({ code: 'success', 'code-key': 'waiting' });
    expect(anew.commit).not.toBe(replay.commit);
  });

  it('Apple refuses: no further turn is taken, nothing is stapled', async () => {
    const earlier = { ...run.jobs, wait: { ...run.jobs.wait!, result: 'failure' as const, legs: [] } };
    writeFileSync(answersOfWait(), '4\n');
    // The artifacts of the run are gone by now; what is looked at is what the script makes of the answer.
    replay.runner.artifacts.restore();
    ends('Apple refuses', await replay.runner.rerun({ ...run, jobs: earlier }));
  });

  afterAll(() => {
    if (played.length > 0) expect(played.sort()).toEqual([...CASES].sort());
  });
});

/** The notary's verdict is there, the ticket is not yet stapled. */
function isLogged(workspace: string): boolean {
  const out = join(workspace, 'out');
  const [version] = existsSync(out) ? readdirSync(out) : [];
  return version !== undefined && existsSync(join(out, version, 'notary-log.json'));
}

describe('docs/releasing.md', () => {
  it('has a row for each case that is played, and none more', () => {
    const page = readFileSync('docs/releasing.md', 'utf8');
    const section = page.slice(page.indexOf('### What is played'), page.indexOf('### What else may happen'));
    const rows = [...section.matchAll(/^\| ([^|]+) \| `/gm)].map(([, name]) => name);
    expect(rows.sort()).toEqual([...CASES, ...CASES_OF_KEYS, ...CASES_OF_SERVICE].sort());
  });
});
