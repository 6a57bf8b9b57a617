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

  it.each(['ABC123456', 'ABC12345678', 'ABC123456a', 'ABC123456-', 'ABC12 4567', '', 'ABC1234567\nX'])(
    'has no id %j',
    (id) => expect(() => read(pem, id)).toThrow(expect.objectContaining({ code: 'NOTARY_KEY_ID' })),
  );

  it.each(['AAAAAAAAAA', '0000000000', 'ZZZZZZZZZ9'])('may have the id %s', (id) => {
    expect(read(pem, id).keyId).toBe(id);
  });

  // RFC 9562: 8, 4, 4, 4 and 12 hexadecimal digits.
  const uuid = (...lengths: readonly number[]) => lengths.map((length) => 'a'.repeat(length)).join('-');
  it.each([
    uuid(7, 4, 4, 4, 12), uuid(9, 4, 4, 4, 12), uuid(8, 3, 4, 4, 12), uuid(8, 5, 4, 4, 12), uuid(8, 4, 4, 12), uuid(8, 4, 4, 4, 4, 12),
    uuid(8, 4, 4, 4, 11), uuid(8, 4, 4, 4, 13), `x${uuid(8, 4, 4, 4, 12)}`, `${uuid(8, 4, 4, 4, 12)}x`, uuid(8, 4, 4, 4, 12).replace('a', 'g'), uuid(8, 4, 4, 4, 12).replaceAll('-', ''),
  ])('has no issuer %s', (issuer) => {
    expect(() => read(pem, 'ABC1234567', issuer)).toThrow(expect.objectContaining({ code: 'NOTARY_ISSUER_ID' }));
  }); // biome-ignore format: a list

  it('may have an issuer in capitals, which is told in small letters', () => {
    const issuer = '57246542-96FE-1A63-E053-0824D011072A';
    expect(read(pem, 'ABC1234567', ` ${issuer}\n`).issuerId).toBe(issuer.toLowerCase());
  });
});
