import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { notOwnedReason } from '../../../../build/github/release/owner.ts';

const DATED = '## 1.1.0, 2026-11-24\n';
/** What each commit of main changes, the oldest first; the last three say that 1.1.0 is to be released. */
const COMMITS: readonly (readonly [name: string, files: Readonly<Record<string, string>>])[] = [
  ['neither file', { readme: 'a' }],
  ['no changelog', { 'package.json': '{"version":"1.1.0"}' }],
  ['no manifest any more', { 'CHANGELOG.md': DATED, 'package.json': '' }],
  ['not released', { 'CHANGELOG.md': '## 1.1.0, not released\n', 'package.json': '{"version":"1.1.0"}' }],
  ['another version dated', { 'CHANGELOG.md': '## 1.1.0, not released\n## 1.0.0, 2024-01-01\n' }],
  ['a heading that is refused', { 'CHANGELOG.md': '## 1.1.0, 2026-02-30\n' }],
  ['a manifest that is not JSON', { 'CHANGELOG.md': DATED, 'package.json': '{' }],
  ['the version before', { 'package.json': '{"version":"1.0.0"}' }],
  ['sets it', { 'package.json': '{"version":"1.1.0"}' }],
  ['after it', { 'CHANGELOG.md': `${DATED}## 1.0.0, 2024-01-01\n` }],
  ['the last', { readme: 'c' }],
];

let root: string;
let commits: readonly string[];
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'owner-'));
  const git = (...argv: string[]) =>
    execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.invalid', ...argv], { cwd: root, encoding: 'utf8' }); // biome-ignore format: a line
  git('init', '--quiet', '--initial-branch=main');
  commits = COMMITS.map(([name, files]) => {
    for (const [path, text] of Object.entries(files)) {
      if (text === '') rmSync(join(root, path));
      else writeFileSync(join(root, path), text);
    }
    git('add', '--all');
    git('commit', '--quiet', '--message', name);
    return git('rev-parse', 'HEAD').trim();
  });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function owned(event: object | undefined, version = '1.1.0', name = 'push'): Promise<string | null> {
  const path = join(root, '.git/event.json');
  writeFileSync(path, JSON.stringify(event ?? {}));
  return notOwnedReason(root, event ? { GITHUB_EVENT_NAME: name, GITHUB_EVENT_PATH: path } : {}, version);
}
const SETS = COMMITS.findIndex(([name]) => name === 'sets it');
const reason = () =>
  `1.1.0 is the release of ${commits[SETS]}: re-run the failed jobs of that run, or give its package up and send client_payload[version]=1.1.0`;

describe('notOwnedReason', () => {
  it.each(COMMITS.slice(0, SETS).map(([name], at) => [name, at] as const))(
    'is null for a push that began at: %s',
    async (_, at) => expect(await owned({ before: commits[at] })).toBeNull(),
  );

  it.each(['sets it', 'after it'])('names the commit that set the version for a push that began at: %s', async (name) =>
    expect(await owned({ before: commits[COMMITS.findIndex(([one]) => one === name)] })).toBe(reason()),
  );

  it.each([
    ['there is no event', undefined],
    ['it names no commit', {}],
    ['the branch is new', { before: '0'.repeat(40) }],
    ['nobody knows the commit', { before: 'f'.repeat(40) }],
    ['it names something else', { before: 'HEAD~6' }],
  ])('goes by the first parent where %s', async (_, event) => expect(await owned(event)).toBe(reason()));

  it('is null for a version that nobody set before', async () => {
    expect(await owned({ before: commits.at(-2) }, '1.2.0')).toBeNull();
    expect(await owned({ before: commits.at(-2) }, '1.0.0')).toBeNull();
  });

  it.each<[string, object, string | null]>([
    ['this one', { client_payload: { version: '1.1.0' } }, null],
    ['another', { client_payload: { version: '1.0.0' } }, 'the event names "1.0.0"; to release 1.1.0 anew, send client_payload[version]=1.1.0'],
    ...['1.1', '1', '', '1.1.00', 'v1.1.0', '1.1.0 '].map((version): [string, object, string] => [`nearly this one, ${JSON.stringify(version)}`, { client_payload: { version } }, `the event names ${JSON.stringify(version)}; to release 1.1.0 anew, send client_payload[version]=1.1.0`]),
    ['none', { client_payload: {} }, 'the event names no version; to release 1.1.0 anew, send client_payload[version]=1.1.0'],
    ['nothing', { client_payload: null }, 'the event names no version; to release 1.1.0 anew, send client_payload[version]=1.1.0'],
  ])('takes the word of a run without a merge that names %s', async (_, event, expected) => {
    expect(await owned(event, '1.1.0', 'repository_dispatch')).toBe(expected);
  }); // biome-ignore format: a table
});
