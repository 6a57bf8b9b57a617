import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ofTheDay } from '../support/by-day.ts';
import { CASES_OF_APPROVALS, told } from './cases.ts';
import { filesWith, JOB_PATIENCE, logOf, resultsOf, scratchFolders } from './jobs.ts';
import { makeReplay, type Replay, replayNeeds } from './replay.ts';
import type { Run } from './runner.ts';

vi.setConfig(JOB_PATIENCE);

const scratch = scratchFolders();
/** The jobs of this story. */
const OURS = ['code', 'code-key', 'packages', 'packages-key', 'signed'];
/** The keys are secrets of an environment here, used on Linux, so the jobs of key services and of a Mac are skipped. */
const OTHERS = { 'code-service': 'skipped', 'packages-service': 'skipped', sign: 'skipped' };

/** A release that waits for approvals; each `it` goes on where the one before ended. Before: story-of-merges; after: story-of-notary. */
describe.skipIf(replayNeeds.missing)(`a release whose signing is approved${replayNeeds.note}${ofTheDay}`, () => {
  const played: string[] = [];
  let replay: Replay;
  let run: Run;
  const ends = (name: string, { jobs }: Run) => {
    played.push(name);
    expect(resultsOf(jobs), logOf(jobs)).toMatchObject(told(name));
  };

  beforeAll(async () => {
    replay = await makeReplay(scratch(), { quick: true, anew: /release.yml\/(code|packages|signed)/ });
    replay.runner.unapproved.add('signing');
    run = await replay.start('release.yml');
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

  it('is signed once both are approved', async () => {
    replay.runner.unapproved.clear();
    replay.runner.cancelAt = 'release.yml/submit';
    run = await replay.runner.rerun(run);
    const signed = { ...Object.fromEntries(OURS.map((id) => [id, 'success'])), ...OTHERS };
    expect(resultsOf(run.jobs), logOf(run.jobs)).toMatchObject(signed);
    expect(replay.runner.artifacts.names()).toEqual(['parts-1', `signed-${run.attempt}`]);
  });

  it('gives each signing key to one step of one job, and a token to jobs without secrets alone', () => {
    const holding = (name: string) =>
      replay.runner.executed.filter(({ env }) => name in env).map(({ at, run }) => `${at}: ${run.slice(0, 26)}`);
    expect(holding('APPLICATION_P12_BASE64')).toEqual(['release.yml/code-key: sh build/signers/sealed.sh']);
    expect(holding('INSTALLER_P12_BASE64')).toEqual(['release.yml/packages-key: sh build/signers/sealed.sh']);
    expect(new Set(replay.runner.executed.filter(({ env }) => 'GH_TOKEN' in env).map(({ at }) => at))).toEqual(
      new Set(['release.yml/plan']),
    );
  });

  it('leaves no byte of a signing key in any artifact or in the folder of another job', () => {
    const folders = [join(replay.scratch, 'artifacts'), ...OURS.flatMap((id) => run.jobs[id]!.workspaces)];
    expect(filesWith(replay.signingKeys, folders)).toBe('');
    for (const secret of Object.values(replay.runner.options.secrets.signing!))
      expect(JSON.stringify(Object.values(run.jobs).map(({ outputs, log }) => [outputs, log]))).not.toContain(secret);
  });

  it('runs the shell of the commit beside a key, and brings nothing there that npm made', () => {
    for (const id of ['code-key', 'packages-key']) {
      const [workspace] = run.jobs[id]!.workspaces;
      expect(readdirSync(workspace!)).not.toContain('cli.mjs');
      const made = execFileSync('git', ['status', '--porcelain'], { cwd: workspace!, encoding: 'utf8' });
      const role = id === 'code-key' ? 'application' : 'installer';
      expect(made).toBe(`?? ${role}.json\n?? signatures.txt\n`);
      const commands = replay.runner.executed.filter(({ at }) => at === `release.yml/${id}`).map(({ run }) => run);
      expect(commands).toHaveLength(2);
      for (const command of commands) expect(command).toMatch(/^sh build\/signers\/(sealed|check-signatures)\.sh /);
    }
    const made = (id: string) => JSON.parse(run.jobs[id]!.outputs.signed!).signatures.length;
    expect([made('code-key'), made('packages-key')]).toEqual([2, 8]);
  });

  it('keeps a checkout out of every sealed job', () => {
    for (const id of ['code', 'packages', 'signed']) {
      expect(existsSync(join(run.jobs[id]!.workspaces[0]!, 'build/cli.ts'))).toBe(false);
      expect(existsSync(join(run.jobs[id]!.workspaces[0]!, 'cli.mjs'))).toBe(true);
    }
  });

  afterAll(() => {
    if (played.length > 0) expect(played.sort()).toEqual([...CASES_OF_APPROVALS].sort());
  });
});
