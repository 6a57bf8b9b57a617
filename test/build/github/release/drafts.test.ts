import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { clearDrafts, listReleases, OUR_MARK, type Release } from '../../../../build/github/release/drafts.ts';
import { tableGh } from '../table-gh.ts';

const scratch = mkdtempSync(join(tmpdir(), 'drafts-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const OURS: Release = {
  id: 7,
  tag_name: 'v1.1.0',
  draft: true,
  html_url: 'u',
  target_commitish: 'a'.repeat(40),
  body: `page\n${OUR_MARK}\n`,
  author: { login: 'github-actions[bot]' },
  assets: [],
};
const DELETED = 'api --method DELETE repos/owner/name/releases/7';

describe('clearDrafts', () => {
  /** What gh is asked for, or why nothing is. */
  async function cleared(...changes: readonly Partial<Release>[]): Promise<string[]> {
    const stand = tableGh(scratch, { 'DELETE repos/owner/name/releases/7': undefined });
    const releases = changes.map((change) => ({ ...OURS, ...change }));
    const problem = await stand.run((context) => clearDrafts(context, 'v1.1.0', releases)).catch(({ code }) => code);
    return [...stand.calls(), ...(problem === undefined ? [] : [problem])];
  }

  it('deletes what an earlier attempt of this run left, by its number', async () => {
    expect(await cleared({})).toEqual([DELETED]);
    expect(await cleared({}, { tag_name: 'v1.1.1' }, {})).toEqual([DELETED, DELETED]);
  });

  it.each<[string, Partial<Release>]>([
    ['a published release', { draft: false }],
    ['a published release of somebody', { draft: false, author: null }],
    ['a draft of another tag', { tag_name: 'v1.1.01' }],
  ])('leaves %s alone', async (_, change) => expect(await cleared(change)).toEqual([]));

  it.each<[string, Partial<Release>, string]>([
    ['of somebody who wrote our mark', { author: { login: 'alice' } }, 'DRAFT_OF_SOMEBODY'],
    ['of nobody', { author: null }, 'DRAFT_OF_SOMEBODY'],
    ['of another workflow', { body: 'page' }, 'DRAFT_OF_SOMEBODY'],
    ['of another commit', { target_commitish: 'b'.repeat(40) }, 'VERSION_RESERVED'],
  ])('deletes nothing beside a draft %s', async (_, change, code) => {
    expect(await cleared({}, change)).toEqual([code]);
    expect(await cleared(change, {})).toEqual([code]);
  });
});

describe('listReleases', () => {
  it('asks for a hundred', async () => {
    const stand = tableGh(scratch, { 'GET repos/owner/name/releases?per_page=100': [OURS] });
    expect(await stand.run(listReleases)).toEqual([OURS]);
  });
});
