import { describe, expect, it } from 'vitest';
import { COMMIT, draft, publishWorld } from './world.ts';

const world = publishWorld();
const { github, read, run } = world;

describe('github publish', () => {
  it('refuses a published release with other assets', async () => {
    github({
      releases: [{ id: 7, tag_name: 'v1.1.0', draft: false, immutable: true, assets: [], html_url: '' }],
      tags: { 'v1.1.0': COMMIT },
    });
    expect(await run()).toMatchObject({ status: 6, stderr: expect.stringContaining('there 0 times') });
  });

  it('refuses a tag at another commit', async () => {
    github({ faults: [] });
    expect((await run()).status).toBe(0);
    github({ ...read(), tags: { 'v1.1.0': 'd'.repeat(40) } });
    expect(await run()).toMatchObject({ status: 6, stderr: expect.stringContaining(`v1.1.0 is at ${'d'.repeat(40)}`) });
  });

  it('deletes the draft that an earlier attempt of this run left', async () => {
    github({ releases: [draft({})] });
    expect(await run()).toMatchObject({ status: 0 });
    expect(read().releases).toMatchObject([{ id: 1, draft: false }]);
  });

  it('leaves the drafts and releases of other tags unchanged, whoever made them', async () => {
    const others = [
      draft({ id: 21, tag_name: 'v1.0.9' }),
      draft({ id: 22, tag_name: 'v1.1.0-beta', author: { login: 'alice' } }),
      draft({ id: 23, tag_name: 'v1.1', target_commitish: 'd'.repeat(40) }),
      draft({ id: 24, tag_name: 'v1.0.8', draft: false }),
    ];
    github({ releases: others });
    const { status, stderr } = await run();
    expect(status, stderr).toBe(0);
    expect(read().releases).toEqual(expect.arrayContaining(others));
    expect(read().releases).toHaveLength(5);
  });

  it.each([
    ['of a person', { author: { login: 'alice' } }, 2, 'alice has a draft of v1.1.0'],
    ['of nobody', { author: null }, 2, 'somebody has a draft of v1.1.0'],
    ['of another workflow', { body: 'drafted by a bot' }, 2, 'github-actions[bot] has a draft of v1.1.0'],
    ['without words', { body: null }, 2, 'has a draft of v1.1.0'],
    [
      'of another commit, which reserves the version',
      { target_commitish: 'd'.repeat(40) },
      6,
      `reserves v1.1.0 for the package of ${'d'.repeat(40)}`,
    ],
  ])('leaves a draft %s unchanged, and says so', async (_, changes, status, words) => {
    const theirs = draft(changes);
    github({ releases: [theirs] });
    expect(await run()).toMatchObject({ status, stderr: expect.stringContaining(words) });
    expect(read().releases).toEqual([theirs]);
  });

  it("leaves a person's draft of another version unchanged, and publishes", async () => {
    const theirs = draft({ tag_name: 'v1.2.0', author: { login: 'alice' } });
    github({ releases: [theirs], nextId: 8 });
    expect(await run()).toMatchObject({ status: 0 });
    expect(read().releases).toContainEqual(theirs);
  });

  it('says which rule to change when tags cannot be created', async () => {
    github({ tagRule: true });
    expect(await run()).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('restrict updates and deletions, not creations'),
    });
    expect(read().releases).toMatchObject([{ draft: true }]);
  });

  it.each(['HTTP 422: Repository rule violations found', 'HTTP 422: a Rule Violation'])(
    'says so where GitHub answers %j',
    async (words) => {
      github({ faults: [{ call: '--method PATCH', when: 'before', words }] });
      expect(await run()).toMatchObject({
        status: 2,
        stderr: expect.stringContaining('a rule of the repository forbids'),
      });
    },
  );

  it('finds one thing of a published release that is not ours, whatever drafts there are beside it', async () => {
    expect((await run()).status).toBe(0);
    const good = read();
    good.releases.push(draft({ author: { login: 'alice' } }));
    github(good);
    expect((await run()).status).toBe(0);
    expect(read().releases).toHaveLength(2);
    good.releases[0].assets[3].state = 'starter';
    github(good);
    expect(await run()).toMatchObject({ status: 6, stderr: expect.stringContaining('state starter') });
  });

  it('leaves a draft, and no release, when the last call fails', async () => {
    github({ faults: [{ call: '--method PATCH', when: 'before', words: 'HTTP 500' }] });
    expect(await run()).toMatchObject({ status: 5, stderr: expect.stringContaining('still a draft') });
    expect(read().releases).toMatchObject([{ draft: true }]);
  });
});
