import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parts } from '../../../build/commands/parts.ts';
import { createProgress } from '../../../build/report/progress.ts';
import { removeOwnUnfinished } from '../../../src/base/files.ts';
import { ofTheDay } from '../../support/by-day.ts';
import { cli } from '../../support/cli.ts';
import { sha256 } from '../../support/file-digest.ts';
import { inProcess } from '../../support/in-process.ts';
import { quickCompiler } from '../../support/quick-compiler.ts';

let scratch: string;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'parts-'));
  expect((await inProcess(['parts', '--out', join(scratch, 'parts')])).status).toBe(0);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const sealed = (folder: string, ...argv: string[]) =>
  spawnSync(process.execPath, ['cli.mjs', ...argv], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: '/nonexistent', HOME: folder },
  });

describe('parts', () => {
  it('holds the command line, slices, scripts, configuration, and nothing else', () => {
    expect(readdirSync(join(scratch, 'parts')).sort()).toEqual([
      'CHANGELOG.md',
      'build',
      'cli.mjs',
      'compiled',
      'package-lock.json',
      'package.json',
      'payload',
      'release.config.json',
      'scripts',
    ]);
    expect(readdirSync(join(scratch, 'parts/compiled')).sort()).toEqual(['arm64', 'compiled.json', 'x86_64']);
    expect(readdirSync(join(scratch, 'parts/payload')).sort()).toEqual([
      'Info.plist',
      'kit',
      'permissions.json',
      'plugin',
    ]);
  });

  it(`tells the digests of the archive, the command line and both slices${ofTheDay}`, () => {
    // At night compiled anew, by the real compiler, as `prove` does every day: the other archive may hold what was kept.
    const env = ofTheDay ? {} : { PATH: process.env.PATH };
    const run = cli(['parts', '--json', '--out', join(scratch, 'again')], { env });
    const { archive, files } = JSON.parse(run.stdout);
    expect(archive.sha256).toBe(sha256(join(scratch, 'again.tar')));
    for (const file of files) expect(file.sha256).toBe(sha256(file.path));
    expect(files).toHaveLength(4);
    expect(archive.sha256, 'the same bytes the second time').toBe(sha256(join(scratch, 'parts.tar')));
  });

  it('fails when a second build gives other bytes than expected', async () => {
    const run = await inProcess(['parts', '--out', join(scratch, 'deep/er/other'), '--expect', '0'.repeat(64)]);
    expect(run).toMatchObject({ status: 6 });
    expect(run.stderr).toContain('the parts have sha256');
  });

  it('leaves no folder that is half filled', async () => {
    const root = join(scratch, 'without change log');
    for (const name of ['release.config.json', 'package.json', 'payload', 'scripts'])
      cpSync(name, join(root, name), { recursive: true });
    const out = join(scratch, 'cut off');
    const { signal } = new AbortController();
    const progress = createProgress({ stream: process.stderr, verbose: false, color: false });
    const context = {
      root,
      program: 'package.json',
      progress,
      signal,
      json: false,
      argv: ['parts'],
      verbose: false,
      env: { SOURCE_DATE_EPOCH: '0' },
    };
    const { PATH } = process.env;
    process.env.PATH = quickCompiler();
    await expect(parts(context, { out })).rejects.toMatchObject({ code: 'ENOENT' });
    process.env.PATH = PATH;
    removeOwnUnfinished();
    expect(readdirSync(scratch).filter((name) => name.includes('cut off'))).toEqual([]);
  });

  it('refuses a folder that holds something', async () => {
    expect((await inProcess(['parts', '--out', join(scratch, 'parts')])).status).toBe(2);
  });
});

describe('release --compiled', () => {
  it('signs the parts with Node.js alone: no checkout, no modules, no program on PATH', () => {
    const folder = join(scratch, 'sealed');
    cpSync(join(scratch, 'parts'), folder, { recursive: true });
    const run = sealed(folder, 'release', '--compiled', '.', '--until', 'sign-package', '--out', 'out', '--json');
    expect(run.status, run.stderr).toBe(0);
    const manifest = JSON.parse(run.stdout);
    expect(manifest.stages.map(({ name }: { name: string }) => name).at(-1)).toBe('sign-package');
    const compiled = JSON.parse(readFileSync(join(folder, 'compiled/compiled.json'), 'utf8'));
    expect(manifest.commit).toBe(compiled.commit);
    expect(manifest.tools).toMatchObject(compiled.tools);
  });

  it('refuses a slice that is not the one that was compiled', async () => {
    const folder = join(scratch, 'changed');
    cpSync(join(scratch, 'parts'), folder, { recursive: true });
    appendFileSync(join(folder, 'compiled/arm64'), '\0');
    const argv = ['release', '--compiled', '.', '--until', 'sign-package', '--out', 'out'];
    const run = await inProcess(argv, { cwd: folder });
    expect(run.status).toBe(6);
    expect(run.stderr).toMatch(/arm64 has sha256 [0-9a-f]{64}, not [0-9a-f]{64}/);
  });

  it('refuses a folder that parts did not make', async () => {
    const run = await inProcess([
      'release',
      '--compiled',
      tmpdir(),
      '--until',
      'compile',
      '--out',
      join(scratch, 'none'),
    ]);
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('compiled.json');
  });
});
