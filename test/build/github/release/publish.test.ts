import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { assetDifferences, assetSetProblems } from '../../../../build/github/release/assets.ts';
import { OUR_MARK } from '../../../../build/github/release/drafts.ts';
import { readConfig } from '../../../../build/plan/config.ts';
import { placeGh } from '../../../github/fake-gh.ts';
import { inProcess } from '../../../support/in-process.ts';
import { verdicts } from './verdicts.ts';

const COMMIT = 'c'.repeat(40);
let scratch: string;
let folder: string;
let state: string;
beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'publish-'));
  folder = join(scratch, 'finished');
  cpSync(inject('releaseFolder'), folder, { recursive: true });
  writeFileSync(join(scratch, 'bundle.jsonl'), '{}\n');
  writeFileSync(join(scratch, 'EscrowBuddy.intoto.jsonl'), '{}\n');
  writeFileSync(join(scratch, 'smoke-verdicts.jsonl'), verdicts(folder));
  state = join(scratch, 'github');
  mkdirSync(state);
  await placeGh(join(scratch, 'bin'), state);
  github({});
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

function github(changes: object): void {
  const empty = JSON.parse(readFileSync('test/github/empty-github.json', 'utf8'));
  writeFileSync(join(state, 'github.json'), JSON.stringify({ ...empty, ...changes }));
}
const read = () => JSON.parse(readFileSync(join(state, 'github.json'), 'utf8'));
const run = (repository = 'rehearsal.invalid/escrow-buddy', more: readonly string[] = [], cwd = process.cwd()) => {
  const later = [
    '--bundle',
    join(scratch, 'EscrowBuddy.intoto.jsonl'),
    '--verdicts',
    join(scratch, 'smoke-verdicts.jsonl'),
  ];
  return inProcess(['github', 'publish', '--folder', folder, ...later, ...more], {
    cwd,
    env: {
      GITHUB_STEP_SUMMARY: join(scratch, 'page'),
      GITHUB_REPOSITORY: repository,
      GITHUB_SHA: COMMIT,
      GH_TOKEN: 'token',
      PATH: `${join(scratch, 'bin')}:${process.env.PATH}`,
    },
  });
};
/** A draft as GitHub lists it. */
const draft = (changes: object) => ({
  id: 7,
  tag_name: 'v1.1.0',
  draft: true,
  immutable: false,
  author: { login: 'github-actions[bot]' },
  target_commitish: COMMIT,
  body: `changes\n${OUR_MARK}\n`,
  assets: [],
  html_url: 'https://github.invalid/draft',
  ...changes,
});

describe('github publish', () => {
  it('publishes a draft after its assets were read back, and does nothing the second time', async () => {
    expect(await run()).toMatchObject({ status: 0 });
    const calls = read().calls.map((argv: string[]) => argv.slice(0, 4).join(' '));
    expect(calls.findIndex((call: string) => call.includes('PATCH'))).toBeGreaterThan(
      calls.findLastIndex((call: string) => call.includes('upload')),
    );
    expect(await run()).toMatchObject({ status: 0 });
    expect(read().releases).toHaveLength(1);
  });

  it('refuses a rehearsal anywhere a Mac might fetch it', async () => {
    const { status, stderr } = await run('somebody/escrow-buddy');
    expect(status).toBe(2);
    expect(stderr).toContain('no Mac trusts this package');
    expect(read().calls).toEqual([]);
  });

  it('publishes nothing from a folder without a release', async () => {
    rmSync(join(folder, 'release.json'));
    expect(await run()).toMatchObject({ status: 2, stderr: expect.stringMatching(/holds no release\.json/) });
    expect(read().calls).toEqual([]);
  });

  it('refuses a package that is not the one release.json names', async () => {
    writeFileSync(join(folder, 'Escrow.Buddy-1.1.0-rehearsal.pkg'), 'other');
    expect(await run()).toMatchObject({ status: 6 });
    expect(read().calls).toEqual([]);
  });

  it('refuses a file that is not an asset of a release', async () => {
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    expect(await run()).toMatchObject({ status: 2, stderr: expect.stringContaining('notes.txt') });
  });

  it('refuses a file that release.json does not name', async () => {
    const path = join(folder, 'release.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    const files = manifest.files.filter(({ role }: { role: string }) => role !== 'sbom');
    writeFileSync(path, JSON.stringify({ ...manifest, files }));
    expect(await run()).toMatchObject({ status: 6, stderr: expect.stringContaining('release.json does not name it') });
  });

  it('says so loudly when the release is not immutable', async () => {
    github({ immutable: false });
    const { status, stderr } = await run();
    expect(status).toBe(6);
    expect(stderr).toContain('not immutable');
  });

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

  it.each([
    ['the newest', 'v1.0.9', 'true'],
    ['one that comes after a higher one', 'v1.2.0', 'false'],
    ['the newest beside a release of another kind', 'nightly', 'true'],
    ['the newest beside a higher draft', 'v1.2.0', 'true', true],
  ])('offers %s to everybody, or not', async (_, tag, latest, isDraft = false) => {
    github({ releases: [draft({ tag_name: tag, draft: isDraft, immutable: true })], nextId: 8 });
    expect(await run()).toMatchObject({ status: 0 });
    expect(read().releases[0]).toMatchObject({ tag_name: 'v1.1.0', make_latest: latest });
  });

  it('publishes nothing that a Mac did not install', async () => {
    const path = join(scratch, 'smoke-verdicts.jsonl');
    writeFileSync(path, readFileSync(path, 'utf8').split('\n').slice(1).join('\n'));
    expect(await run()).toMatchObject({ status: 6, stderr: expect.stringContaining('macos-15: no verdict') });
    expect(read().calls).toEqual([]);
  });

  it('tells what was published: address, digests, and the same on the page of the run', async () => {
    const { stdout, status } = await run(undefined, ['--json']);
    expect(status).toBe(0);
    const { assets, ...document } = JSON.parse(stdout);
    const [release] = read().releases;
    expect(document).toEqual({ schema: 1, tag: 'v1.1.0', id: release.id, url: release.html_url });
    expect(assets.map(({ name }: { name: string }) => name)).toEqual(release.assets.map(({ name }: { name: string }) => name)); // biome-ignore format: a line
    const rows = assets.map(({ name, sha256 }: { name: string; sha256: string }) => `- \`${sha256}\` ${name}`).join('\n'); // biome-ignore format: a line
    expect(readFileSync(join(scratch, 'page'), 'utf8')).toBe(`Published [v1.1.0](${release.html_url})\n\n${rows}\n\n`);
    expect(release.body.endsWith(`\n${OUR_MARK}\n`)).toBe(true);
    expect(release).toMatchObject({ target_commitish: COMMIT, name: 'v1.1.0', draft: false });
  });

  it('publishes nothing whose upload is not what was sent', async () => {
    github({ garbled: 1 });
    expect(await run()).toMatchObject({ status: 6, stderr: expect.stringContaining('bytes, ours has') });
    expect(read().releases).toMatchObject([{ draft: true }]);
  });

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

  it('takes a release whose last answer was lost for published', async () => {
    github({ faults: [{ call: '--method PATCH', when: 'after', words: 'HTTP 502' }] });
    expect((await run()).status).toBe(0);
    expect(read().releases).toMatchObject([{ draft: false }]);
  });

  it('does without a log of the notary, a team and an entry in the changelog', async () => {
    rmSync(join(folder, 'notary-log.json'), { force: true });
    const path = join(folder, 'release.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...manifest, package: null }));
    const seen = join(scratch, 'smoke-verdicts.jsonl');
    writeFileSync(seen, readFileSync(seen, 'utf8').replace(/"team":"\w+"/g, '"team":null'));
    const root = join(scratch, 'project');
    mkdirSync(root);
    for (const name of ['package.json', 'release.config.json']) cpSync(name, join(root, name));
    writeFileSync(join(root, 'CHANGELOG.md'), '# Changelog\n');
    const { status, stderr } = await run(undefined, [], root);
    expect(status, stderr).toBe(0);
    expect(read().releases[0].body).toMatch(/^\n\n\S/);
  });

  it('leaves a draft, and no release, when the last call fails', async () => {
    github({ faults: [{ call: '--method PATCH', when: 'before', words: 'HTTP 500' }] });
    expect(await run()).toMatchObject({ status: 5, stderr: expect.stringContaining('still a draft') });
    expect(read().releases).toMatchObject([{ draft: true }]);
  });
});

describe('assetSetProblems', () => {
  const whole = [
    'Escrow.Buddy-1.1.0.pkg',
    'EscrowBuddy-1.1.0-mdm-kit.zip',
    'SHA256SUMS',
    'release.json',
    'EscrowBuddy.intoto.jsonl',
    'EscrowBuddy.cdx.json',
    'verify-report.json',
    'report.html',
    'smoke-verdicts.jsonl',
  ];

  it.each(whole)('misses %s', async (name) => {
    const config = await readConfig('.');
    const others = whole.filter((other) => other !== name);
    expect(assetSetProblems(others, config, '1.1.0')).toEqual([`missing for a release: ${name}`]);
  });

  it('takes the whole set, with or without a log of the notary, and nothing else', async () => {
    const config = await readConfig('.');
    expect(assetSetProblems(whole, config, '1.1.0')).toEqual([]);
    expect(assetSetProblems([...whole, 'notary-log.json'], config, '1.1.0')).toEqual([]);
    expect(assetSetProblems([...whole, 'other.pkg'], config, '1.1.0')).toEqual(['no asset of a release: other.pkg']);
  });
});

describe('assetDifferences', () => {
  const ours = [{ name: 'a', path: 'a', size: 1, sha256: '0'.repeat(64) }];
  const listed = { name: 'a', state: 'uploaded', size: 1, digest: `sha256:${'0'.repeat(64)}` };

  it.each([
    ['nothing', [listed], []],
    ['a missing asset', [], ['a: there 0 times instead of once']],
    ['an asset more', [listed, { ...listed, name: 'b' }], ['b: not one of ours']],
    ['an unfinished upload', [{ ...listed, state: 'starter' }], ['a: state starter']],
    ['no digest', [{ ...listed, digest: null }], [`a: digest null, ours is sha256:${'0'.repeat(64)}`]],
    ['another size', [{ ...listed, size: 2 }], ['a: 2 bytes, ours has 1']],
    ['an asset twice', [listed, listed], ['a: there 2 times instead of once']],
  ])('tells %s', (_, found, problems) => expect(assetDifferences(ours, found)).toEqual(problems));
});
