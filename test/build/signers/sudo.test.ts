import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { needs } from '../../support/needs.ts';
import { checkSignatures, SEALED_STEP } from '../../support/sealed-step.ts';
import { p12Of, placeCertificates } from '../../support/stored-keys.ts';
import { testAuthority } from '../../support/test-authority.ts';

const NOBODY = 65534;
const PASSWORD = 'Geheim-0815 "Lö$sung\\ ';
const DIGESTS = createHash('sha256').update('a').digest('hex');
/** What sudo leaves of the environment: sudoers(5), env_reset. It writes all of its argv, and each variable it is told to keep, to a log. */
const LEFT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', SUDO_UID: String(NOBODY), SUDO_GID: String(NOBODY) };
let scratch: string;
let authority: RehearsalAuthority;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'sudo-'));
  chmodSync(scratch, 0o777);
  authority = await testAuthority(join(scratch, 'authority'));
  placeCertificates(scratch, authority);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const isRoot = process.getuid?.() === 0;
const note = isRoot ? SEALED_STEP.note : ' (skipped: needs root, who plays the part of sudo)';
describe.skipIf(!isRoot || SEALED_STEP.missing)(`the sealed step behind sudo${note}`, () => {
  it.each([
    ['', ''],
    ['\r\n', '\n'],
  ])(
    'hands the secrets on where no log sees them, with %j between lines of base64 and %j behind',
    (between, behind) => {
      const folder = mkdtempSync(join(scratch, 'run-'));
      chmodSync(folder, 0o777);
      const script = withStandIn(folder);
      const p12 = p12Of(authority, 'application', { password: PASSWORD }).toString('base64');
      const out = join(folder, 'signatures');
      const env = {
        PATH: LEFT.PATH,
        APPLICATION_P12_BASE64: p12.replace(/.{76}(?=.{8})/g, `$&${between}`),
        APPLICATION_P12_PASSWORD: `${PASSWORD}${behind}`,
      };
      const argv = [script, '--role', 'application', '--digests', DIGESTS, '--out', out];
      const first = spawnSync('/bin/sh', argv, { env, uid: NOBODY, gid: NOBODY, encoding: 'utf8' });
      expect(first.status, first.stderr).toBe(42);
      const asked = readFileSync(join(folder, 'argv'), 'utf8').trimEnd().split('\n');
      expect(asked.slice(0, 3)).toEqual(['-n', '--', '/bin/sh']);
      expect(asked.join(' ')).not.toMatch(/P12|env|Geheim/);

      const input = readFileSync(join(folder, 'stdin'));
      const second = spawnSync(asked[2]!, asked.slice(3), { env: LEFT, input, encoding: 'utf8' });
      expect(second.status, second.stderr).toBe(0);
      const { uid, gid, mode } = statSync(out);
      expect([uid, gid, mode & 0o022]).toEqual([NOBODY, NOBODY, 0]);
      const checked = { digests: DIGESTS, signatures: out, out: join(folder, 'application.json') };
      expect(checkSignatures(scratch, 'application', checked).status).toBe(0);
    },
  );

  /** A copy of the scripts in which sudo is a program that writes down how it was called. */
  function withStandIn(folder: string): string {
    const scripts = join(folder, 'signers');
    cpSync('build/signers', scripts, { recursive: true });
    const sudo = join(folder, 'sudo');
    const deed = `printf '%s\\n' "$@" >'${folder}/argv'\ncat >'${folder}/stdin'\nexit 42\n`;
    writeFileSync(sudo, `#!/bin/sh\n${deed}`, { mode: 0o755 });
    const script = join(scripts, 'sealed.sh');
    const text = readFileSync(script, 'utf8');
    expect(text.match(/\bsudo -n /g)).toHaveLength(1);
    writeFileSync(script, text.replace('sudo -n ', `${sudo} -n `));
    return script;
  }

  it('says so when nothing comes', () => {
    const argv = ['build/signers/sealed.sh', '--piped', '--role', 'application', '--digests', DIGESTS, '--out', 'x'];
    const { status, stderr } = spawnSync('/bin/sh', argv, { env: LEFT, input: '', encoding: 'utf8' });
    expect([status, stderr]).toEqual([2, 'sealed: nothing came through the pipe\n']);
  });
});

const openssl = needs('openssl');
describe.skipIf(SEALED_STEP.missing || openssl.missing)(`a trace of the sealed step${SEALED_STEP.note}`, () => {
  it('shows no secret', () => {
    const env = { ...LEFT, APPLICATION_P12_BASE64: 'Geheimnis-aus-base64', APPLICATION_P12_PASSWORD: PASSWORD };
    const out = join(scratch, 'traced');
    const argv = ['-x', 'build/signers/sealed.sh', '--role', 'application', '--digests', DIGESTS, '--out', out];
    const { status, stderr } = spawnSync('/bin/sh', argv, { env, encoding: 'utf8' });
    expect([status, stderr]).toEqual([2, expect.stringContaining('the .p12 does not open')]);
    expect(stderr).not.toContain('Geheim');
    expect(existsSync(out)).toBe(false);
  });
});
