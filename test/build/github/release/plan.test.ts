import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderFindings } from '../../../../build/github/upkeep/issue.ts';
import { type CliRun, cli } from '../../../support/cli.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'plan-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Project {
  readonly heading?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly toolchain?: string;
}

/** Runs a command in a project of version 1.1.0 whose repository has these tags; returns its outputs too. */
function run(
  command: string,
  { heading = '## 1.1.0, 2026-11-24', tags = {}, toolchain = 'portable' }: Project,
): CliRun & { outputs: string } {
  const root = mkdtempSync(join(scratch, 'project-'));
  const state = join(root, 'state');
  mkdirSync(state);
  cpSync('package.json', join(root, 'package.json'));
  const config = JSON.parse(readFileSync('release.config.json', 'utf8'));
  writeFileSync(
    join(root, 'release.config.json'),
    JSON.stringify({ ...config, signing: { ...config.signing, toolchain } }),
  );
  writeFileSync(join(root, 'CHANGELOG.md'), `# Changelog\n\n${heading}\n\n- A line.\n`);
  writeFileSync(join(state, 'github.json'), JSON.stringify({ releases: [], tags, calls: [], faults: [] }));
  writeFileSync(
    join(root, 'gh'),
    `#!/bin/sh\nexec "${process.execPath}" "${resolve('test/github/fake-gh.mjs')}" "${state}" "$@"\n`,
  );
  chmodSync(join(root, 'gh'), 0o755);
  cpSync('.build/cli.mjs', join(root, 'cli.mjs'));
  const env = {
    GITHUB_REPOSITORY: 'owner/name',
    GITHUB_SHA: 'a'.repeat(40),
    GH_TOKEN: 't',
    GITHUB_OUTPUT: join(root, 'output'),
    PATH: `${root}:${process.env.PATH}`,
  };
  writeFileSync(join(root, 'output'), '');
  const ended = cli(['github', command], { env, cwd: root, program: join(root, 'cli.mjs') });
  return { ...ended, outputs: readFileSync(join(root, 'output'), 'utf8') };
}

describe('github plan', () => {
  it('releases a version that has a date and no tag', () => {
    expect(run('plan', { tags: { 'v1.0.0': 'b', 'v1.1.0-old': 'c', 'v1.1.00': 'd' } }).outputs).toBe(
      'release=true\nversion=1.1.0\ntag=v1.1.0\nrunner=ubuntu-24.04\ndeveloper-dir=\n',
    );
  });

  it.each([
    ['the tag is there', { tags: { 'v1.1.0': 'b' } }, 'v1.1.0 is published, at b'],
    ['the changelog gives no date', { heading: '## 1.1.0, not released' }, 'gives 1.1.0 no date'],
    ['the changelog does not know the version', { heading: '## 1.1.01, 2026-11-24' }, 'gives 1.1.0 no date'],
  ])('does nothing when %s', (_, project, words) => {
    const { outputs, stdout } = run('plan', project);
    expect(outputs).toContain('release=false\n');
    expect(stdout).toContain(words);
  });

  it("puts everything on macOS for apple's tools", () => {
    expect(run('plan', { toolchain: 'apple' }).outputs).toContain(
      'runner=macos-26\ndeveloper-dir=/Applications/Xcode_26.6.app/Contents/Developer\n',
    );
  });
});

describe('github check-version', () => {
  it.each([
    ['a new version', {}, 0, ''],
    ['the version that is published', { tags: { 'v1.1.0': 'b' } }, 0, ''],
    ['a version below the newest', { tags: { 'v1.9.0': 'b', 'v1.10.0': 'c' } }, 2, '1.10.0 is published'],
    ['a version without an entry', { heading: '## 1.0.0, 2024-01-01' }, 2, 'no heading for 1.1.0'],
  ])('judges %s', (_, project, status, words) => {
    const ended = run('check-version', project);
    expect(ended.status, ended.stderr).toBe(status);
    expect(ended.stderr).toContain(words);
  });
});

describe('the issue of the weekly check', () => {
  it('has a section for each finding and each check that failed, and is empty when all is well', () => {
    const body = renderFindings({
      CERTIFICATES_FINDINGS: 'a ends; b ends',
      CERTIFICATES_RESULT: 'success',
      NOTARY_RESULT: 'failure',
    });
    expect(body).toContain('### Certificates\n\n- a ends\n- b ends\n');
    expect(body).toContain('### Notary key and agreement\n\n- the check itself ended with: failure');
    expect(body).not.toContain('Pinned');
    expect(
      renderFindings({
        CERTIFICATES_RESULT: 'success',
        PINS_RESULT: 'success',
        PINS_FINDINGS: '',
        NOTARY_RESULT: 'success',
      }),
    ).toBe('');
  });
});
