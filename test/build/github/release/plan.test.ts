import { describe, expect, it } from 'vitest';
import { type Project, projectRuns } from './plan-project.ts';

const run = projectRuns();

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
