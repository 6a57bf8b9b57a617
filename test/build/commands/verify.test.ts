import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtPackage } from '../../support/built-package.ts';
import { cli } from '../../support/cli.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'verify-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const write = (name: string, content: Buffer | string) => {
  const path = join(scratch, name);
  writeFileSync(path, content);
  return path;
};
const policy = (demands: object) => write('policy.json', JSON.stringify({ schema: 1, ...demands }));
const rehearsal = (...argv: string[]) => cli(['verify', builtPackage(), '--trust', 'rehearsal', ...argv]);
const failedIds = (stdout: string) =>
  JSON.parse(stdout)
    .checks.filter((check: { status: string }) => check.status === 'fail')
    .map((check: { id: string }) => check.id);

describe('verify', () => {
  it('passes the package of this run by the rehearsal authority, and says what that is worth', () => {
    const run = rehearsal();
    expect(run.status).toBe(0);
    expect(run.stdout).toContain('no Mac trusts this package');
    expect(run.stdout).toMatch(
      /\nPASS: .*Escrow\.Buddy-1\.1\.0-rehearsal\.pkg: Developer ID Installer: REHEARSAL.*\n$/,
    );
    expect(run.stdout).not.toContain('FAIL');
  });

  it('does not trust it otherwise, with exit 6 and the way out', () => {
    const run = cli(['verify', builtPackage()]);
    expect(run.status).toBe(6);
    expect(run.stdout).toContain('--trust rehearsal');
    expect(run.stdout).toMatch(/\nFAIL: .* checks failed: .*package-chain.*\n$/);
  });

  it('answers each question in one line, and shows every check with --verbose', () => {
    const run = rehearsal();
    expect(run.stdout).toMatch(/^pass {5}Who signed it .*REHEARSAL/);
    expect(run.stdout).toMatch(/\nWhat it may do\n.*\n {2}scripts that run as root/);
    expect(run.stdout).not.toContain('form-toc');
    expect(rehearsal('--verbose').stdout).toMatch(/\n {2}pass {5}form-toc\n/);
  });

  it('writes the same as a page with --html', () => {
    const page = join(scratch, 'report.html');
    expect(rehearsal('--html', page).status).toBe(0);
    expect(readFileSync(page, 'utf8')).toMatch(/<h1 class="pass">Passed<\/h1>[\s\S]*form-toc/);
  });

  it('holds a package of ours to another form when told whose tools made it', () => {
    const ids = (...argv: string[]) =>
      JSON.parse(rehearsal('--json', ...argv).stdout).checks.map(({ id }: { id: string }) => id);
    expect(ids()).toContain('form-toc');
    expect(ids('--made-by', 'apple')).not.toContain('form-toc');
    expect(ids('--made-by', 'apple')).toContain('form-distribution');
  });

  it('prints one JSON document with --json', () => {
    const run = rehearsal('--json');
    expect(JSON.parse(run.stdout)).toMatchObject({
      schema: 1,
      trust: 'rehearsal',
      verdict: 'pass',
      facts: { identifier: 'com.netflix.Escrow-Buddy', version: '1.1.0', teamIdentifier: 'REHEARSAL0' },
    });
  });

  it('refuses a damaged package with exit 6', () => {
    const data = readFileSync(builtPackage());
    data[data.length - 5_000] = (data[data.length - 5_000] as number) ^ 1;
    const run = cli(['verify', write('damaged.pkg', data), '--trust', 'rehearsal', '--json']);
    expect(run.status).toBe(6);
    expect(failedIds(run.stdout)).toContain('member-checksums');
  });

  it('refuses what is not a package with exit 6, and a missing file with exit 2', () => {
    expect(cli(['verify', write('text.pkg', 'hello')]).status).toBe(6);
    expect(cli(['verify', join(scratch, 'missing.pkg')]).status).toBe(2);
  });

  it('shows no control characters of a file', () => {
    const run = cli(['verify', write('escape.pkg', Buffer.from('\x1b]0;x\x07'))]);
    expect(run.stdout).not.toContain('\x1b');
  });
});

describe('verify --policy', () => {
  const fitting = {
    team: 'REHEARSAL0',
    minimumMacOS: '10.14.4',
    allowedPaths: ['/Library/Security/SecurityAgentPlugins/Escrow Buddy.bundle'],
    allowedMechanisms: ['Escrow Buddy:Invoke,privileged'],
  };

  it('passes a package that meets all demands', () => {
    expect(rehearsal('--policy', policy(fitting)).status).toBe(0);
  });

  it.each([
    ['policy-team', { team: 'ABCDE12345' }],
    ['policy-minimum-macos', { minimumMacOS: '10.14' }],
    ['policy-paths', { allowedPaths: ['/Applications'] }],
    ['policy-mechanisms', { allowedMechanisms: ['Other:Invoke,privileged'] }],
  ])('fails %s', (id, demand) => {
    const run = rehearsal('--json', '--policy', policy({ ...fitting, ...demand }));
    expect(run.status).toBe(6);
    expect(failedIds(run.stdout)).toEqual([id]);
  });

  it('refuses a policy that is none with exit 2, naming every problem', () => {
    const run = rehearsal('--policy', policy({ team: 'x', paths: [] }));
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(/team: "x": allowed is 10 capital letters/);
    expect(run.stderr).toContain('paths');
  });
});
