import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { SMOKE_IMAGES } from '../../build/github/release/verdicts.ts';
import { sha256 } from '../support/file-digest.ts';
import { JOB_PATIENCE, logOf, resultsOf, scratchFolders } from './jobs.ts';
import { makeReplay, type Replay, replayNeeds } from './replay.ts';
import type { JobResult } from './schedule.ts';

vi.setConfig(JOB_PATIENCE);

const scratch = scratchFolders();
const ALL = [
  ...['plan', 'build', 'review', 'code', 'code-key', 'packages', 'packages-key', 'signed', 'submit', 'wait', 'staple'],
  ...['look', 'smoke', 'attest', 'publish', 'verify'],
];
/** The keys are secrets of an environment here, used on Linux, so the jobs of key services and of a Mac are skipped. */
const OTHERS = { 'code-service': 'skipped', 'packages-service': 'skipped', sign: 'skipped' };
const everyJob = (result: string) => ({ ...Object.fromEntries(ALL.map((id) => [id, result])), ...OTHERS });

describe.skipIf(replayNeeds.missing)(`release.yml, from merge to published release${replayNeeds.note}`, () => {
  let replay: Replay;
  let jobs: Readonly<Record<string, JobResult>>;
  beforeAll(async () => {
    replay = await makeReplay(scratch(), { short: true });
    ({ jobs } = await replay.start('release.yml'));
  });

  it('ends every job well', () => expect(resultsOf(jobs), logOf(jobs)).toEqual(everyJob('success')));

  it('publishes one immutable release whose tag is the commit that was merged', () => {
    const { releases, tags } = replay.github();
    expect(releases).toHaveLength(1);
    expect(releases[0]).toMatchObject({ tag_name: `v${replay.version}`, draft: false, immutable: true });
    expect(tags).toEqual({ [`v${replay.version}`]: replay.commit });
  });

  it('uploads the package first, as the only .pkg, and every asset has the digest of the finished file', () => {
    const { assets } = replay.github().releases[0]!;
    expect(assets[0]?.name).toBe(`Escrow.Buddy-${replay.version}.pkg`);
    expect(assets.filter(({ name }) => name.endsWith('.pkg'))).toHaveLength(1);
    const folder = join(jobs.staple!.workspaces[0]!, 'out', replay.version);
    const later = ['EscrowBuddy.intoto.jsonl', 'smoke-verdicts.jsonl'];
    for (const { name, digest } of assets.filter(({ name }) => !later.includes(name)))
      expect(digest).toBe(`sha256:${sha256(join(folder, name))}`);
  });

  it('publishes exactly the set of assets, the notary log among them', () => {
    const names = replay.github().releases[0]!.assets.map(({ name }) => name);
    expect(names).toEqual([
      `Escrow.Buddy-${replay.version}.pkg`,
      `EscrowBuddy-${replay.version}-mdm-kit.zip`,
      'SHA256SUMS',
      'release.json',
      'EscrowBuddy.intoto.jsonl',
      'EscrowBuddy.cdx.json',
      'verify-report.json',
      'report.html',
      'smoke-verdicts.jsonl',
      'notary-log.json',
    ]);
  });

  it('attests every asset, and of the package also its SBOM, which names the commit', () => {
    const { releases, attested, described } = replay.github();
    const digests = releases[0]!.assets.map(({ name, digest }) => [name, digest.slice('sha256:'.length)] as const);
    for (const [name, digest] of digests)
      expect([name, attested[digest]]).toEqual([name, name === 'EscrowBuddy.intoto.jsonl' ? undefined : replay.commit]);
    expect(described).toEqual({ [digests[0]![1]]: replay.commit });
    const bundles = readFileSync(join(jobs.attest!.workspaces[0]!, 'EscrowBuddy.intoto.jsonl'), 'utf8');
    const [provenance, sbom, ...others] = bundles
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect([others, provenance.predicate]).toEqual([[], undefined]);
    expect(sbom.predicate.metadata.component.pedigree.commits).toEqual([{ uid: replay.commit }]);
  });

  it("names its Xcode to every step on a Mac, and none on Linux, where the configuration's tools run", () => {
    for (const { at, env } of replay.runner.executed) {
      const chosen = /^(build|release)\.yml\/(parts|again|submit|staple)$/.test(at) ? '' : undefined;
      const xcode = { 'macos-15': '16.4', 'macos-15-intel': '16.4', 'xcode-27': '27.0' }[env.IMAGE ?? ''] ?? '26.6';
      if (at !== 'release.yml/smoke') expect([at, env.DEVELOPER_DIR]).toEqual([at, chosen]);
      else if (env.IMAGE) expect(env.DEVELOPER_DIR).toBe(`/Applications/Xcode_${xcode}.app/Contents/Developer`);
    }
  });

  it('tells on the page what changed, whose package it is and how to check it', () => {
    const { body } = replay.github().releases[0]!;
    for (const words of [
      '### Added',
      'REHEARSAL0',
      'com.netflix.Escrow-Buddy',
      'gh attestation verify',
      'EscrowBuddy.cdx.json',
    ])
      expect(body).toContain(words);
  });

  it('submits each of the four packages once', () => expect(replay.submissions()).toBe(4));

  it('gives each signing key to one step of one job, and a token to jobs without secrets alone', () => {
    const holding = (name: string) =>
      replay.runner.executed.filter(({ env }) => name in env).map(({ at, run }) => `${at}: ${run.slice(0, 26)}`);
    expect(holding('APPLICATION_P12_BASE64')).toEqual(['release.yml/code-key: sh build/signers/sealed.sh']);
    expect(holding('INSTALLER_P12_BASE64')).toEqual(['release.yml/packages-key: sh build/signers/sealed.sh']);
    const notary = replay.runner.executed.filter(({ env }) => 'NOTARY_KEY' in env).map(({ at }) => at);
    expect(notary).toEqual(['release.yml/submit', 'release.yml/wait', 'release.yml/staple']);
    for (const { env } of replay.runner.executed)
      expect('GH_TOKEN' in env && ('NOTARY_KEY' in env || 'APPLICATION_P12_BASE64' in env)).toBe(false);
  });

  it('leaves no byte of a signing key in any artifact or in the folder of another job', () => {
    const holds = (folder: string): string[] =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .filter((path) => replay.signingKeys.some((key) => readFileSync(path).includes(key)));
    const all = ALL.flatMap((id) => jobs[id]!.workspaces);
    for (const folder of [join(replay.scratch, 'artifacts'), join(replay.scratch, 'apple/notary'), ...all])
      expect(holds(folder)).toEqual([]);
    for (const secret of Object.values(replay.runner.options.secrets.signing!))
      expect(JSON.stringify(Object.values(jobs).map(({ outputs, log }) => [outputs, log]))).not.toContain(secret);
  });

  it('runs the shell of the commit beside a key, and brings nothing there that npm made', () => {
    for (const id of ['code-key', 'packages-key']) {
      const [workspace] = jobs[id]!.workspaces;
      expect(readdirSync(workspace!)).not.toContain('cli.mjs');
      const made = execFileSync('git', ['status', '--porcelain'], { cwd: workspace!, encoding: 'utf8' });
      const role = id === 'code-key' ? 'application' : 'installer';
      expect(made).toBe(`?? ${role}.json\n?? signatures.txt\n`);
      const commands = replay.runner.executed.filter(({ at }) => at === `release.yml/${id}`).map(({ run }) => run);
      expect(commands).toHaveLength(2);
      for (const command of commands) expect(command).toMatch(/^sh build\/signers\/(sealed|check-signatures)\.sh /);
    }
  });

  it('looks for every signature that the keys made', () => {
    expect(jobs.look!.log).toContain('every signature is in the 4 packages');
    const made = (id: string) => JSON.parse(jobs[id]!.outputs.signed!).signatures.length;
    expect([made('code-key'), made('packages-key')]).toEqual([2, 8]);
  });

  it('keeps a checkout out of every sealed job', () => {
    for (const id of ['code', 'packages', 'signed', 'submit', 'wait', 'staple', 'publish']) {
      expect(existsSync(join(jobs[id]!.workspaces[0]!, 'build/cli.ts'))).toBe(false);
      expect(existsSync(join(jobs[id]!.workspaces[0]!, 'cli.mjs'))).toBe(true);
    }
  });

  it('tells before the approval what is about to be signed', () => {
    const summary = readFileSync(join(jobs.review!.workspaces[0]!, '../summary.md'), 'utf8');
    for (const words of [
      `About to be signed: ${replay.version}`,
      replay.commit,
      'cli.mjs',
      'code for arm64',
      'no earlier release',
    ])
      expect(summary).toContain(words);
  });

  it('publishes what each Mac found, bound to the very package', () => {
    const text = readFileSync(join(jobs.publish!.workspaces[0]!, 'smoke-verdicts.jsonl'), 'utf8');
    const verdicts = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(verdicts.map(({ image }) => image)).toEqual([...SMOKE_IMAGES]);
    const [package_] = replay.github().releases[0]!.assets;
    for (const { package: tried } of verdicts) expect(`sha256:${tried.sha256}`).toBe(package_?.digest);
    expect(verdicts.at(-1).skipped).toEqual([{ id: 'load-x86_64', reason: 'Rosetta 2 is not installed' }]);
  });

  it('names every artifact by its attempt', () => {
    expect(replay.runner.artifacts.names()).toEqual(['parts-1', 'signed-1', 'submitted-1', 'finished-1', 'attested-1']);
  });

  it('does nothing on the next merge with the same version', async () => {
    const next = await replay.start('release.yml');
    expect(resultsOf(next.jobs), logOf(next.jobs)).toEqual({ ...everyJob('skipped'), plan: 'success' });
    expect(replay.github().releases).toHaveLength(1);
  });
});
