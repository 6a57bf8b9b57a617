import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REHEARSAL_TEAM, type RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { keptBuild } from '../support/kept-build.ts';
import { findOnPath } from '../support/needs.ts';
import { certificatesOf, placeCertificates } from '../support/stored-keys.ts';

/** What a checkout holds beside the tests, and the tests that workflows name. */
const IN_ORIGIN = /^(?!test\/|docs\/|\.ci\/)|^test\/(mac-runner|interop)\//;

const origins = new Map<string, string>();

/** Puts the repository there; it is made once of the same sources, which do not change while tests run. */
export async function placeOrigin(
  origin: string,
  authority: RehearsalAuthority,
  external: object | undefined,
): Promise<string> {
  const certificates = certificatesOf(authority);
  const of = JSON.stringify([external, certificates]);
  const files = sources();
  const programs = [findOnPath('git')].filter((path) => path !== undefined);
  const madeOf = { files: [...files, 'test/github/origin.ts'], programs, variables: [], words: [of] };
  const made =
    origins.get(of) ??
    (await keptBuild('origin', madeOf, async (folder) => makeOrigin(folder, files, authority, external)));
  origins.set(of, made);
  execFileSync('cp', ['-a', made, origin]);
  return git(origin, 'rev-parse', 'HEAD').trim();
}

/** What git would hold, but for the tests and the documents. */
function sources(): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
  });
  return listed.split('\0').filter((name) => name && IN_ORIGIN.test(name) && existsSync(name));
}

/** Copies the sources, gives the version a date in the changelog and commits: the merge that is released. */
function makeOrigin(
  origin: string,
  paths: readonly string[],
  authority: RehearsalAuthority,
  external: object | undefined,
): void {
  for (const folder of new Set(paths.map(dirname))) mkdirSync(join(origin, folder), { recursive: true });
  for (const path of paths) copyFileSync(path, join(origin, path));
  const changelog = join(origin, 'CHANGELOG.md');
  writeFileSync(changelog, readFileSync(changelog, 'utf8').replace(/^(## \d\S*), not released$/m, '$1, 2026-11-24'));
  // A project of the rehearsal's team has no other secrets than the rehearsal's keys, and its files have their plain names.
  const config = join(origin, 'release.config.json');
  const settings = JSON.parse(readFileSync(config, 'utf8'));
  settings.signing.teamIdentifier = REHEARSAL_TEAM;
  if (external) settings.signing.externalSigner = external;
  placeCertificates(origin, authority);
  writeFileSync(config, JSON.stringify(settings, null, 2));
  git(origin, 'init', '--quiet', '--initial-branch=main', '--template=');
  mkdirSync(join(origin, '.git/info'));
  // Small objects are slower made than large ones are copied.
  git(origin, 'config', 'core.compression', '0');
  git(origin, 'add', '--all');
  git(origin, 'commit', '--quiet', '--message', 'release');
  // Each job copies the repository: one file is quicker copied than an object for each version of a file.
  git(origin, 'repack', '-a', '-d', '--quiet', '--window=0');
}

/** Runs git as the replay's committer at its time; returns what it printed. */
export function git(folder: string, ...argv: string[]): string {
  return execFileSync('git', ['-c', 'user.name=Replay', '-c', 'user.email=replay@example.invalid', ...argv], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, GIT_AUTHOR_DATE: '1700000000 +0000', GIT_COMMITTER_DATE: '1700000000 +0000' },
  });
}
