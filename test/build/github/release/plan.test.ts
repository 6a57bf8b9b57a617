import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderFindings } from '../../../../build/github/upkeep/issue.ts';
import { REHEARSAL_TEAM, type RehearsalAuthority } from '../../../../src/rehearsal/authority.ts';
import { placeGh } from '../../../github/fake-gh.ts';
import type { CliRun } from '../../../support/cli.ts';
import { inProcess } from '../../../support/in-process.ts';
import { placeCertificates } from '../../../support/stored-keys.ts';
import { testAuthority } from '../../../support/test-authority.ts';

let scratch: string;
let authority: RehearsalAuthority;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'plan-'));
  authority = await testAuthority(join(scratch, 'authority'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Project {
  /** Headings of CHANGELOG.md, newest first. */
  readonly heading?: string;
  /** What CHANGELOG.md said before, oldest first; the last one is the commit that is pushed. Nothing came before the first one. */
  readonly history?: readonly string[];
  /** How many commits the push brought; without it there is no event. */
  readonly pushed?: number;
  readonly dispatched?: object;
  readonly shallow?: boolean;
  readonly tags?: Readonly<Record<string, string>>;
  readonly toolchain?: string;
  /** Text of both certificates in the project; the rehearsal's by default. */
  readonly certificates?: string | null;
  /** The rehearsal's by default, whose certificates need only be there. */
  readonly team?: string;
}

/** Runs a command in a project of version 1.1.0 whose repository has these tags; returns its outputs too. */
async function run(
  command: string,
  project: Project,
  ...more: string[]
): Promise<CliRun & { outputs: string; page: string }> {
  const { heading = '## 1.1.0, 2026-11-24', tags = {}, toolchain = 'portable', history = [heading] } = project;
  const { team = REHEARSAL_TEAM } = project;
  const root = mkdtempSync(join(scratch, 'project-'));
  const state = `${root}-state`;
  mkdirSync(state);
  cpSync('package.json', join(root, 'package.json'));
  const config = JSON.parse(readFileSync('release.config.json', 'utf8'));
  writeFileSync(
    join(root, 'release.config.json'),
    JSON.stringify({ ...config, signing: { ...config.signing, toolchain, teamIdentifier: team } }),
  );
  const { certificates } = project;
  if (certificates === undefined) placeCertificates(root, authority);
  else if (certificates !== null) {
    mkdirSync(join(root, 'certificates'));
    for (const role of ['application', 'installer'])
      writeFileSync(join(root, `certificates/${role}.pem`), certificates);
  }
  const commits = history.map((headings) => commit(root, headings));
  writeFileSync(join(state, 'github.json'), JSON.stringify({ releases: [], tags, calls: [], faults: [] }));
  await placeGh(state, state);
  const env = {
    GITHUB_REPOSITORY: 'owner/name',
    GITHUB_SHA: 'a'.repeat(40),
    GH_TOKEN: 't',
    SIGNING_KEYS: toolchain === 'apple' ? 'keychain' : '',
    GITHUB_OUTPUT: join(state, 'output'),
    GITHUB_STEP_SUMMARY: join(state, 'page'),
    PATH: `${state}:${process.env.PATH}`,
    ...eventOf(state, project, commits),
  };
  for (const name of ['output', 'page']) writeFileSync(join(state, name), '');
  if (project.shallow) writeFileSync(join(root, '.git/shallow'), `${commits.at(-1)}\n`);
  const ended = await inProcess(['github', command, ...more], { env, cwd: root });
  const told = (name: string) => readFileSync(join(state, name), 'utf8');
  return { ...ended, outputs: told('output'), page: told('page') };
}

function commit(root: string, headings: string): string {
  const git = (...argv: string[]) =>
    execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.invalid', ...argv], {
      cwd: root,
      encoding: 'utf8',
    });
  if (!existsSync(join(root, '.git'))) git('init', '--quiet', '--initial-branch=main');
  writeFileSync(join(root, 'CHANGELOG.md'), `# Changelog\n\n${headings}\n\n- A line.\n`);
  git('add', '--all');
  git('commit', '--quiet', '--allow-empty', '--message', 'a change');
  return git('rev-parse', 'HEAD').trim();
}

function eventOf(state: string, { pushed, dispatched }: Project, commits: readonly string[]): Record<string, string> {
  if (pushed === undefined && dispatched === undefined) return {};
  const path = join(state, 'event.json');
  const before = commits.at(-1 - (pushed ?? 0)) ?? '0'.repeat(40);
  writeFileSync(path, JSON.stringify(dispatched ? { client_payload: dispatched } : { before }));
  return { GITHUB_EVENT_NAME: dispatched ? 'repository_dispatch' : 'push', GITHUB_EVENT_PATH: path };
}

describe('github plan', () => {
  it('releases a version that has a date and no tag', async () => {
    expect((await run('plan', { tags: { 'v1.0.0': 'b', 'v1.1.0-old': 'c', 'v1.1.00': 'd' } })).outputs).toBe(
      'release=true\nversion=1.1.0\ntag=v1.1.0\nkeys=stored\nrunner=ubuntu-24.04\ndeveloper-dir=\n',
    );
  });

  it.each([
    ['the tag is there', { tags: { 'v1.1.0': 'b' } }, 'v1.1.0 is published, at b'],
    ['the changelog gives no date', { heading: '## 1.1.0, not released' }, 'gives 1.1.0 no date'],
    ['a higher version is published', { tags: { 'v1.2.0': 'b' } }, '1.1.0 is below 1.2.0, which is published'],
  ])('does nothing when %s', async (_, project, words) => {
    const { outputs, stdout } = await run('plan', project);
    expect(outputs).toContain('release=false\n');
    expect(stdout).toContain(words);
  });

  const DATED = '## 1.1.0, 2026-11-24';
  const OPEN = '## 1.1.0, not released';
  it.each<[string, Project, boolean]>([
    ['the commit that gave the date', { history: [OPEN, DATED] }, true],
    ['the commit after it', { history: [OPEN, DATED, DATED] }, false],
    ['a push of several commits, the date among them', { history: [OPEN, DATED, DATED], pushed: 2 }, true],
    ['the next push', { history: [OPEN, DATED, DATED], pushed: 1 }, false],
    ['the first push of a branch', { history: [DATED], pushed: 1 }, true],
    ['a date that was taken back and given again', { history: [DATED, OPEN, DATED], pushed: 1 }, true],
    ['a date after a heading that was refused', { history: ['## 1.1.0, 2026-02-30', DATED], pushed: 1 }, true],
    [
      'a run without a merge that names the version',
      { history: [DATED, DATED], dispatched: { version: '1.1.0' } },
      true,
    ],
    ['a run without a merge that names another', { history: [DATED, DATED], dispatched: { version: '1.2.0' } }, false],
    ['a run without a merge that names none', { history: [DATED], dispatched: {} }, false],
  ])('one version is one package: %s', async (_, project, release) => {
    const { outputs, stdout, stderr } = await run('plan', project);
    expect(outputs, stderr).toContain(`release=${release}\n`);
    if (!release) expect(stdout).toContain('client_payload[version]=1.1.0');
  });

  it('refuses a checkout that does not know what came before', async () => {
    const { status, stderr } = await run('plan', { shallow: true });
    expect([status, stderr]).toEqual([2, expect.stringContaining('fetch-depth: 0')]);
  });

  it('tells which versions were skipped', async () => {
    const heading = '## 1.1.0, 2026-11-24\n\n## 1.0.9, 2026-11-01\n\n## 1.0.8, 2026-10-01\n\n## 1.0.7, not released';
    const { stdout, outputs } = await run('plan', { heading, tags: { 'v1.0.8': 'b' } });
    expect(outputs).toContain('release=true');
    expect(stdout).toContain('1.0.9 has a date in CHANGELOG.md and was never published');
    expect(stdout).not.toMatch(/1\.0\.[78] has/);
  });

  it.each([
    ['this one', { 'v1.0.8': 'b', 'v1.1.0': 'c' }],
    ['a higher one', { 'v1.0.8': 'b', 'v1.2.0': 'c' }],
    ['none', {}],
  ])('tells them, whatever is published: %s', async (_, tags) => {
    const dates = ['1.1.0', '1.0.10', '1.0.9', '1.0.5', '1.3.0'].map((version) => `## ${version}, 2026-11-24`);
    const { stdout } = await run('plan', { heading: dates.join('\n\n'), tags: tags as Record<string, string> });
    expect(stdout.match(/^\S+ has a date .* it is skipped$/gm)?.map((line) => line.split(' ')[0])).toEqual([
      ...('v1.0.8' in tags ? [] : ['1.0.5']),
      '1.0.9',
      '1.0.10',
    ]);
  });

  it("puts everything on macOS for apple's tools", async () => {
    expect((await run('plan', { toolchain: 'apple', certificates: null })).outputs).toContain(
      'keys=keychain\nrunner=macos-26\ndeveloper-dir=/Applications/Xcode_26.6.app/Contents/Developer\n',
    );
  });

  it.each([
    ['are not there', null, 'cannot read certificates/application.pem'],
    ['are not PEM', 'certificate', 'certificates/application.pem holds no certificate in PEM'],
    [
      'are cut off',
      '-----BEGIN CERTIFICATE-----\nMIIA\n-----END CERTIFICATE-----\n',
      'certificates/application.pem: a certificate in it cannot be read',
    ],
  ])('ends before anything is built where the certificates %s', async (_, certificates, words) => {
    expect(await run('plan', { certificates })).toMatchObject({ status: 2, stderr: expect.stringContaining(words) });
    expect((await run('plan', { certificates, heading: '## 1.1.0, not released' })).status).toBe(0);
  });

  it('ends before anything is built where a certificate is not what Apple issues', async () => {
    const { status, stderr, outputs } = await run('plan', { team: 'ABCDE12345' });
    expect([status, outputs]).toEqual([2, '']);
    expect(stderr).toContain('the Developer ID Application identity: the chain ends at');
  });
});

describe('what github plan says', () => {
  const from = 'a'.repeat(40);
  it.each<[string, Project, string, object]>([
    ['a release', {}, `releases 1.1.0 from ${from}`, { release: true, runner: 'ubuntu-24.04', keys: 'stored', reason: null, skipped: [] }],
    ['a release that a Mac signs', { toolchain: 'apple' }, `releases 1.1.0 from ${from}, signed on a Mac`, { release: true, runner: 'macos-26', keys: 'keychain', reason: null, skipped: [] }],
    ['no release', { tags: { 'v1.1.0': 'b' } }, 'no release: v1.1.0 is published, at b', { release: false, runner: 'ubuntu-24.04', keys: 'stored', reason: 'v1.1.0 is published, at b', skipped: [] }],
  ])('of %s', async (_, project, headline, document) => {
    const { stdout, page } = await run('plan', project);
    expect([stdout, page]).toEqual([`${headline}\n`, `**${headline}**\n\n`]);
    expect(JSON.parse((await run('plan', project, '--json')).stdout)).toEqual({ schema: 1, version: '1.1.0', tag: 'v1.1.0', ...document });
  }); // biome-ignore format: a table
});

describe('github check-version', () => {
  it.each([
    [{}, null, '1.1.0: nothing is published yet\n'],
    [{ 'v1.0.9': 'b', 'v1.0.10': 'c' }, '1.0.10', '1.1.0: newest published is 1.0.10\n'],
  ])('tells the newest of %j', async (tags, newest, text) => {
    expect((await run('check-version', { tags: tags as Record<string, string> })).stdout).toBe(text);
    const { stdout } = await run('check-version', { tags: tags as Record<string, string> }, '--json');
    expect(JSON.parse(stdout)).toEqual({ schema: 1, version: '1.1.0', newest });
  });

  it.each([
    ['a new version', {}, 0, ''],
    ['the version that is published', { tags: { 'v1.1.0': 'b' } }, 0, ''],
    ['a version below the newest', { tags: { 'v1.9.0': 'b', 'v1.10.0': 'c' } }, 2, '1.10.0 is published'],
    ['a version without an entry', { heading: '## 1.0.0, 2024-01-01' }, 2, 'no heading for 1.1.0'],
    ['a heading that is nearly right', { heading: '## 1.1.0, 2026-11-24 ' }, 2, 'CHANGELOG.md line 3'],
  ])('checks %s', async (_, project, status, words) => {
    const ended = await run('check-version', project);
    expect(ended.status, ended.stderr).toBe(status);
    expect(ended.stderr).toContain(words);
  });
});

describe('the issue of the weekly check', () => {
  it('has a section for each finding and each check that failed, and is empty when all is well', async () => {
    const body = renderFindings({
      CERTIFICATES_FINDINGS: 'a ends; b ends',
      CERTIFICATES_RESULT: 'success',
      NOTARY_RESULT: 'failure',
    });
    expect(body).toContain('### Certificates\n\n- a ends\n- b ends\n');
    expect(body).toContain('### Notary key and agreement\n\n- the check itself ended with: failure');
    expect(body).not.toContain('Pinned');
    expect(
      renderFindings({
        CERTIFICATES_RESULT: 'success',
        PINS_RESULT: 'success',
        PINS_FINDINGS: '',
        NOTARY_RESULT: 'success',
      }),
    ).toBe('');
  });
});
