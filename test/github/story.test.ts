import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { byDay, ofTheDay } from '../support/by-day.ts';
import { JOB_PATIENCE, logOf, resultsOf, scratchFolders } from './jobs.ts';
import { makeReplay, type Replay, replayNeeds } from './replay.ts';
import type { Run } from './runner.ts';

vi.setConfig(JOB_PATIENCE);

const scratch = scratchFolders();

/** What docs/releasing.md says of a case: how jobs end, by name. Rows: `| case | `job: result`, ... | what to do |`. */
function told(name: string): Record<string, string> {
  const row = readFileSync('docs/releasing.md', 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`| ${name} |`));
  const endings = [...(row?.split('|')[2] ?? '').matchAll(/`([\w-]+): (\w+)`/g)].map(([, job, result]) => [
    job,
    result,
  ]);
  expect(endings.length, `docs/releasing.md has no row "${name}" with endings`).toBeGreaterThan(0);
  return Object.fromEntries(endings);
}
const CASES = [
  'a lone maintainer',
  'two merges in a row',
  'the first key is approved',
  'the second key is rejected',
  'a wait over night',
  'a job that dies',
  'smoke red on one image',
  'an answer that is lost',
  'a tag rule',
  'an expired artifact',
  'Apple refuses',
];
/** Each is a release of its own, and by day one of them is played. */
const CASES_OF_KEYS = ['missing secrets', 'a secret of one key is missing', 'more digests than slices'];
/** Each is a release to the look at least, and by day one of them is played. */
const WHOLE_OF_SERVICE = ['keys in a service', 'a signature that belongs to nothing'];
const CASES_OF_SERVICE = ['both variants are chosen', 'neither variant is chosen', ...WHOLE_OF_SERVICE];

/** Stands for code of a dependency: it asks for a signature of its own and says nothing when that comes back. */
const poisonFor = (role: 'application' | 'installer') => (commandLine: string) =>
  commandLine
    .replace(
      'output("digests",lines.join(" "))',
      `output("digests",[...lines,...(role==="${role}"?["${'1'.repeat(64)}"]:[])].join(" "))`,
    )
    .replace('if(next===tape.length)return;', 'return;');

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

/** The same project with its keys in a service: who signs is chosen by a variable, and no job holds a key. */
describe.skipIf(replayNeeds.missing)(`a release with keys in a service${replayNeeds.note}${ofTheDay}`, () => {
  const today = byDay(WHOLE_OF_SERVICE, 1);
  // No job after the look knows who signed: by day only a release with stored keys goes on (replay.test.ts).
  const toTheEnd = byDay(['at night'], 0).length > 0;
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
      if (!toTheEnd) replay.runner.cancelAt = 'release.yml/smoke';
      const run = await replay.runner.rerun(second);
      played.push('keys in a service');
      const { publish, verify, ...toTheLook } = told('keys in a service');
      const ending = { ...toTheLook, look: 'success', ...(toTheEnd && { publish, verify }) };
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
