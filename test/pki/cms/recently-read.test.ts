import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BundleSigner } from '../../../src/code-signature/sign/sign-bundle.ts';
import { parseCms } from '../../../src/pki/cms/parse.ts';
import { parseCertificate } from '../../../src/pki/x509/certificate.ts';
import { publicKeyOf } from '../../../src/pki/x509/signature-algorithms.ts';
import { rehearsalSigner } from '../../code-signature/signers.ts';

let cms: Buffer;
let certificate: Buffer;
beforeAll(async () => {
  const { signer, authority } = await rehearsalSigner();
  const { signCms } = signer as Extract<BundleSigner, { kind: 'identity' }>;
  cms = await signCms({ content: Buffer.from('content'), extraSignedAttributes: [] });
  certificate = authority.members.root.certificate.der;
});

/** Two bytes that make one encoding differ from the next. */
const number = (at: number) => Buffer.from([at >> 8, at]);

describe('what was read lately', () => {
  it.each<[string, number, (at: number) => unknown]>([
    // What follows a CMS is left alone; the last bytes of a certificate are those of its signature.
    ['CMS', 32, (at) => parseCms(Buffer.concat([cms, number(at)]))],
    ['certificates', 64, (at) => parseCertificate(Buffer.concat([certificate.subarray(0, -2), number(at)]))],
  ])('is not read again: %s, %i of them', (_, most, read) => {
    const first = read(0);
    for (let at = 1; at < most; at++) read(at);
    expect(read(0)).toBe(first);
    read(most);
    expect(read(0)).not.toBe(first);
  });

  it('is not read again: 64 keys', () => {
    const keys = Array.from({ length: 65 }, () => {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
      return publicKey.export({ type: 'spki', format: 'der' });
    });
    const first = publicKeyOf(keys[0] as Buffer);
    for (const key of keys.slice(0, 64)) publicKeyOf(key);
    expect(publicKeyOf(keys[0] as Buffer)).toBe(first);
    for (const key of keys) publicKeyOf(key);
    expect(publicKeyOf(keys[0] as Buffer)).not.toBe(first);
  });
});
