import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { REHEARSAL_TEAM, type RehearsalAuthority } from '../../../../src/rehearsal/authority.ts';
import { placeGh } from '../../../github/fake-gh.ts';
import type { CliRun } from '../../../support/cli.ts';
import { inProcess } from '../../../support/in-process.ts';
import { placeCertificates } from '../../../support/stored-keys.ts';
import { testAuthority } from '../../../support/test-authority.ts';

/** What differs from one project to the next. */
export interface Project {
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
type RunIn = (
  command: string,
  project: Project,
  ...more: string[]
) => Promise<CliRun & { outputs: string; page: string }>;

/** Returns what runs commands in such projects, for the tests of a file. */
export function projectRuns(): RunIn {
  let scratch: string;
  let authority: RehearsalAuthority;
  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'plan-'));
    authority = await testAuthority(join(scratch, 'authority'));
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));
  return (...words) => runIn({ scratch, authority }, ...words);
}

async function runIn(
  { scratch, authority }: { readonly scratch: string; readonly authority: RehearsalAuthority },
  command: string,
  project: Project,
  ...more: string[]
): ReturnType<RunIn> {
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
