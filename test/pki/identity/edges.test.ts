import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PipelineError } from '../../../src/base/errors.ts';
import { Secret } from '../../../src/base/secret.ts';
import { bitString, context, der, integer, octetString, oid, sequence } from '../../../src/pki/asn1/der.ts';
import { loadIdentity } from '../../../src/pki/identity/identity.ts';
import { checkIdentity, chooseCertificate } from '../../../src/pki/identity/identity-checks.ts';
import { kindOf, openPkcs12 } from '../../../src/pki/identity/pkcs12.ts';
import type { Certificate } from '../../../src/pki/x509/certificate.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { rsaPair } from '../../support/rsa-pairs.ts';
import { leafFor } from './identity-files.ts';

const DAY = 24 * 3600 * 1000;
const [one, two] = [rsaPair(), rsaPair(1)];
let authority: RehearsalAuthority;
beforeAll(async () => {
  authority = await sharedAuthority();
});
const words = (work: () => unknown) => {
  try {
    return work();
  } catch (error) {
    return `${(error as PipelineError).code}: ${(error as Error).message.replace(/^the Developer ID Installer identity: /, '')}`;
  }
};
const later = (work: Promise<unknown>) => work.then(() => 'taken', (error) => words(() => { throw error; })); // biome-ignore format: short

describe('chooseCertificate', () => {
  const NOW = new Date(1_700_000_000_000);
  const [INSTALLER, APPLICATION] = ['1.2.840.113635.100.6.1.14', '1.2.840.113635.100.6.1.13'];
  const certificate = (commonName: string, mark = INSTALLER, keys = one, from = -1, to = 1) =>
    ({
      commonName,
      extensions: [{ oid: mark }],
      publicKeyInfo: keys.publicKey.export({ type: 'spki', format: 'der' }),
      notBefore: new Date(NOW.getTime() + from),
      notAfter: new Date(NOW.getTime() + to),
    }) as unknown as Certificate;
  const chosen = (certificates: readonly Certificate[], keys = [one.privateKey, two.privateKey], role: 'installer' | 'application' = 'installer') =>
    words(() => {
      const { certificate: found, key } = chooseCertificate(role, { keys, certificates }, NOW);
      const own = createPublicKey(key).export({ type: 'spki', format: 'der' }).equals(found.publicKeyInfo);
      return `${found.commonName}${own ? '' : ' with another key'}`;
    }); // biome-ignore format: a table

  it('takes the one whose key is there', () => {
    expect(chosen([certificate('a')])).toBe('a');
    expect(chosen([certificate('a'), certificate('b', INSTALLER, two)], [two.privateKey])).toBe('b');
    expect(chosen([certificate('a', APPLICATION)])).toBe('a');
    expect(chosen([certificate('a')], [])).toBe('IDENTITY_NO_KEY: it has no private key');
    expect(chosen([])).toBe('IDENTITY_NO_CERTIFICATE: it has no certificate');
    expect(chosen([certificate('a'), certificate('b')], [two.privateKey])).toBe(
      'IDENTITY_KEY_MISMATCH: the private key does not belong to the certificate ("a", "b")',
    );
  });

  it('takes the one of the role among several', () => {
    const both = [certificate('a', APPLICATION), certificate('i', INSTALLER, two)];
    expect([chosen(both), chosen(both, undefined, 'application')]).toEqual(['i', 'a']);
  });

  it.each<[number, number, string]>([
    [-1, 1, 'IDENTITY_AMBIGUOUS: 2 identities, 2 of them fit: "a", "b"'],
    [0, 0, 'IDENTITY_AMBIGUOUS: 2 identities, 2 of them fit: "a", "b"'],
    [1, 2, 'a'],
    [-2, -1, 'a'],
  ])('takes the valid one before one from %i to %i ms around now', (from, to, expected) => {
    expect(chosen([certificate('a'), certificate('b', INSTALLER, two, from, to)])).toBe(expected);
  });

  it('takes the only one of the role although it is not valid, and none of two such', () => {
    const old = certificate('old', INSTALLER, one, -2, -1);
    expect(chosen([old, certificate('a', APPLICATION, two)])).toBe('old');
    expect(chosen([old, certificate('older', INSTALLER, two, -3, -2)])).toContain('2 of them fit');
  });
});

describe('checkIdentity', () => {
  const check = (now: (leaf: Certificate) => number, change: Parameters<typeof leafFor>[3] = {}) => {
    const leaf = leafFor('installer', one, authority.members.developerIdAuthority, change);
    return words(() => checkIdentity('installer', leaf, [], { trust: authority.trust, now: new Date(now(leaf)) }).warnings.map(({ message }) => message));
  }; // biome-ignore format: a table
  const date = (leaf: Certificate) => leaf.notAfter.toISOString().slice(0, 10);

  it('warns of the last thirty days, to the millisecond', () => {
    const notAfter = new Date(Math.floor(Date.now() / 1000) * 1000 + 60 * DAY);
    const at = (before: number) => check((leaf) => leaf.notAfter.getTime() - before, { notAfter });
    const leaf = leafFor('installer', one, authority.members.developerIdAuthority, { notAfter });
    const warning = (days: number) => [`"Developer ID Installer: Test (ABCDE12345)" expires in ${days} days, on ${date(leaf)}: renew it now`];
    expect(at(30 * DAY)).toEqual([]);
    expect(at(30 * DAY - 1)).toEqual(warning(29));
    expect(at(DAY)).toEqual(warning(1));
    expect(at(DAY - 1)).toEqual(warning(0));
    expect(at(0)).toEqual(warning(0));
    expect(at(-1)).toContain('IDENTITY_EXPIRED');
  }); // biome-ignore format: a table

  it('wants a key of 2048 bits at least', () => {
    const weak = (modulusLength: number) => {
      const keys = generateKeyPairSync('rsa', { modulusLength });
      const leaf = leafFor('installer', keys, authority.members.developerIdAuthority);
      return words(() => checkIdentity('installer', leaf, [], { trust: authority.trust, now: new Date() }).teamIdentifier);
    };
    expect(weak(2047)).toContain('IDENTITY_KEY_WEAK');
    const leaf = leafFor('installer', one, authority.members.developerIdAuthority);
    const unreadable = { ...leaf, publicKeyInfo: Buffer.alloc(3) };
    expect(words(() => checkIdentity('installer', unreadable, [], { trust: authority.trust, now: new Date() }))).toContain('a key of type unknown, not RSA');
  }); // biome-ignore format: a table

  it('is not led astray by a mark on a certificate that signed itself', () => {
    const own = leafFor('installer', one, { certificate: undefined, privateKey: one.privateKey }, { marks: [] });
    expect(words(() => checkIdentity('installer', own, [], { trust: authority.trust, now: new Date() }))).toContain('IDENTITY_SELF_SIGNED');
  }); // biome-ignore format: a table

  it.each(['Apple Distribution', 'iPhone Distribution', '3rd Party Mac Developer Application', '3rd Party Mac Developer Installer'])(
    'tells %s apart',
    (type) => expect(check(() => Date.now(), { commonName: `${type}: X`, marks: [] })).toContain('IDENTITY_APP_STORE'),
  ); // biome-ignore format: a table

  it.each(['Apple Development', 'Mac Developer', 'iPhone Developer'])('tells %s apart', (type) => {
    expect(check(() => Date.now(), { commonName: `${type}: X`, marks: [] })).toContain('IDENTITY_DEVELOPMENT');
    for (const commonName of [`X ${type}: X`, `${type} X: X`]) {
      const found = check(() => Date.now(), { commonName, marks: [] });
      expect(found).toContain('IDENTITY_TYPE');
      expect(found).toContain(`it is "${commonName}", not a Developer ID Installer certificate`);
    }
  });
});

describe('what is no .p12', () => {
  it('is named', () => {
    const named = (data: Buffer | string) => kindOf(Buffer.from(data as string, 'latin1'));
    expect(named('x\n-----BEGIN RSA PRIVATE KEY-----')).toBe('PEM (rsa private key)');
    expect(named(`${' '.repeat(4096 - 25)}-----BEGIN CERTIFICATE-----`)).toBe('something else');
    expect(named('PK\x03\x04')).toBe('a zip archive');
    expect(named(' PK')).toBe('something else');
    expect(named('0\x03\x02\x01\x01')).toBe('another ASN.1 structure');
    expect(named('')).toBe('something else');
    const { certificate } = authority.members.root;
    expect(kindOf(certificate.der)).toBe(`a certificate without private key ("${certificate.commonName}")`);
  });

  const open = (data: Buffer) => later(openPkcs12(data, new Secret('x'), 'installer'));
  const data = oid('1.2.840.113549.1.7.1');
  const safe = sequence(data, der(context(0), octetString(sequence())));
  const mac = (iterations: number) =>
    sequence(
      sequence(sequence(oid('1.2.3')), octetString(Buffer.alloc(20))),
      octetString(Buffer.alloc(8)),
      integer(iterations),
    );

  it('may stretch its password five million times, and no more', async () => {
    expect(await open(sequence(integer(3), safe, mac(5_000_001)))).toBe('IDENTITY_ENCRYPTION: its password is stretched 5000001 times');
    // That many are not counted: the digest is one that nobody knows.
    expect(await open(sequence(integer(3), safe, mac(5_000_000)))).toContain('IDENTITY_ENCRYPTION: the .p12 is protected in a way');
  }); // biome-ignore format: a table

  it.each<[string, Buffer, string]>([
    ['begins with version 3, however its length is written', Buffer.from('30820000020103', 'hex'), 'IDENTITY_DAMAGED'],
    ['is cut off behind its version', Buffer.from('3010020103', 'hex'), 'IDENTITY_DAMAGED'],
    ['has as its length what begins a version', Buffer.from('30020103', 'hex'), 'IDENTITY_NOT_P12'],
    ['has a length of four bytes', Buffer.from('308400000000020103', 'hex'), 'IDENTITY_DAMAGED'],
    ['has a length of five bytes', Buffer.from('30850000000000020103', 'hex'), 'IDENTITY_NOT_P12'],
    ['begins with another version', Buffer.from('30820000020102', 'hex'), 'IDENTITY_NOT_P12'],
    ['begins with another value', Buffer.from('31820000020103', 'hex'), 'IDENTITY_NOT_P12'],
    ['has a version that is no number', sequence(octetString(Buffer.from([3])), safe), 'IDENTITY_NOT_P12'],
    ['has contents that are no sequence', sequence(integer(3), octetString(Buffer.alloc(1))), 'IDENTITY_DAMAGED'],
    ['has contents of no type', sequence(integer(3), sequence(integer(1))), 'IDENTITY_DAMAGED'],
    ['has contents under another tag', sequence(integer(3), sequence(data, der(context(1), octetString(sequence())))), 'IDENTITY_DAMAGED'],
    ['has contents that are no octets', sequence(integer(3), sequence(data, der(context(0), bitString(sequence())))), 'IDENTITY_DAMAGED'],
  ])('is damaged, or another thing: it %s', async (_, bytes, code) => {
    expect(await open(bytes)).toContain(code);
  }); // biome-ignore format: a table
});

describe('the text of a .p12 in base64', () => {
  const load = (text: string | Buffer) =>
    later(
      loadIdentity(
        'installer',
        { p12: new Secret(Buffer.from(text as string, 'latin1')), password: undefined },
        { trust: authority.trust },
      ),
    );
  const NOT = 'IDENTITY_NOT_P12: this is not a .p12 file but ';

  it.each<[string, string, string]>([
    ['four characters', 'QUJD', `${NOT}something else`],
    ['wrapped, quoted, escaped', '"UE\\nsD\r\nBA= ="\n', `${NOT}a zip archive`],
    ['with a mark of its byte order', '\xef\xbb\xbfUEsDBA', `${NOT}a zip archive`],
    ['of the alphabet for addresses', 'UEsDBP-_', `${NOT}a zip archive`],
    ['one character too short', 'UEsDB', 'IDENTITY_BASE64: its base64 is cut off: 5 characters'],
    ['with a stray sign', 'UEsD!A', 'IDENTITY_BASE64: its base64 has a character that is none, at 4'],
    ['with padding within', 'UEs=DBA!', 'IDENTITY_BASE64: its base64 has a character that is none, at 7'],
    ['only quotes', '""', 'IDENTITY_EMPTY: nothing was given but blanks'],
    ['only padding', ' = ', 'IDENTITY_EMPTY: nothing was given but blanks'],
    ['that begins like a sequence', '0AAA', `${NOT}something else`],
    ['with other characters', 'UEs\xffDBA', `${NOT}something else`],
    ['a PEM', '-----BEGIN PKCS7-----', `${NOT}PEM (pkcs7)`],
    ['encoded twice', Buffer.from('MIIABC').toString('base64'), 'IDENTITY_BASE64_TWICE: it is encoded in base64 twice'],
    ['of what only looks so', Buffer.from('MIMA').toString('base64'), `${NOT}something else`],
  ])('%s', async (_, text, expected) => expect(await load(text)).toBe(expected)); // biome-ignore format: a table
});
