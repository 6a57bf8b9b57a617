import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { lockChanges } from '../../../../build/github/release/lock-changes.ts';
import { readReleasePage, releaseNotes } from '../../../../build/github/release/notes.ts';
import { summary } from '../../../../build/github/release/summary.ts';
import { verdictProblems } from '../../../../build/github/release/verdicts.ts';
import { tableGh } from '../table-gh.ts';
import { verdict } from './verdicts.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pages-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const asset = (name: string) => ({ name, path: name, size: 1, sha256: '0'.repeat(64) });

describe('releaseNotes', () => {
  const notes = (first: string, ...others: string[]) =>
    releaseNotes({
      repository: 'o/n',
      tag: 'v1.1.0',
      assets: [asset(first), ...others.map(asset)],
      changes: 'CHANGES',
      page: 'PAGE\n\n',
    });

  it('begins with what changed and whose package it is, and says how to check the first asset', () => {
    expect(notes('a.pkg', 'b.zip')).toMatch(/^CHANGES\n\nPAGE\n\n## Everything beside it\n/);
    expect(/```sh\n(.*?)```/s.exec(notes('a.pkg', 'b.zip'))?.[1]?.split('\n')).toEqual([
      'gh attestation verify a.pkg -R o/n --signer-workflow o/n/.github/workflows/release.yml --source-ref refs/heads/main --deny-self-hosted-runners',
      'gh release verify-asset v1.1.0 a.pkg -R o/n',
      'shasum -a 256 --ignore-missing -c SHA256SUMS',
      'pkgutil --check-signature a.pkg',
      'spctl -a -vv -t install a.pkg',
      '',
    ]);
  });

  it('names the log of the notary where it is an asset, and only there', () => {
    const log = "- `notary-log.json`: what Apple's notary said.\n";
    expect(notes('a.pkg', 'notary-log.json').endsWith(log)).toBe(true);
    expect(notes('a.pkg', 'x-notary-log.json')).not.toContain('notary-log.json');
  });
});

describe('readReleasePage', () => {
  const sha256 = createHash('sha256').update('the page é').digest('hex');
  const read = async (path: string, digest: string) => {
    mkdirSync(join(folder, 'extras'), { recursive: true });
    writeFileSync(join(folder, 'extras/release-notes.md'), 'the page é');
    return readReleasePage(folder, { files: [{ path, sha256: digest }] } as unknown as Parameters<typeof readReleasePage>[1]); // biome-ignore format: a line
  };

  it('returns the page that the manifest names, and refuses another', async () => {
    expect(await read('extras/release-notes.md', sha256)).toBe('the page é');
    await expect(read('extras/release-notes.md', '0'.repeat(64))).rejects.toMatchObject({ code: 'ASSET_CHANGED', message: expect.stringContaining(`has sha256 ${sha256}, release.json says 0000`) }); // biome-ignore format: a line
    await expect(read('other.md', sha256)).rejects.toThrow('release.json says nothing of it');
  });
});

describe('github summary', () => {
  const of = async (change: (manifest: any) => void) => {
    cpSync(join(inject('releaseFolder'), 'release.json'), join(folder, 'release.json'));
    const manifest = JSON.parse(readFileSync(join(folder, 'release.json'), 'utf8'));
    change(manifest);
    writeFileSync(join(folder, 'release.json'), JSON.stringify(manifest));
    const env = { GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STEP_SUMMARY: join(folder, 'page') };
    const { text, document } = await tableGh(folder, {}).run((context) => summary(context, folder), env);
    expect(readFileSync(env.GITHUB_STEP_SUMMARY, 'utf8')).toBe(`${text.trimEnd()}\n\n`);
    return { manifest, text, document, output: readFileSync(env.GITHUB_OUTPUT, 'utf8') };
  };

  it('tells files and stages, and gives the package to the next job', async () => {
    const { manifest, text, document, output } = await of(() => undefined);
    const { files, stages, product, version } = manifest;
    const package_ = files.find(({ role }: { role: string }) => role === 'package');
    expect(output).toBe(`package=${package_.path}\npackage-sha256=${package_.sha256}\nteam=${manifest.package.teamIdentifier}\n`); // biome-ignore format: a line
    expect(document).toEqual({ schema: 1, version, mode: manifest.mode });
    const rows = files.map((file: any) => `| ${file.path} | ${file.size} | \`${file.sha256}\` |\n`).join('');
    const times = stages.map((one: any) => `| ${one.name} | ${one.outcome} | ${one.seconds} s |\n`).join('');
    expect(text).toBe(`### ${product} ${version}, ${manifest.mode}

No Mac trusts this package: throw-away identities signed it, to show that everything works.

Commit \`${manifest.commit ?? 'unknown'}\`, signed by ${manifest.package.signer}, team ${manifest.package.teamIdentifier}.

| file | bytes | sha256 |
|---|---|---|
${rows}
| stage | outcome | time |
|---|---|---|
${times}`);
  });

  it('says nothing of trust where it is a release, and what nobody knows', async () => {
    const { text, output } = await of((manifest) => {
      Object.assign(manifest, { mode: 'release', commit: null, package: null });
      manifest.files = manifest.files.filter(({ role }: { role: string }) => role !== 'package');
    });
    expect(text).not.toContain('No Mac trusts');
    expect(text).toContain('\n\nCommit `unknown`, signed by nobody, team none.\n');
    expect(output).toBe('package=\npackage-sha256=\nteam=\n');
  });

  it('refuses a folder without release.json', async () => {
    const empty = mkdtempSync(join(folder, 'empty-'));
    await expect(tableGh(folder, {}).run((context) => summary(context, empty))).rejects.toMatchObject({ code: 'NOTHING_TO_REPORT' }); // biome-ignore format: a line
  });
});

describe('lockChanges at its edges', () => {
  const lock = (packages: object) => JSON.stringify({ packages });
  const a = { version: '1', integrity: 'x' };
  const change = { place: 'node_modules/a', from: '1', to: '1', development: false };

  it.each([
    ['nothing was there before', null, { 'node_modules/a': a }, [{ ...change, kind: 'added', from: null }]],
    ['the project itself', lock({ '': { version: '1' } }), { '': { version: '2' } }, []],
    ['places in any order', lock({}), { b: a, a }, [{ ...change, place: 'a', kind: 'added', from: null }, { ...change, place: 'b', kind: 'added', from: null }]],
    ['neither version nor digest', lock({ 'node_modules/a': {} }), { 'node_modules/a': {} }, []],
    ['a digest that went', lock({ 'node_modules/a': a }), { 'node_modules/a': { version: '1' } }, [{ ...change, kind: 'same version, other bytes' }]],
    ['a version that came', lock({ 'node_modules/a': { integrity: 'x' } }), { 'node_modules/a': a }, [{ ...change, kind: 'version', from: null }]],
    ['no longer for development', lock({ 'node_modules/a': { ...a, dev: true } }), { 'node_modules/a': { ...a, integrity: 'y' } }, [{ ...change, kind: 'same version, other bytes' }]],
    ['gone from development', lock({ 'node_modules/a': { ...a, dev: true } }), {}, [{ ...change, kind: 'removed', to: null, development: true }]],
  ])('%s', (_, before, after, expected) => expect(lockChanges(before, lock(after))).toEqual(expected)); // biome-ignore format: a table

  it('refuses what is no lock', () => {
    expect(() => lockChanges(null, '{')).toThrow('package-lock.json');
    expect(() => lockChanges(null, '{}')).toThrow();
  });
});

describe('verdictProblems at its edges', () => {
  const PACKAGE = { name: 'a.pkg', sha256: 'a'.repeat(64), team: 'ABCDE12345' };
  const IMAGES = ['macos-15', 'macos-15-intel', 'macos-26', 'macos-26-intel', 'xcode-27'];
  const all = (edit: (one: any, image: string) => void) =>
    IMAGES.map((image) => {
      const one = verdict(image, { ...PACKAGE }) as any;
      edit(one, image);
      return `${JSON.stringify(one)}\n`;
    }).join('\n');

  it('passes with empty lines between', () =>
    expect(
      verdictProblems(
        all(() => undefined),
        PACKAGE,
      ),
    ).toEqual([]));

  it.each(['package-signature', 'ticket', 'gatekeeper', 'install', 'install-again', 'uninstall', 'load-arm64'])(
    'asks for %s',
    (id) => {
      const problems = verdictProblems(all((one, image) => image === 'xcode-27' && (one.tried = one.tried.filter((tried: string) => tried !== id))), PACKAGE); // biome-ignore format: a line
      expect(problems).toEqual([`xcode-27: did not try ${id}`]);
    },
  );

  it('asks for the slice of the processor', () => {
    const problems = verdictProblems(all((one, image) => image === 'macos-26-intel' && (one.tried = one.tried.map((id: string) => id.replace('x86_64', 'arm64')))), PACKAGE); // biome-ignore format: a line
    expect(problems).toEqual(['macos-26-intel: did not try load-x86_64']);
  });

  it.each([
    ['a version of one part', { version: '26', build: '25F71' }, true],
    ['a version of three', { version: '15.7.1', build: '24G222a' }, true],
    ['a version of four', { version: '15.7.1.1', build: '24G222' }, false],
    ['a build without its letter', { version: '15', build: '24222' }, false],
    ['more', { version: '15', build: '24G222', more: 1 }, false],
  ])('reads %s', (_, macOS, fits) => {
    const problems = verdictProblems(
      all((one, image) => image === 'macos-15' && (one.macOS = macOS)),
      PACKAGE,
    );
    expect(problems).toEqual(fits ? [] : ['line 1 is not a verdict', 'macos-15: no verdict']);
  });
});
