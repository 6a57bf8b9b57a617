import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { commitOf, gh, ghApi, repositoryOf, tagCommit, taggedVersions } from '../../../build/github/gh.ts';
import { tableGh } from './table-gh.ts';

const scratch = mkdtempSync(join(tmpdir(), 'gh-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('repositoryOf and commitOf', () => {
  it.each(['owner/name', 'a.b-c_d/e', 'rehearsal.invalid/escrow-buddy'])('takes %s', (name) =>
    expect(repositoryOf({ GITHUB_REPOSITORY: name })).toBe(name),
  );

  it.each([undefined, '', 'name', 'a/b/c', '/b', 'a/', 'a b/c', 'a/b\n', 'a/b?c'])(
    'refuses the repository %j',
    (name) =>
      expect(() => repositoryOf(name === undefined ? {} : { GITHUB_REPOSITORY: name })).toThrow(
        expect.objectContaining({ code: 'REPOSITORY_UNKNOWN' }),
      ),
  );

  it('takes 40 hex digits for a commit, and nothing else', () => {
    const commit = '0123456789abcdef0123456789abcdef01234567';
    expect(commitOf({ GITHUB_SHA: commit })).toBe(commit);
    for (const wrong of [undefined, '', commit.slice(1), `${commit}0`, commit.toUpperCase(), `${commit.slice(1)}g`])
      expect(() => commitOf(wrong === undefined ? {} : { GITHUB_SHA: wrong })).toThrow(
        expect.objectContaining({ code: 'COMMIT_UNKNOWN' }),
      );
  });

  it('says of what is not set what it says of what is empty', () => {
    expect(() => repositoryOf({})).toThrow('GITHUB_REPOSITORY: "": allowed is OWNER/NAME');
    expect(() => commitOf({})).toThrow('GITHUB_SHA: "": allowed are 40 hex digits');
  });
});

describe('what gh is asked', () => {
  it('is the path and the method, and a body on its standard input', async () => {
    const stand = tableGh(scratch, { 'GET a/b': [1], 'POST a/b': undefined });
    const answers = await stand.run(async (context) => [
      await ghApi(context, 'a/b'),
      await ghApi(context, 'a/b', { method: 'POST', body: { c: 1 } }),
    ]);
    expect(answers).toEqual([[1], null]);
    expect(stand.calls()).toEqual(['api --method GET a/b', 'api --method POST a/b --input - < {"c":1}']);
  });

  it('never holds the token, which is in the environment', async () => {
    const stand = tableGh(scratch, {}, `printf "%s %s %s" "\${GH_TOKEN-none}" "$GH_PROMPT_DISABLED" "$NO_COLOR"`);
    const said = async (GH_TOKEN: string) => (await stand.run((context) => gh(context, ['auth']), { GH_TOKEN })).stdout;
    expect([await said('secret'), await said('')]).toEqual(['secret 1 1', 'none 1 1']);
    expect(stand.calls()).toEqual(['auth', 'auth']);
  });

  it('finds the commit of exactly this tag', async () => {
    const refs = ['v1.1.0-beta', 'v1.1.0', 'v1.1.01'].map((tag, at) => ({
      ref: `refs/tags/${tag}`,
      object: { sha: String(at) },
    }));
    const stand = tableGh(scratch, {
      'GET repos/owner/name/git/matching-refs/tags/v1.1.0': refs,
      'GET repos/owner/name/git/matching-refs/tags/v1.1.01': refs.slice(0, 2),
    });
    expect(await stand.run((context) => tagCommit(context, 'v1.1.0'))).toBe('1');
    expect(await stand.run((context) => tagCommit(context, 'v1.1.01'))).toBeNull();
  });

  it('finds each version with a tag, the oldest first, and no other tag', async () => {
    const tags = ['v1.10.0', 'v1.9.0', 'v1.9', 'v1.9.0.1', 'v1.9.x', 'v2.0.0-beta', 'vx', 'v0.0.1'];
    const refs = tags.map((tag) => ({ ref: `refs/tags/${tag}`, object: { sha: tag } }));
    const stand = tableGh(scratch, { 'GET repos/owner/name/git/matching-refs/tags/v': refs });
    expect([...(await stand.run(taggedVersions))]).toEqual([
      ['0.0.1', 'v0.0.1'],
      ['1.9.0', 'v1.9.0'],
      ['1.10.0', 'v1.10.0'],
    ]);
  });
});
