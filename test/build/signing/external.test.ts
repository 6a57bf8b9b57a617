import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { externalSigner, externalSource, readChain } from '../../../build/signing/external.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { certificatesOf } from '../../support/stored-keys.ts';

const root = mkdtempSync(join(tmpdir(), 'external-'));
afterAll(() => rmSync(root, { recursive: true }));
let pem: string;
let chain: readonly Buffer[];
beforeAll(async () => {
  const authority = await sharedAuthority();
  pem = certificatesOf(authority)['certificates/application.pem'] as string;
  chain = authority.chainOf('application').map(({ der }) => der);
});
const chainIn = (text: string) => {
  writeFileSync(join(root, 'a.pem'), text);
  return readChain('a.pem', root);
};

describe('the certificates of a key that is elsewhere', () => {
  it('are all those of the file, in its order, whatever stands between them', async () => {
    expect(await chainIn(pem)).toEqual(chain);
    const [first] = pem.split('-----END CERTIFICATE-----\n');
    expect(await chainIn(`Bag Attributes\n${first}-----END CERTIFICATE-----\nsubject=a\n`)).toEqual([chain[0]]);
  });

  it.each([
    ['no certificate', () => 'nonsense', /a\.pem holds no certificate in PEM$/],
    ['a key alone', () => pem.replaceAll('CERTIFICATE', 'PRIVATE KEY'), /holds no certificate/],
    [
      'a leaf that is none',
      () => `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n${pem}`,
      /cannot be read/,
    ],
    [
      'an issuer that is none',
      () => `${pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
      /cannot be read/,
    ],
  ])('are refused with %s', async (_, text, message) => {
    const refusal = { name: 'UsageError', code: 'IDENTITY_FILE', message: expect.stringMatching(message) };
    await expect(chainIn(text())).rejects.toMatchObject({ ...refusal, hint: expect.stringContaining('as PEM') });
  });

  it('are missed by name', async () => {
    await expect(readChain('gone.pem', root)).rejects.toMatchObject({
      code: 'IDENTITY_FILE',
      message: 'cannot read gone.pem',
      hint: expect.stringContaining('as PEM'),
    });
  });
});

describe('the signer behind a command', () => {
  // Says what it was given in place of a signature.
  const tells = `process.stdin.on('data', (line) => process.stderr.write(JSON.stringify({ ...process.env, line: String(line) }))).on('end', () => process.exit(3))`;
  const external = {
    command: [process.execPath, '-e', tells],
    hashes: ['sha256' as const],
    environment: ['GIVEN', 'UNSET'],
  };

  it('is given the variables that the configuration names, and no others', async () => {
    const signer = externalSigner(external, { GIVEN: 'a', OTHER: 'b' });
    const request = { hash: 'sha256' as const, digest: Buffer.alloc(32, 1) };
    const { message } = await Promise.resolve(signer.sign(request)).catch((error) => error);
    const told = JSON.parse(message.slice(message.indexOf('{')));
    expect([told.GIVEN, 'UNSET' in told, 'OTHER' in told]).toEqual(['a', false, false]);
    expect(JSON.parse(told.line)).toEqual({ schema: 1, hash: 'sha256', digest: '01'.repeat(32) });
    await expect(Promise.resolve(signer.sign({ hash: 'sha1', digest: Buffer.alloc(20) }))).rejects.toThrow(TypeError);
  });

  it('stands beside the certificates of the file', async () => {
    await chainIn(pem);
    const source = await externalSource({ ...external, certificates: 'a.pem' }, root, {});
    expect(source).toMatchObject({ certificateChain: chain, signer: { hashes: new Set(['sha256']) } });
  });
});
