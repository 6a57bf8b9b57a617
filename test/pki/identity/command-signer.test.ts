import { execFile } from 'node:child_process';
import { createHash, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type PipelineError, ToolError } from '../../../src/base/errors.ts';
import { type CommandRunner, commandSigner } from '../../../src/pki/identity/command-signer.ts';
import { OpensslFolder, openssl } from '../../support/openssl.ts';
import { rsaPair } from '../../support/rsa-pairs.ts';

const { publicKey, privateKey } = rsaPair();
const DIGEST = createHash('sha256').update('data').digest();

/** Runs a real program; only what the tests here need of the project's own runner. */
const run: CommandRunner = (program, argv, { input, timeoutMs, env }) =>
  new Promise((resolve, reject) => {
    const options = { timeout: timeoutMs, env: { PATH: process.env.PATH, ...env } };
    const child = execFile(program, [...argv], options, (error, stdout) =>
      error ? reject(error) : resolve({ stdout }),
    );
    child.stdin?.end(input);
  });

/** A signing command: has openssl sign the digest of the question on its standard input, and prints base64. */
const PROGRAM = `
const { execFileSync } = require('node:child_process');
const { hash, digest } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const argv = ['pkeyutl', '-sign', '-inkey', process.env.KEY, '-pkeyopt', 'digest:' + hash];
console.log(execFileSync('openssl', argv, { input: Buffer.from(digest, 'hex') }).toString('base64'));
`;

describe('commandSigner', () => {
  it.skipIf(openssl.missing)(`has a program sign${openssl.note}`, async () => {
    const folder = new OpensslFolder();
    const key = folder.put('key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const signer = commandSigner({ command: [process.execPath, '-e', PROGRAM], run, environment: { KEY: key } });
    const signature = await signer.sign({ hash: 'sha256', digest: DIGEST });
    expect(verify('sha256', Buffer.from('data'), publicKey, signature)).toBe(true);
  });

  it('gives one line of JSON, the deadline and the environment to the program', async () => {
    const seen: unknown[] = [];
    const spy: CommandRunner = async (program, argv, options) => {
      seen.push(program, argv, options.input, options.timeoutMs, options.env);
      return { stdout: 'AAAA\n' };
    };
    const signer = commandSigner({ command: ['kms', 'key-1'], run: spy, timeoutMs: 5, environment: { REGION: 'x' } });
    expect(await signer.sign({ hash: 'sha256', digest: DIGEST })).toEqual(Buffer.alloc(3));
    const line = `{"schema":1,"hash":"sha256","digest":"${DIGEST.toString('hex')}"}\n`;
    expect(seen).toEqual(['kms', ['key-1'], line, 5, { REGION: 'x' }]);
  });

  it('gives a minute where nothing else is said, and no environment', async () => {
    const seen: unknown[] = [];
    const spy: CommandRunner = async (_, __, options) => {
      seen.push(options.timeoutMs, 'env' in options);
      return { stdout: 'QUJD' };
    };
    const signer = commandSigner({ command: ['kms'], run: spy });
    expect(await signer.sign({ hash: 'sha1', digest: Buffer.alloc(20) })).toEqual(Buffer.from('ABC'));
    expect(seen).toEqual([60_000, false]);
    await expect(signer.sign({ hash: 'sha1', digest: Buffer.alloc(32) })).rejects.toThrow('sha1 digest of 32 bytes');
    await expect(signer.sign({ hash: 'sha256', digest: Buffer.alloc(20) })).rejects.toThrow(
      'sha256 digest of 20 bytes',
    );
  });

  it.each<[string, boolean]>([
    ['QUJD', true],
    [' QU\nJD\n', true],
    ['QUJDQUI=', true],
    ['QUJDQQ==', true],
    ['QUJDQQ===', false],
    ['QU', false],
    ['QUJ-', false],
    ['Q=JD', false],
  ])('takes %j for a signature: %s', async (stdout, taken) => {
    const signer = commandSigner({ command: ['kms'], run: async () => ({ stdout }) });
    const outcome = signer.sign({ hash: 'sha256', digest: DIGEST });
    if (taken) await expect(outcome).resolves.toEqual(Buffer.from(stdout.replace(/\s/g, ''), 'base64'));
    else await expect(outcome).rejects.toThrow('printed no signature in base64');
  });

  it('says which digests its key signs, and is asked for no other', async () => {
    const signer = commandSigner({ command: ['kms'], run, hashes: ['sha256'] });
    expect([...signer.hashes]).toEqual(['sha256']);
    await expect(signer.sign({ hash: 'sha1', digest: Buffer.alloc(20) })).rejects.toThrow('does not sign sha1');
    expect([...commandSigner({ command: ['kms'], run }).hashes]).toEqual(['sha1', 'sha256']);
  });

  it.each(['', 'error: no such key', '{"signature":"AAAA"}', '\u0000'])('refuses the output %j', async (stdout) => {
    const signer = commandSigner({ command: ['kms'], run: async () => ({ stdout }) });
    const error = await signer.sign({ hash: 'sha256', digest: DIGEST }).catch((reason: PipelineError) => reason);
    expect(error).toBeInstanceOf(ToolError);
    expect((error as ToolError).code).toBe('SIGNER_OUTPUT');
  });
});
