import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formOf } from '../../../build/commands/verify.ts';
import { appleTrust } from '../../../src/pki/x509/apple-roots.ts';
import { builtPackage } from '../../support/built-package.ts';
import { inProcess } from '../../support/in-process.ts';

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
const rehearsal = (...argv: string[]) => inProcess(['verify', builtPackage(), '--trust', 'rehearsal', ...argv]);
const failedIds = (stdout: string) =>
  JSON.parse(stdout)
    .checks.filter((check: { status: string }) => check.status === 'fail')
    .map((check: { id: string }) => check.id);

describe('verify', () => {
  it('passes the package of this run by the rehearsal authority, and says what that is worth', async () => {
    const run = await rehearsal();
    expect(run.status).toBe(0);
    expect(run.stdout).toContain('no Mac trusts this package');
    expect(run.stdout).toMatch(
      /\nPASS: .*Escrow\.Buddy-1\.1\.0-rehearsal\.pkg: Developer ID Installer: REHEARSAL.*\n$/,
    );
    expect(run.stdout).not.toContain('FAIL');
  });

  it('does not trust it otherwise, with exit 6 and the way out', async () => {
    const run = await inProcess(['verify', builtPackage()]);
    expect(run.status).toBe(6);
    expect(run.stdout).toContain('--trust rehearsal');
    expect(run.stdout).toMatch(/\nFAIL: .* checks failed: .*package-chain.*\n$/);
  });

  it('answers each question in one line, and shows every check with --verbose', async () => {
    const run = await rehearsal();
    expect(run.stdout).toMatch(/^pass {5}Who signed it .*REHEARSAL/);
    expect(run.stdout).toMatch(/\nWhat it may do\n.*\n {2}scripts that run as root/);
    expect(run.stdout).not.toContain('form-toc');
    expect((await rehearsal('--verbose')).stdout).toMatch(/\n {2}pass {5}form-toc\n/);
  });

  it('writes the same as a page with --html', async () => {
    const page = join(scratch, 'report.html');
    expect((await rehearsal('--html', page)).status).toBe(0);
    expect(readFileSync(page, 'utf8')).toMatch(/<h1 class="pass">Passed<\/h1>[\s\S]*form-toc/);
    // Where it cannot be written is known before the package is looked at.
    const nowhere = await inProcess(['verify', 'none.pkg', '--html', join(scratch, 'missing/report.html')]);
    expect([nowhere.status, nowhere.stderr]).toEqual([2, expect.stringContaining('missing')]);
    expect(nowhere.stderr).not.toContain('none.pkg\n');
  });

  it('holds a package of ours to another form when told whose tools made it', async () => {
    const ids = async (...argv: string[]) =>
      JSON.parse((await rehearsal('--json', ...argv)).stdout).checks.map(({ id }: { id: string }) => id);
    expect(await ids()).toContain('form-toc');
    expect(await ids('--made-by', 'apple')).not.toContain('form-toc');
    expect(await ids('--made-by', 'apple')).toContain('form-distribution');
  });

  it('prints one JSON document with --json', async () => {
    const run = await rehearsal('--json');
    expect(JSON.parse(run.stdout)).toMatchObject({
      schema: 1,
      trust: 'rehearsal',
      verdict: 'pass',
      facts: { identifier: 'com.netflix.Escrow-Buddy', version: '1.1.0', teamIdentifier: 'REHEARSAL0' },
    });
  });

  it('refuses a damaged package with exit 6', async () => {
    const data = readFileSync(builtPackage());
    data[data.length - 5_000] = (data[data.length - 5_000] as number) ^ 1;
    const run = await inProcess(['verify', write('damaged.pkg', data), '--trust', 'rehearsal', '--json']);
    expect(run.status).toBe(6);
    expect(failedIds(run.stdout)).toContain('member-checksums');
  });

  it('refuses what is not a package with exit 6, and a missing file with exit 2', async () => {
    expect((await inProcess(['verify', write('text.pkg', 'hello')])).status).toBe(6);
    expect((await inProcess(['verify', join(scratch, 'missing.pkg')])).status).toBe(2);
  });

  it('takes the authority of a checkout that has one, and knows what is ours only in a checkout', async () => {
    const CHECKOUT = ['package.json', 'payload', 'release.config.json', 'scripts'];
    const bare = join(scratch, 'bare');
    mkdirSync(bare);
    const inBare = (...argv: string[]) =>
      inProcess(['verify', builtPackage(), '--json', ...argv], { cwd: bare, root: bare });
    const none = await inBare('--trust', 'rehearsal');
    expect([none.status, none.stderr]).toEqual([2, expect.stringContaining('there is no rehearsal authority in')]);
    const ids = async (...argv: string[]) =>
      JSON.parse((await inBare(...argv)).stdout).checks.map(({ id }: { id: string }) => id);
    expect(await ids()).not.toContain('form-toc');
    for (const name of CHECKOUT) symlinkSync(join(process.cwd(), name), join(bare, name));
    expect(await ids()).toContain('form-toc');
    expect(readdirSync(bare).sort()).toEqual(CHECKOUT);
  });

  it('asks what a damaged file is, and passes on what is no fault of the file', async () => {
    const of = (read: () => Promise<Buffer>) =>
      formOf('a.pkg', { size: 100, read }, process.cwd(), { trust: appleTrust(), madeBy: undefined });
    expect(await of(async () => Buffer.alloc(100))).toBeNull();
    await expect(of(() => Promise.reject(new TypeError('a slip of ours')))).rejects.toThrow('a slip of ours');
  });

  it('shows no control characters of a file', async () => {
    const run = await inProcess(['verify', write('escape.pkg', Buffer.from('\x1b]0;x\x07'))]);
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

  it('passes a package that meets all demands', async () => {
    expect((await rehearsal('--policy', policy(fitting))).status).toBe(0);
  });

  it.each([
    ['policy-team', { team: 'ABCDE12345' }],
    ['policy-minimum-macos', { minimumMacOS: '10.14' }],
    ['policy-paths', { allowedPaths: ['/Applications'] }],
    ['policy-mechanisms', { allowedMechanisms: ['Other:Invoke,privileged'] }],
  ])('fails %s', async (id, demand) => {
    const run = await rehearsal('--json', '--policy', policy({ ...fitting, ...demand }));
    expect(run.status).toBe(6);
    expect(failedIds(run.stdout)).toEqual([id]);
  });

  it('refuses a policy that is none with exit 2, naming every problem', async () => {
    const run = await rehearsal('--policy', policy({ team: 'x', paths: [] }));
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(/team: "x": allowed is 10 capital letters/);
    expect(run.stderr).toContain('paths');
  });
});
