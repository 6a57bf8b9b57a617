import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockChanges } from '../../../../build/github/release/lock-changes.ts';
import { review as reviewOf } from '../../../../build/github/release/review.ts';
import { cli } from '../../../support/cli.ts';
import { tableGh } from '../table-gh.ts';

const lock = (packages: object) =>
  JSON.stringify({ lockfileVersion: 3, packages: { '': { version: '1.0.0' }, ...packages } });
const BEFORE = {
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/b': { version: '1.0.0', integrity: 'sha512-b', dev: true },
  'node_modules/c': { version: '1.0.0', integrity: 'sha512-c' },
  'node_modules/esbuild': { version: '1.0.0', integrity: 'sha512-e', dev: true },
};
const AFTER = {
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-OTHER' },
  'node_modules/b': { version: '2.0.0', integrity: 'sha512-b2', dev: true },
  'node_modules/d': { version: '1.0.0', integrity: 'sha512-d' },
  'node_modules/esbuild': { version: '1.0.1', integrity: 'sha512-e2', dev: true },
};

describe('lockChanges', () => {
  it('tells what was added, removed, raised, and whose bytes differ under the same version', () => {
    expect(
      lockChanges(lock(BEFORE), lock(AFTER)).map(({ place, kind, from, to }) => [place.slice(13), kind, from, to]),
    ).toEqual([
      ['a', 'same version, other bytes', '1.0.0', '1.0.0'],
      ['b', 'version', '1.0.0', '2.0.0'],
      ['c', 'removed', '1.0.0', null],
      ['d', 'added', null, '1.0.0'],
      ['esbuild', 'version', '1.0.0', '1.0.1'],
    ]);
  });

  it.each([
    ['used in development alone before', { dev: true }, {}, false],
    ['used in development alone now', {}, { dev: true }, true],
    ['not used any more', {}, undefined, false],
    ['not used in development any more', { dev: true }, undefined, true],
    ['new', undefined, {}, false],
  ])('goes by what a package is now: %s', (_, before, after, development) => {
    const at = (version: string, one: object | undefined) => lock(one ? { 'node_modules/a': { version, ...one } } : {});
    expect(lockChanges(at('1.0.0', before), at('2.0.0', after))).toMatchObject([{ development }]);
  });

  it.each([
    ['another commit of a repository', 'git+ssh://git@a.invalid/a.git#1', 'git+ssh://git@a.invalid/a.git#2', undefined],
    ['another address without a digest', 'https://a.invalid/a.tgz', 'https://b.invalid/a.tgz', undefined],
    ['a digest that is gone', 'https://a.invalid/a.tgz', 'https://a.invalid/a.tgz', 'sha512-a'],
  ])('tells %s', (_, from, to, integrity) => {
    const at = (resolved: string, more: object) => lock({ 'node_modules/a': { version: '1.0.0', resolved, ...more } });
    expect(lockChanges(at(from, { integrity }), at(to, {}))).toMatchObject([{ kind: 'same version, other bytes' }]);
  });

  it('does not tell the same bytes from another address', () => {
    const at = (resolved: string) => lock({ 'node_modules/a': { version: '1.0.0', resolved, integrity: 'sha512-a' } });
    expect(lockChanges(at('https://a.invalid/a.tgz'), at('https://b.invalid/a.tgz'))).toEqual([]);
  });

  it('says nothing of a file that says the same', () => expect(lockChanges(lock(AFTER), lock(AFTER))).toEqual([]));
});

describe('github review', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'review-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const git = (...argv: string[]) =>
    execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.invalid', ...argv], { cwd: root });
  function commit(message: string, files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(root, path, '..'), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    git('add', '--all');
    git('commit', '--quiet', '--message', message);
  }
  function review() {
    const parts = `${root}-parts`;
    mkdirSync(join(parts, 'compiled'), { recursive: true });
    const slices = [{ architecture: 'arm64', sha256: 'b'.repeat(64) }];
    const record = {
      schema: 1,
      version: '1.2.0',
      commit: 'c'.repeat(40),
      sourceDateEpoch: 1,
      toolchain: 'portable',
      tools: { clang: '18' },
      slices,
    };
    writeFileSync(join(parts, 'compiled/compiled.json'), JSON.stringify(record));
    cpSync('.build/cli.mjs', join(parts, 'cli.mjs'));
    const env = { GITHUB_STEP_SUMMARY: join(parts, 'summary.md') };
    const argv = ['github', 'review', '--parts', parts, '--parts-sha256', 'a'.repeat(64)];
    const run = cli(argv, { cwd: root, env, program: join(parts, 'cli.mjs') });
    const page = run.status === 0 ? readFileSync(join(parts, 'summary.md'), 'utf8') : '';
    rmSync(parts, { recursive: true });
    return { ...run, page };
  }

  it('tells digests, and what changed since the last release below this version', () => {
    git('init', '--quiet', '--initial-branch=main');
    commit('first', { 'package.json': '{"version":"1.1.0"}', 'package-lock.json': lock(BEFORE), 'src/a.ts': '' });
    git('tag', 'v1.1.0');
    commit('second <b>*bold*</b>', {
      'package.json': '{"version":"1.2.0"}',
      'package-lock.json': lock(AFTER),
      'src/a.ts': 'x',
      'scripts/status.sh': 'x',
    });
    git('tag', 'v9.0.0');
    const { page, status, stderr } = review();
    expect(status, stderr).toBe(0);
    for (const words of [
      '### About to be signed: 1.2.0',
      `\`${'c'.repeat(40)}\`, compiled with clang 18`,
      `| parts.tar | \`${'a'.repeat(64)}\` |`,
      `| code for arm64 | \`${'b'.repeat(64)}\` |`,
      '**Since v1.1.0**',
      '    a: same version, other bytes (1.0.0), SAYS WHAT IS SIGNED  <-- LOOK',
      '    b: 1.0.0 -> 2.0.0, development\n',
      '    c: removed (1.0.0), SAYS WHAT IS SIGNED\n',
      '    d: added (1.0.0), SAYS WHAT IS SIGNED\n',
      '    esbuild: 1.0.0 -> 1.0.1, SAYS WHAT IS SIGNED',
      '    A scripts/status.sh',
      '1 other files changed',
      // Indented by four: no Markdown.
      ' A: second <b>*bold*</b>',
    ])
      expect(page).toContain(words);
    expect(page).not.toContain('src/a.ts');
    expect(page.split('\n').filter((line) => line.includes('<b>'))).toEqual([expect.stringMatching(/^ {4}\w/)]);
  });

  it('tells 200 lines of each list, and how many more there are', async () => {
    git('init', '--quiet', '--initial-branch=main');
    commit('first', { 'package.json': '{}', 'package-lock.json': lock({}) });
    for (const tag of ['v1.1.10', 'v1.1.9', 'v1.0.99', 'v1.10.0-beta', 'vx', 'v1.1']) git('tag', tag);
    const many = (count: number, name: (at: number) => string) => Array.from({ length: count }, (_, at) => name(at));
    const packages = many(200, (at) => `node_modules/p${1000 + at}`).map((place) => [place, { version: '1.0.0' }]);
    const files = many(201, (at) => `scripts/s${1000 + at}`).map((path) => [path, '']);
    commit('second', { 'package-lock.json': lock(Object.fromEntries(packages)), ...Object.fromEntries(files) });
    git('tag', 'v1.2.0');
    const parts = join(root, 'parts');
    mkdirSync(join(parts, 'compiled'), { recursive: true });
    const record = { schema: 1, version: '1.2.0', commit: null, sourceDateEpoch: 1, toolchain: 'portable', tools: { clang: '18', lld: '19' }, slices: [{ architecture: 'arm64', sha256: 'b'.repeat(64) }] };
    writeFileSync(join(parts, 'compiled/compiled.json'), JSON.stringify(record));
    writeFileSync(join(parts, 'cli.mjs'), 'x');
    const asked = { parts, partsSha256: 'a'.repeat(64) };
    const { document, text } = await tableGh(root, {}).run((context) => reviewOf(context, asked), {}, root);
    expect(document).toMatchObject({ schema: 1, version: '1.2.0', commit: null, last: 'v1.1.10', commits: [expect.stringMatching(/^[0-9a-f]+ A: second$/)] });
    expect(text).toContain('Commit `unknown`, compiled with clang 18, lld 19. ');
    expect(text).toContain('Packages in package-lock.json (200):\n\n    p1000: added (1.0.0), SAYS WHAT IS SIGNED\n');
    expect(text).toContain('    p1199: added (1.0.0), SAYS WHAT IS SIGNED\n\nFiles');
    // The 201 scripts and package-lock.json, which comes first.
    expect(text).toContain('sign or decide (202):\n\n    M package-lock.json\n');
    expect(text).toContain('    A scripts/s1198\n    and 2 more\n\n0 other files changed.\n');
  }); // biome-ignore format: a list

  it('names each file that decides, and each package that makes the command line', async () => {
    const named = [
      'payload/a', 'payload/b/c', 'scripts/a', '.github/a', '.github/workflows/b', 'certificates/a', 'release.config.json', 'package.json', 'package-lock.json', '.npmrc',
      ...['setup', 'signing', 'signers', 'look', 'github'].map((folder) => `build/${folder}/a`),
    ];
    const others = [
      'src/payload/a', 'payloads/a', 'myscripts/a', 'scripts.md', 'a/.github/b', 'x.github/a', '.githubx/a', 'build/plan/a', 'build/lookx/a', 'a/build/look/a', 'build/look.ts', 'a/certificates/b', 'certificatesx/a',
      'a/release.config.json', 'release.config.jsonx', 'releasexconfig.json', 'packages.json', 'package-lock.jsonx', 'a/package.json', 'package-locked.json', 'package.jsonx', 'a/.npmrc', '.npmrcx', 'x.npmrc',
    ];
    const builders = ['esbuild', '@esbuild/linux-x64', 'a/node_modules/esbuild', 'a/node_modules/@esbuild/darwin-arm64'];
    const plain = ['esbuildx', 'xesbuild', '@esbuild/a/b', '@esbuildx/a', 'x@esbuild/a'];
    git('init', '--quiet', '--initial-branch=main');
    commit('first', { first: '' });
    git('tag', 'v1.1.0');
    const packages = Object.fromEntries([...builders, ...plain].map((name) => [`node_modules/${name}`, { version: '1.0.0', dev: true }]));
    commit('second', { ...Object.fromEntries([...named, ...others].map((path) => [path, ''])), 'package-lock.json': lock(packages) });
    const parts = join(root, 'parts');
    mkdirSync(join(parts, 'compiled'), { recursive: true });
    const record = { schema: 1, version: '1.2.0', commit: null, sourceDateEpoch: 1, toolchain: 'portable', tools: { clang: '18' }, slices: [{ architecture: 'arm64', sha256: 'b'.repeat(64) }] };
    writeFileSync(join(parts, 'compiled/compiled.json'), JSON.stringify(record));
    writeFileSync(join(parts, 'cli.mjs'), 'x');
    const { text } = await tableGh(root, {}).run((context) => reviewOf(context, { parts, partsSha256: 'a'.repeat(64) }), {}, root);
    const listed = text?.split('\n').flatMap((line) => /^ {4}A (.*)$/.exec(line)?.[1] ?? []);
    expect(listed).toEqual([...named].sort());
    expect(text).toContain(`\n${others.length} other files changed.\n`);
    const signing = text?.split('\n').flatMap((line) => /^ {4}(.*): added .*, SAYS WHAT IS SIGNED$/.exec(line)?.[1] ?? []);
    expect(signing).toEqual([...builders].sort());
    expect(text?.match(/: added \(1\.0\.0\), development$/gm)).toHaveLength(plain.length);
  }); // biome-ignore format: a list

  it('says so when there was no release before', () => {
    git('init', '--quiet', '--initial-branch=main');
    commit('first', { 'package.json': '{"version":"1.2.0"}', 'package-lock.json': lock(BEFORE) });
    expect(review().page).toContain('no earlier release');
  });

  it('refuses a checkout without its history', () => {
    git('init', '--quiet', '--initial-branch=main');
    commit('first', { 'package.json': '{"version":"1.2.0"}', 'package-lock.json': lock(BEFORE) });
    writeFileSync(join(root, '.git/shallow'), execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root }));
    expect(review()).toMatchObject({ status: 2, stderr: expect.stringContaining('fetch-depth: 0') });
  });
});
