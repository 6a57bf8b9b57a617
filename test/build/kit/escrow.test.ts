import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openssl } from '../../support/openssl.ts';

const KEY = 'ABCD-EFGH-IJKL-MNOP-QRST-UVWX';
const scripts = join(process.cwd(), 'scripts/kit');

/** The recipe of the kit for a certificate of one's own, as Apple Business asks for one. */
describe.skipIf(openssl.missing)(`a certificate for escrow${openssl.note}`, () => {
  let folder: string;
  const run = (name: string, ...argv: string[]) =>
    spawnSync('sh', [join(scripts, name), ...argv], { cwd: folder, encoding: 'utf8' });
  const put = (name: string, data: string | Buffer) => writeFileSync(join(folder, name), data);

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'escrow-'));
    put('passphrase', 'a long passphrase\n');
    expect(run('escrow-certificate.sh', 'passphrase')).toMatchObject({ status: 0 });
    // As a Mac does it: CMS, for the certificate, in DER.
    execFileSync('openssl', ['x509', '-inform', 'DER', '-in', 'escrow.cer', '-out', 'escrow.pem'], { cwd: folder });
    const encrypt = ['cms', '-encrypt', '-binary', '-outform', 'DER', '-aes-256-cbc', '-out', 'key.der', 'escrow.pem'];
    execFileSync('openssl', encrypt, { cwd: folder, input: KEY });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is made in DER, for encrypting keys alone, and its key is protected', () => {
    const words = execFileSync('openssl', ['x509', '-in', 'escrow.pem', '-noout', '-text'], { cwd: folder }).toString();
    expect(words).toContain('Key Encipherment, Data Encipherment');
    expect(words).toContain('CA:FALSE');
    expect(readFileSync(join(folder, 'escrow.key'), 'utf8')).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    expect(statSync(join(folder, 'escrow.key')).mode & 0o77).toBe(0);
  });

  it('is never made over an older one', () => {
    const before = readFileSync(join(folder, 'escrow.key'));
    const { status, stderr } = run('escrow-certificate.sh', 'passphrase');
    expect([status, stderr]).toEqual([1, expect.stringContaining('nothing was made')]);
    expect(readFileSync(join(folder, 'escrow.key'))).toEqual(before);
  });

  it.each([
    ['DER', (der: Buffer) => der],
    ['base64', (der: Buffer) => der.toString('base64')],
    ['base64 in lines', (der: Buffer) => `${der.toString('base64').replaceAll(/(.{64})/g, '$1\r\n')}\r\n`],
    ['PEM', (der: Buffer) => `-----BEGIN CMS-----\n${der.toString('base64')}\n-----END CMS-----\n`],
  ])('gives the recovery key back from %s', (_, form) => {
    put('given', form(readFileSync(join(folder, 'key.der'))));
    expect(run('escrow-decrypt.sh', 'given', 'escrow.key', 'passphrase')).toMatchObject({
      status: 0,
      stdout: `${KEY}\n`,
    });
  });

  it('gives nothing with another key, and says how it is called', () => {
    const other = mkdtempSync(join(tmpdir(), 'escrow-other-'));
    const made = spawnSync('sh', [join(scripts, 'escrow-certificate.sh'), join(folder, 'passphrase')], { cwd: other });
    expect(made.status).toBe(0);
    const { status, stdout } = run('escrow-decrypt.sh', 'key.der', join(other, 'escrow.key'), 'passphrase');
    expect(status).not.toBe(0);
    expect(stdout).not.toContain(KEY);
    expect(run('escrow-decrypt.sh')).toMatchObject({ status: 64, stderr: expect.stringContaining('usage') });
    rmSync(other, { recursive: true });
  });
});
