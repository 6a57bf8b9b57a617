import { spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, verify } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runTool } from '../../../src/base/run-tool.ts';
import { commandSigner } from '../../../src/pki/identity/command-signer.ts';
import { inProcess } from '../../support/in-process.ts';
import { check, needs } from '../../support/needs.ts';
import { rsaPair } from '../../support/rsa-pairs.ts';

const AWS_KEY = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const AZURE_KEY = 'https://example-vault.vault.azure.net/keys/installer';
const SUBJECT = ['--email', 'owner@example.com', '--name', 'Example Ltd', '--country', 'DE'];
const service = rsaPair();
let scratch: string;
let project: string;
let environment: Record<string, string>;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'csr-'));
  project = join(scratch, 'project');
  for (const part of ['package.json', 'release.config.json', 'build/signers']) {
    cpSync(part, join(project, part), { recursive: true });
  }
  const bin = join(scratch, 'bin');
  mkdirSync(bin);
  for (const name of ['aws', 'az']) {
    const program = resolve(`test/support/key-services/${name}.mjs`);
    writeFileSync(join(bin, name), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`, { mode: 0o755 });
  }
  const keyFile = join(scratch, 'service.pem');
  writeFileSync(keyFile, service.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  environment = { PATH: `${bin}:${process.env.PATH}`, KEY_SERVICE_KEY: keyFile };
  const path = join(project, 'release.config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  const identity = (command: string[]) => ({
    command,
    certificates: 'certificates.pem',
    environment: ['KEY_SERVICE_KEY'],
  });
  config.signing.externalSigner = {
    application: identity(['sh', 'build/signers/aws-kms.sh', AWS_KEY]),
    installer: identity(['sh', 'build/signers/azure-key-vault.sh', AZURE_KEY]),
  };
  writeFileSync(path, JSON.stringify(config));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const csr = (out: string, ...argv: string[]) =>
  inProcess(['csr', ...SUBJECT, '--out', join(scratch, out), ...argv], {
    cwd: project,
    env: environment,
  });
const openssl = needs('openssl');

describe('csr', () => {
  it.skipIf(openssl.missing)(`makes keys and requests that openssl takes${openssl.note}`, async () => {
    const run = await csr('new');
    expect(run.status, run.stderr).toBe(0);
    for (const role of ['application', 'installer']) {
      const request = join(scratch, 'new', `${role}.certSigningRequest`);
      const key = join(scratch, 'new', `${role}.key.pem`);
      const told = spawnSync('openssl', ['req', '-in', request, '-verify', '-noout', '-subject'], { encoding: 'utf8' });
      expect([told.status, told.stdout + told.stderr]).toEqual([0, expect.stringMatching(/verify OK/i)]);
      expect(told.stdout).toMatch(/emailAddress ?= ?owner@example\.com, CN ?= ?Example Ltd, C ?= ?DE/);
      const text = check('openssl', ['req', '-in', request, '-noout', '-text']).toString();
      expect(text).toMatch(/Public-Key: \(2048 bit\)/);
      expect(text).toMatch(/Signature Algorithm: sha256WithRSAEncryption/);
      expect(check('openssl', ['pkey', '-in', key, '-pubout'])).toEqual(
        check('openssl', ['req', '-in', request, '-noout', '-pubkey']),
      );
      expect(statSync(key).mode & 0o777).toBe(0o600);
      expect(statSync(request).mode & 0o133).toBe(0);
      expect(run.stdout).toContain(`: ${request}\n  its key: ${key} (keep it secret`);
      expect(run.stdout + run.stderr).not.toContain('PRIVATE KEY');
    }
    expect(statSync(join(scratch, 'new')).mode & 0o777).toBe(0o700);
  });

  it('never replaces a key', async () => {
    const key = join(scratch, 'there', 'application.key.pem');
    mkdirSync(join(scratch, 'there'));
    writeFileSync(key, 'the only copy');
    expect(await csr('there')).toMatchObject({ status: 2, stderr: expect.stringContaining('was left unchanged') });
    expect(readFileSync(key, 'utf8')).toBe('the only copy');
    // Nor is half of what was asked for made beside it.
    mkdirSync(join(scratch, 'half'));
    writeFileSync(join(scratch, 'half', 'installer.certSigningRequest'), 'mine');
    expect((await csr('half')).status).toBe(2);
    expect(readdirSync(join(scratch, 'half'))).toEqual(['installer.certSigningRequest']);
  });

  it.each([
    ['--email', ['owner', 'a b@example.com', 'owner@', 'ö@example.com']],
    ['--name', ['', 'a\tb', 'x'.repeat(65)]],
    ['--country', ['de', 'D', 'DEU']],
  ])('refuses %s of another form', async (option, values) => {
    for (const value of values) {
      const run = await csr('refused-form', option, value);
      expect([value, run.status, run.stderr]).toEqual([value, 2, expect.stringContaining('It is not of the form')]);
    }
    expect(readdirSync(scratch)).not.toContain('refused-form');
  });

  it('refuses one public key for two roles', async () => {
    const run = await csr('refused-both', '--public-key', join(scratch, 'service.pem'));
    expect([run.status, run.stderr]).toEqual([2, expect.stringContaining('--public-key is that of one role')]);
    expect(readdirSync(scratch)).not.toContain('refused-both');
  });

  it.skipIf(openssl.missing).each([
    ['application', 'der'],
    ['installer', 'pem'],
  ] as const)(`has the key of a service sign for %s, and leaves it there${openssl.note}`, async (role, format) => {
    const file = join(scratch, `${role}.${format}`);
    writeFileSync(file, service.publicKey.export({ type: 'spki', format } as never) as string | Buffer);
    const json = role === 'application';
    const run = await csr(role, '--role', role, '--public-key', file, ...(json ? ['--json'] : []));
    expect(run.status, run.stderr).toBe(0);
    const request = join(scratch, role, `${role}.certSigningRequest`);
    if (json) expect(JSON.parse(run.stdout)).toEqual({ schema: 1, requests: [{ role, request, key: null }] });
    else expect(run.stdout).toContain('its key stays in the service');
    const told = spawnSync('openssl', ['req', '-in', request, '-verify', '-noout'], { encoding: 'utf8' });
    expect(told.stdout + told.stderr).toMatch(/verify OK/i);
    expect(() => statSync(join(scratch, role, `${role}.key.pem`))).toThrow();
  });

  it('refuses a public key of another key, a private one, and one that Apple would not take', async () => {
    const other = rsaPair(1);
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const pem = (name: string, content: string | Buffer) => {
      writeFileSync(join(scratch, name), content);
      return csr(`refused-${name}`, '--role', 'application', '--public-key', join(scratch, name));
    };
    const spki = { type: 'spki', format: 'pem' } as const;
    expect(await pem('other', other.publicKey.export(spki))).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('does not fit the public key'),
    });
    expect(await pem('private', other.privateKey.export({ type: 'pkcs8', format: 'pem' }))).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('holds no public key'),
    });
    expect(await pem('short', short.publicKey.export(spki))).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('1024'),
    });
  });
});

describe('csr where no service signs', () => {
  it('refuses a public key, and says where a service is named', async () => {
    const bare = join(scratch, 'bare');
    for (const part of ['package.json', 'release.config.json']) cpSync(part, join(bare, part));
    writeFileSync(join(scratch, 'public.pem'), service.publicKey.export({ type: 'spki', format: 'pem' }));
    const key = ['--role', 'application', '--public-key', join(scratch, 'public.pem')];
    const run = await inProcess(['csr', ...SUBJECT, '--out', join(bare, 'out'), ...key], { cwd: bare, root: bare });
    expect([run.status, run.stderr]).toEqual([
      2,
      expect.stringMatching(/has no signing\.externalSigner that could sign[\s\S]*docs\/signing-keys/),
    ]);
    expect(readdirSync(bare)).not.toContain('out');
  });
});

describe('the recipes for key services', () => {
  const recipes = {
    'aws-kms.sh': AWS_KEY,
    'azure-key-vault.sh': AZURE_KEY,
  } as const;
  const signerOf = (name: keyof typeof recipes, env = {}) =>
    commandSigner({
      command: ['sh', resolve('build/signers', name), recipes[name]],
      hashes: ['sha256'],
      run: runTool,
      environment: { ...environment, ...env },
    });

  it.each(['aws-kms.sh', 'azure-key-vault.sh'] as const)('%s signs digests of every kind', async (name) => {
    for (const data of ['a', 'b', 'c', 'd', 'e', 'f'].map((text) => Buffer.from(text.repeat(9)))) {
      const digest = createHash('sha256').update(data).digest();
      for (const env of [{}, { KEY_SERVICE_URL_ALPHABET: '1' }]) {
        const signature = await signerOf(name, env).sign({ hash: 'sha256', digest });
        expect(verify('sha256', data, service.publicKey, signature)).toBe(true);
      }
    }
    const edges = [
      Buffer.alloc(32),
      Buffer.alloc(32, 0xff),
      Buffer.from('25'.repeat(32), 'hex'),
      Buffer.from('5c'.repeat(32), 'hex'),
    ];
    for (const digest of edges)
      await expect(signerOf(name).sign({ hash: 'sha256', digest })).resolves.toHaveLength(256);
  });

  it.each([
    ['a shorter digest', '{"schema":1,"hash":"sha256","digest":"00"}'],
    ['another hash', `{"schema":1,"hash":"sha1","digest":"${'0'.repeat(40)}"}`],
    ['a command in the digest', '{"schema":1,"hash":"sha256","digest":"$(touch /tmp/x)"}'],
    ['nothing', ''],
  ])('refuse %s', async (_, input) => {
    for (const [name, key] of Object.entries(recipes)) {
      const run = spawnSync('sh', [resolve('build/signers', name), key], {
        input: `${input}\n`,
        env: environment,
        encoding: 'utf8',
      });
      expect([run.status, run.stdout]).toEqual([2, '']);
    }
  });

  it('meet stand-ins that take nothing but PKCS #1 v1.5 over a SHA-256 digest', async () => {
    const digest = join(scratch, 'digest');
    writeFileSync(digest, Buffer.alloc(32));
    const aws = (change: Record<string, string>) => {
      const options = {
        '--key-id': AWS_KEY,
        '--message-type': 'DIGEST',
        '--message': `fileb://${digest}`,
        '--signing-algorithm': 'RSASSA_PKCS1_V1_5_SHA_256',
        '--query': 'Signature',
        '--output': 'text',
        ...change,
      };
      return spawnSync('aws', ['kms', 'sign', ...Object.entries(options).flat()], { env: environment }).status;
    };
    expect(aws({})).toBe(0);
    for (const change of [
      { '--message-type': 'RAW' },
      { '--signing-algorithm': 'RSASSA_PSS_SHA_256' },
      { '--signing-algorithm': 'RSASSA_PKCS1_V1_5_SHA_512' },
      { '--key-id': 'alias/other' },
      { '--message': `file://${digest}` },
      { '--grant-tokens': 'x' },
    ] as Record<string, string>[])
      expect(aws(change), JSON.stringify(change)).not.toBe(0);
    const az = (...argv: string[]) =>
      spawnSync(
        'az',
        ['keyvault', 'key', 'sign', '--id', AZURE_KEY, '--query', 'signature', '--output', 'tsv', ...argv],
        {
          env: environment,
        },
      ).status;
    const zero = Buffer.alloc(32).toString('base64');
    expect(az('--algorithm', 'RS256', '--digest', zero)).toBe(0);
    expect(az('--algorithm', 'PS256', '--digest', zero)).not.toBe(0);
    expect(az('--algorithm', 'RS256', '--digest', '00'.repeat(32))).not.toBe(0);
  });
});
