import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PipelineError } from '../../../src/base/errors.ts';
import { parseWholeAsn1 } from '../../../src/pki/asn1/asn1.ts';
import { certificateRequest, readPublicKey } from '../../../src/pki/identity/certificate-request.ts';
import { localSigner, type Signer } from '../../../src/pki/identity/signer.ts';
import { OpensslFolder, openssl, run } from '../../support/openssl.ts';
import { rsaPair } from '../../support/rsa-pairs.ts';

const SUBJECT = { email: 'a@example.com', commonName: 'Käthe', country: 'US' };
const { publicKey, privateKey } = rsaPair();
const other = rsaPair(1);
const problem = (work: Promise<unknown>) =>
  work.then(
    () => 'made',
    (error: PipelineError) => `${error.code}: ${error.message}`,
  );

describe('certificateRequest', () => {
  it.skipIf(openssl.missing)(`makes one that openssl reads and finds signed by the key${openssl.note}`, async () => {
    const request = new OpensslFolder().put('request.der', await certificateRequest(SUBJECT, publicKey, localSigner(privateKey)));
    const read = run(['req', '-inform', 'DER', '-in', request, '-noout', '-verify', '-subject', '-pubkey', '-nameopt', 'RFC2253,utf8,-esc_msb']);
    expect(read.output).toMatch(/verify OK/i);
    expect(Buffer.from(read.output, 'latin1').toString()).toContain('subject=C=US,CN=Käthe,emailAddress=a@example.com');
    expect(read.output.replace(/\s/g, '')).toContain(String(publicKey.export({ type: 'spki', format: 'pem' })).replace(/\s/g, ''));
  }); // biome-ignore format: a table

  it('has the form of RFC 2986: version 0, name, key, no attributes; then the algorithm and the signature', async () => {
    const { children } = parseWholeAsn1(await certificateRequest(SUBJECT, publicKey, localSigner(privateKey)), 'CSR');
    const [info, algorithm, signature] = children;
    expect(info?.children.map(({ raw }) => raw.toString('hex', 0, 3)).at(0)).toBe('020100');
    expect(info?.children[2]?.raw).toEqual(publicKey.export({ type: 'spki', format: 'der' }));
    expect(info?.children[3]?.raw.toString('hex')).toBe('a000');
    expect(info?.children[1]?.children.map((rdn) => rdn.children[0]?.children[1]?.tag)).toEqual([0x16, 0x0c, 0x13]);
    expect(algorithm?.raw.toString('hex')).toBe('300d06092a864886f70d01010b0500');
    expect([signature?.tag, signature?.content.length, signature?.content[0]]).toEqual([3, 257, 0]);
  });

  it.each<[string, KeyObject, string]>([
    ['a curve', generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey, 'the key is of kind ec'],
    ['1024 bits', generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey, 'the key is of kind rsa 1024'],
    ['a key for RSA-PSS', generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey, 'the key is of kind rsa-pss 2048'],
  ])('is not made for %s', async (_, key, words) => {
    expect(await problem(certificateRequest(SUBJECT, key, localSigner(privateKey)))).toBe(`REQUEST_KEY: ${words}`);
  }); // biome-ignore format: a table

  it('is not made with the signature of another key', async () => {
    const words = 'REQUEST_KEY: what was signed does not fit the public key';
    expect(await problem(certificateRequest(SUBJECT, publicKey, localSigner(other.privateKey)))).toBe(words);
    const zeros: Signer = { hashes: new Set(['sha256']), sign: async () => Buffer.alloc(256) };
    expect(await problem(certificateRequest(SUBJECT, publicKey, zeros))).toBe(words);
    const asked: unknown[] = [];
    const spy: Signer = { hashes: new Set(['sha256']), sign: async (request) => {
      asked.push([request.hash, request.digest.length]);
      return localSigner(privateKey).sign(request);
    } }; // biome-ignore format: a table
    expect(await problem(certificateRequest(SUBJECT, publicKey, spy))).toBe('made');
    expect(asked).toEqual([['sha256', 32]]);
  });
});

describe('readPublicKey', () => {
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  const der = publicKey.export({ type: 'spki', format: 'der' });

  it('takes PEM, and DER', () => {
    for (const file of [Buffer.from(pem), Buffer.from(`words before\n${pem}`), der]) {
      expect(readPublicKey(file).export({ type: 'spki', format: 'der' })).toEqual(der);
    }
  });

  it.each<[string, Buffer]>([
    ['a private key', Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)],
    ['both halves', Buffer.from(`${pem}${privateKey.export({ type: 'pkcs1', format: 'pem' })}`)],
    ['nothing', Buffer.alloc(0)],
    ['a cut DER', der.subarray(0, 200)],
    ['a cut PEM', Buffer.from(pem.slice(0, 100))],
    ['base64 alone', Buffer.from(der.toString('base64'))],
  ])('takes no %s', (_, file) => {
    expect(() => readPublicKey(file)).toThrow(expect.objectContaining({ code: 'PUBLIC_KEY_INVALID', message: 'the file holds no public key' }));
  }); // biome-ignore format: a table
});
