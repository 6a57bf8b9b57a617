import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OUR_MARK } from '../../../../../build/github/release/drafts.ts';
import { COMMIT, draft, publishWorld } from './world.ts';

const world = publishWorld();
const { github, read, run } = world;

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

  it('publishes a release wherever it is made, and nothing of another mode', async () => {
    const path = join(world.folder, 'release.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    const as = (mode: string) => {
      writeFileSync(path, JSON.stringify({ ...manifest, mode }));
      return run('somebody/escrow-buddy');
    };
    expect(await as('build')).toMatchObject({ status: 2, stderr: expect.stringContaining('release.json says mode build') });
    expect(read().calls).toEqual([]);
    const { status, stderr } = await as('release');
    expect(status, stderr).toBe(0);
    expect(read().releases).toMatchObject([{ tag_name: 'v1.1.0', draft: false }]);
  }); // biome-ignore format: short

  it('publishes nothing from a folder without a release', async () => {
    rmSync(join(world.folder, 'release.json'));
    expect(await run()).toMatchObject({ status: 2, stderr: expect.stringMatching(/holds no release\.json/) });
    expect(read().calls).toEqual([]);
  });

  it('refuses a package that is not the one release.json names', async () => {
    writeFileSync(join(world.folder, 'Escrow.Buddy-1.1.0-rehearsal.pkg'), 'other');
    expect(await run()).toMatchObject({ status: 6 });
    expect(read().calls).toEqual([]);
  });

  it('refuses a file that is not an asset of a release', async () => {
    writeFileSync(join(world.folder, 'notes.txt'), 'mine');
    expect(await run()).toMatchObject({ status: 2, stderr: expect.stringContaining('notes.txt') });
  });

  it('refuses a file that release.json does not name', async () => {
    const path = join(world.folder, 'release.json');
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

  it('publishes nothing that a Mac did not install', async () => {
    const path = join(world.scratch, 'smoke-verdicts.jsonl');
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
    expect(readFileSync(join(world.scratch, 'page'), 'utf8')).toBe(
      `Published [v1.1.0](${release.html_url})\n\n${rows}\n\n`,
    );
    expect(release.body.endsWith(`\n${OUR_MARK}\n`)).toBe(true);
    expect(release).toMatchObject({ target_commitish: COMMIT, name: 'v1.1.0', draft: false });
  });

  it('publishes nothing whose upload is not what was sent', async () => {
    github({ garbled: 1 });
    expect(await run()).toMatchObject({ status: 6, stderr: expect.stringContaining('bytes, ours has') });
    expect(read().releases).toMatchObject([{ draft: true }]);
  });

  it('takes a release whose last answer was lost for published', async () => {
    github({ faults: [{ call: '--method PATCH', when: 'after', words: 'HTTP 502' }] });
    expect((await run()).status).toBe(0);
    expect(read().releases).toMatchObject([{ draft: false }]);
  });

  it('does without a log of the notary, a team and an entry in the changelog', async () => {
    rmSync(join(world.folder, 'notary-log.json'), { force: true });
    const path = join(world.folder, 'release.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...manifest, package: null }));
    const seen = join(world.scratch, 'smoke-verdicts.jsonl');
    writeFileSync(seen, readFileSync(seen, 'utf8').replace(/"team":"\w+"/g, '"team":null'));
    const root = join(world.scratch, 'project');
    mkdirSync(root);
    for (const name of ['package.json', 'release.config.json']) cpSync(name, join(root, name));
    writeFileSync(join(root, 'CHANGELOG.md'), '# Changelog\n');
    const { status, stderr } = await run(undefined, [], root);
    expect(status, stderr).toBe(0);
    expect(read().releases[0].body).toMatch(/^\n\n\S/);
  });

  it.each([
    ['the newest', 'v1.0.9', 'true'],
    ['one that comes after a higher one', 'v10.20.30', 'false'],
    ['the newest beside a release of another kind', 'nightly', 'true'],
    ['the newest beside a higher draft', 'v1.2.0', 'true', true],
  ])('offers %s to everybody, or not', async (_, tag, latest, isDraft = false) => {
    github({ releases: [draft({ tag_name: tag, draft: isDraft, immutable: true })], nextId: 8 });
    expect(await run()).toMatchObject({ status: 0 });
    expect(read().releases[0]).toMatchObject({ tag_name: 'v1.1.0', make_latest: latest });
  });
});
