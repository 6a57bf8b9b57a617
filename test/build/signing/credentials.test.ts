import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { lookAlikes } from '../../../build/signing/credentials.ts';
import { inProcess } from '../../support/in-process.ts';

let scratch: string;
let root: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'credentials-'));
  root = join(scratch, 'project');
  for (const part of ['payload', 'scripts', 'package.json', 'package-lock.json', 'release.config.json']) {
    cpSync(part, join(root, part), { recursive: true });
  }
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const out = () => join(scratch, 'out');
const run = (argv: string[], env: NodeJS.ProcessEnv = {}, project?: string) =>
  inProcess([...argv, '--out', out()], {
    env: { SOURCE_DATE_EPOCH: '1700000000', ...env },
    ...(project && { cwd: project }),
  });
const withTeam = (teamIdentifier: string | null) => {
  const path = join(root, 'release.config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  config.signing.teamIdentifier = teamIdentifier;
  writeFileSync(path, JSON.stringify(config));
  return root;
};

describe('lookAlikes', () => {
  it.each([
    ['APPLICATON_P12_BASE64', 'APPLICATION_P12_BASE64'],
    ['APPLICATION_P12_BASE46', 'APPLICATION_P12_BASE64'],
    ['application_p12_password', 'APPLICATION_P12_PASSWORD'],
    ['INSTALLER_P12_PASWORD', 'INSTALLER_P12_PASSWORD'],
    ['INSTALER_P12_BASE64_FILE', 'INSTALLER_P12_BASE64_FILE'],
    ['NOTARY_KEYID', 'NOTARY_KEY_ID'],
    ['NOTARYKEY', 'NOTARY_KEY'],
    ['NOTARY_ISSUER', 'NOTARY_ISSUER_ID'],
    ['NOTRAY_KEY', 'NOTARY_KEY'],
  ])('takes %s for %s', async (found, meant) => {
    expect(lookAlikes({ [found]: 'x' })).toEqual([{ found, meant }]);
  });

  it('passes over what is set right, what is empty, and what is far from all', async () => {
    expect(lookAlikes({ NOTARY_KEY: 'x', NOTARY_KEYID: '', PATH: '/bin', NOTARY: 'x', SIGNING_KEY: 'x' })).toEqual([]);
  });
});

describe('release without all of its secrets', () => {
  it('refuses to rehearse with --release, and names everything that is missing', async () => {
    const { status, stderr } = await run(['release', '--release']);
    expect(status).toBe(2);
    expect(stderr).toContain(
      'APPLICATION_P12_BASE64, APPLICATION_P12_PASSWORD, INSTALLER_P12_BASE64, INSTALLER_P12_PASSWORD, NOTARY_KEY, NOTARY_KEY_ID, NOTARY_ISSUER_ID',
    );
    expect(existsSync(out())).toBe(false);
  });

  it('does not ask for the notary key where the run ends before', async () => {
    const { status, stderr } = await run(['release', '--release', '--until', 'sign-package']);
    expect([status, stderr]).toEqual([2, expect.not.stringContaining('NOTARY')]);
  });

  it('refuses when a name has a slip, without showing the value', async () => {
    const env = { APPLICATON_P12_BASE64: 'c2VjcmV0LXZhbHVl', NOTARY_KEYID: 'secret-value' };
    const { status, stderr } = await run(['release'], env);
    expect(status).toBe(2);
    expect(stderr).toContain('APPLICATON_P12_BASE64 is set: did you mean APPLICATION_P12_BASE64?');
    expect(stderr).toContain('NOTARY_KEYID is set: did you mean NOTARY_KEY_ID?');
    expect(stderr).not.toMatch(/c2VjcmV0|secret-value/);
  });

  it('refuses when a team is configured, but not with --rehearsal', async () => {
    const project = withTeam('ABCDE12345');
    expect(await run(['release'], {}, project)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('release.config.json names team ABCDE12345, and no signing identity is set'),
    });
    expect((await run(['release', '--rehearsal', '--until', 'compile'], { NOTARY_KEY: 'x' }, project)).status).toBe(0);
    const asked = await inProcess(['notarize', '--status', '2efe2717-52ef-43a5-96dc-0797e4ca1041'], {
      cwd: project,
    });
    expect([asked.status, asked.stderr]).toEqual([2, expect.stringContaining('are missing: NOTARY_KEY')]);
  });

  it('refuses to resume a rehearsal as a release', async () => {
    const folder = join(out(), '1.1.0');
    cpSync(inject('releaseFolder'), folder, { recursive: true });
    expect((await run(['release', '--resume', '--release'])).status).toBe(2);
    expect(readFileSync(join(folder, 'release.json'))).toEqual(
      readFileSync(join(inject('releaseFolder'), 'release.json')),
    );
  });
});

describe('a folder that holds a release', () => {
  it.each(['build', 'release'])('is left alone by %s, which no Mac would trust', async (command) => {
    const folder = join(out(), '1.1.0');
    rmSync(folder, { recursive: true, force: true });
    cpSync(inject('releaseFolder'), folder, { recursive: true });
    const manifest = JSON.parse(readFileSync(join(folder, 'release.json'), 'utf8'));
    writeFileSync(join(folder, 'release.json'), JSON.stringify({ ...manifest, mode: 'release' }));
    const { status, stderr } = await run([command]);
    expect([status, stderr]).toEqual([2, expect.stringMatching(/holds the finished release .* never takes its place/)]);
  });
});
