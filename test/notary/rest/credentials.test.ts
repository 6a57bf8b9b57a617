import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { readNotaryKey } from '../../../src/notary/rest/credentials.ts';
import { rsaPair } from '../../support/rsa-pairs.ts';

const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const pem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const body = pem.replace(/-----[^-]+-----|\n/g, '');
const base64 = (text: string) => Buffer.from(text).toString('base64');
const read = (key: string, keyId = 'ABC1234567', issuerId = '57246542-96fe-1a63-e053-0824d011072a') =>
  readNotaryKey({ key: new Secret(key), keyId, issuerId });

describe('the notary key', () => {
  it.each([
    ['as it was downloaded', pem],
    ['with Windows line ends', pem.replaceAll('\n', '\r\n')],
    ['with a byte order mark and blanks around', `\uFEFF  ${pem}\n\n`],
    ['with escaped line ends', pem.replaceAll('\n', '\\n')],
    ['with line ends escaped twice', pem.replaceAll('\n', '\\\\n')],
    ['in quotes', `"${pem.replaceAll('\n', '\\n')}"`],
    ['with blanks for line ends', pem.replaceAll('\n', ' ')],
    ['on one line', pem.replaceAll('\n', '')],
    ['without its last line', pem.replace(/-----END.*/s, '')],
    ['as base64 of the file', base64(pem)],
    ['as wrapped base64 of the file', base64(pem).replace(/(.{60})/g, '$1\n')],
    ['as the base64 within', body],
  ])('is read %s', (_how, text) => {
    const { key } = read(text);
    expect(key.export({ type: 'pkcs8', format: 'pem' })).toBe(pem);
  });

  const rsa = rsaPair().privateKey;
  const p384 = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey;
  it.each([
    ['NOTARY_KEY_EMPTY', '  \n'],
    ['NOTARY_KEY_FORMAT', 'hello world!'],
    ['NOTARY_KEY_FORMAT', body.slice(0, 100)],
    ['NOTARY_KEY_FORMAT', pem.replaceAll('PRIVATE KEY', 'CERTIFICATE')],
    ['NOTARY_KEY_FORMAT', pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()],
    ['NOTARY_KEY_KIND', rsa.export({ type: 'pkcs8', format: 'pem' }).toString()],
    ['NOTARY_KEY_KIND', p384.export({ type: 'pkcs8', format: 'pem' }).toString()],
  ])('is refused with %s, and no part of it is told', (code, text) => {
    try {
      read(text);
    } catch (error) {
      expect(error).toMatchObject({ code, hint: expect.stringContaining('.p8') });
      if (text.trim().length > 20) expect(String(error)).not.toContain(text.trim().slice(30, 50));
      return;
    }
    throw new Error('it was read');
  });

  it('has an id and an issuer, which are checked', () => {
    expect(() => read(pem, 'abc')).toThrow(expect.objectContaining({ code: 'NOTARY_KEY_ID' }));
    expect(() => read(pem, 'ABC1234567', 'me')).toThrow(expect.objectContaining({ code: 'NOTARY_ISSUER_ID' }));
    expect(read(pem, ' ABC1234567\n').keyId).toBe('ABC1234567');
  });
});
