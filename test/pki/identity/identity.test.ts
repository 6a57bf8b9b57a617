import { generateKeyPairSync, verify } from 'node:crypto';
import forge from 'node-forge';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type PipelineError, UsageError } from '../../../src/base/errors.ts';
import { Secret } from '../../../src/base/secret.ts';
import { der, integer, octetString, oid, sequence } from '../../../src/pki/asn1/der.ts';
import { KEY_PURPOSE } from '../../../src/pki/asn1/oids.ts';
import { checkIdentityPair, type IdentitySource, loadIdentity } from '../../../src/pki/identity/identity.ts';
import { appleTrust } from '../../../src/pki/x509/apple-roots.ts';
import type { Certificate } from '../../../src/pki/x509/certificate.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { legacyProvider, openssl, pemOf } from '../../support/openssl.ts';
import { rsaPair } from '../../support/rsa-pairs.ts';
import { keptAuthority } from '../../support/test-authority.ts';
import { type KeyPair, leafFor, manyIdentities, opensslP12, type P12Plan } from './identity-files.ts';

const PASSWORD = 'correct horse';
const DAY = 24 * 3600 * 1000;
let authority: RehearsalAuthority;
let keys: KeyPair;
let leaf: Certificate;
let p12: Buffer;

beforeAll(async () => {
  authority = await sharedAuthority();
  keys = rsaPair();
  leaf = installer();
  p12 = openssl.missing ? Buffer.alloc(0) : opensslP12({ leaf, key: keys.privateKey });
});

type Change = Parameters<typeof leafFor>[3];
const installer = (change: Change = {}, pair = keys) =>
  leafFor('installer', pair, authority.members.developerIdAuthority, change);
const made = (plan: Partial<P12Plan>) => opensslP12({ leaf, key: keys.privateKey, ...plan });
const source = (bytes: Buffer, password: string | undefined = PASSWORD): IdentitySource => ({
  p12: new Secret(bytes),
  password: password === '' ? undefined : new Secret(password),
});
const load = (from: IdentitySource, role: 'application' | 'installer' = 'installer') =>
  loadIdentity(role, from, { trust: authority.trust });
const pem = (certificate: Certificate, pair = keys): IdentitySource => ({
  pemCertificate: pemOf(certificate),
  pemKey: new Secret(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string),
});

describe.skipIf(openssl.missing)(`loadIdentity from .p12${openssl.note}`, () => {
  it('opens one as openssl makes it now: AES', async () => {
    const identity = await load(source(p12));
    expect(identity.certificate.sha256).toBe(leaf.sha256);
    expect(identity.chain.map(({ commonName }) => commonName)[2]).toContain('REHEARSAL Root CA');
    expect([identity.teamIdentifier, identity.rehearsal, identity.warnings]).toEqual(['ABCDE12345', true, []]);
  });

  it.skipIf(legacyProvider.missing)(`opens an old one: RC2 and triple DES${legacyProvider.note}`, async () => {
    const old = made({
      flags: ['-legacy', '-certpbe', 'PBE-SHA1-RC2-40', '-keypbe', 'PBE-SHA1-3DES', '-macalg', 'SHA1'],
    });
    expect((await load(source(old))).certificate.sha256).toBe(leaf.sha256);
  });

  it.each([
    ['triple DES', ['-certpbe', 'PBE-SHA1-3DES', '-keypbe', 'PBE-SHA1-3DES', '-macalg', 'SHA1']],
    ['AES-128', ['-certpbe', 'AES-128-CBC', '-keypbe', 'AES-128-CBC']],
    ['no encryption', ['-certpbe', 'NONE', '-keypbe', 'NONE']],
    ['SHA-512 integrity', ['-macalg', 'SHA512']],
    ['no integrity check', ['-nomac']],
  ])('opens one with %s', async (_, flags) => {
    expect((await load(source(made({ flags })))).certificate.sha256).toBe(leaf.sha256);
  });

  it.each(['', 'p4ss "word" $\\', 'Größe €', '鍵'])('opens one with the password %j', async (password) => {
    const identity = await load(source(made({ password }), password));
    expect(identity.certificate.sha256).toBe(leaf.sha256);
  });

  it('takes base64 as secret stores give it: wrapped, quoted, with escaped newlines, without padding', async () => {
    const base64 = p12.toString('base64');
    const lines = base64.match(/.{1,64}/g) ?? [];
    for (const text of [
      base64,
      `${lines.join('\n')}\n`,
      lines.join('\r\n'),
      `"${base64}"`,
      lines.join('\\n'),
      base64.replace(/=+$/, ''),
    ]) {
      expect((await load(source(Buffer.from(text)))).certificate.sha256).toBe(leaf.sha256);
    }
  });

  it('finds the identity of the role among several, the valid one before the expired', async () => {
    const old = installer({ notBefore: new Date(Date.now() - 9 * DAY), notAfter: new Date(Date.now() - DAY) });
    const other = leafFor('application', keys, authority.members.developerIdAuthority);
    const several = await manyIdentities([old, other, leaf].map((one) => ({ leaf: one, key: keys.privateKey })));
    expect((await load(source(several))).certificate.sha256).toBe(leaf.sha256);
    expect((await load(source(several), 'application')).certificate.sha256).toBe(other.sha256);
  });

  it('uses the intermediate in the file, whatever else is in it', async () => {
    const { developerIdAuthority, root, ticket } = authority.members;
    const others = [ticket.certificate, root.certificate, developerIdAuthority.certificate];
    const bare = { ...authority.trust, intermediates: [] };
    const identity = await loadIdentity('installer', source(made({ others })), { trust: bare });
    expect(identity.chain.map(({ sha256 }) => sha256).slice(1)).toEqual([
      developerIdAuthority.certificate.sha256,
      root.certificate.sha256,
    ]);
  });

  it('signs with the key of the file', async () => {
    const { signer } = await load(source(p12));
    const signature = await signer.sign({
      hash: 'sha1',
      digest: Buffer.from('a9993e364706816aba3e25717850c26c9cd0d89d', 'hex'),
    });
    // The digest is that of "abc" (FIPS 180-4 example), so this proves DigestInfo and padding.
    expect(verify('sha1', Buffer.from('abc'), keys.publicKey, signature)).toBe(true);
  });
});

/** Each kind of wrong identity: its code, part of its message, and what is given. */
const WRONG: [
  code: string,
  message: RegExp,
  given: () => IdentitySource | Promise<IdentitySource>,
  role?: 'application',
][] = [
  ['IDENTITY_EMPTY', /0 bytes/, () => source(Buffer.alloc(0))],
  ['IDENTITY_EMPTY', /nothing was given but blanks/, () => source(Buffer.from(' \n'))],
  ['IDENTITY_BASE64', /a character that is none, at 3/, () => source(Buffer.from('MII*abc'))],
  ['IDENTITY_BASE64', /cut off: 1001 characters/, () => source(Buffer.from(p12.toString('base64').slice(0, 1001)))],
  [
    'IDENTITY_BASE64_TWICE',
    /base64 twice/,
    () => source(Buffer.from(Buffer.from(p12.toString('base64')).toString('base64'))),
  ],
  ['IDENTITY_NOT_P12', /but PEM \(certificate\)/, () => source(Buffer.from(pemOf(leaf)))],
  ['IDENTITY_NOT_P12', /a certificate without private key \("Developer ID Installer/, () => source(leaf.der)],
  ['IDENTITY_NOT_P12', /but a zip archive/, () => source(Buffer.from('PK\x03\x04\0\0\0\0'))],
  ['IDENTITY_NOT_P12', /but something else/, () => source(Buffer.from('identity', 'utf16le'))],
  ['IDENTITY_DAMAGED', /damaged or cut off/, () => source(p12.subarray(0, 1500))],
  ['IDENTITY_DAMAGED', /damaged or cut off/, () => source(Buffer.from(p12.subarray(0, 900).toString('base64')))],
  ['IDENTITY_PASSWORD_MISSING', /none was given/, () => source(p12, '')],
  ['IDENTITY_PASSWORD_WRONG', /does not open/, () => source(p12, 'wrong')],
  ['IDENTITY_PASSWORD_WRONG', /does not open/, () => source(p12, `${PASSWORD}\n`)],
  ['IDENTITY_PASSWORD_WRONG', /does not open/, () => source(made({ flags: ['-nomac'] }), 'wrong')],
  ['IDENTITY_ENCRYPTION', /cannot be read here/, () => source(foreignEncryption())],
  ['IDENTITY_NO_KEY', /no private key/, () => source(opensslP12({ leaf }))],
  ['IDENTITY_NO_CERTIFICATE', /no certificate/, () => source(made({ flags: ['-nocerts'] }))],
  ['IDENTITY_KEY_MISMATCH', /does not belong to the certificate \("Dev/, () => pem(leaf, rsaPair(1))],
  ['IDENTITY_AMBIGUOUS', /2 identities, 2 of them fit/, () => twoOf(installer(), installer({ team: 'OTHER67890' }))],
  ['IDENTITY_AMBIGUOUS', /2 identities, 0 of them fit/, () => twoOf(installer(), installer()), 'application'],
  ['IDENTITY_ROLE_SWAPPED', /not a Developer ID Application certificate/, () => pem(leaf), 'application'],
  ['IDENTITY_DEVELOPMENT', /"Apple Development: Test/, () => pem(plain('Apple Development: Test (ABCDE12345)'))],
  ['IDENTITY_DEVELOPMENT', /"Mac Developer: Test/, () => pem(plain('Mac Developer: Test (ABCDE12345)'))],
  ['IDENTITY_APP_STORE', /"Apple Distribution: Test/, () => pem(plain('Apple Distribution: Test (ABCDE12345)'))],
  ['IDENTITY_APP_STORE', /"3rd Party/, () => pem(plain('3rd Party Mac Developer Installer: Test (ABCDE12345)'))],
  ['IDENTITY_TYPE', /"www.example.com"/, () => pem(plain('www.example.com'))],
  ['IDENTITY_TYPE', /key purpose/, () => pem(installer({ extendedKeyUsage: [KEY_PURPOSE.codeSigning] }))],
  [
    'IDENTITY_SELF_SIGNED',
    /is self-signed/,
    () => pem(leafFor('installer', keys, { certificate: undefined, privateKey: keys.privateKey })),
  ],
  ['IDENTITY_KEY_TYPE', /a key of type ec/, () => ecIdentity()],
  ['IDENTITY_KEY_WEAK', /only 1024 bits/, () => weakIdentity()],
  ['IDENTITY_EXPIRED', /expired/, () => pem(installer({ notAfter: new Date(Date.now() - 1000) }))],
  ['IDENTITY_NOT_YET_VALID', /is valid from/, () => pem(installer({ notBefore: new Date(Date.now() + DAY) }))],
  ['IDENTITY_ISSUER', /not a trusted root/, () => strangers()],
  [
    'IDENTITY_ISSUER',
    /not an issuer of Developer ID Installer/,
    () => pem(leafFor('installer', keys, authority.members.root)),
  ],
  ['IDENTITY_CHAIN', /issuer .* is missing/, () => pem(leafFor('installer', keys, authority.members.ticketAuthority))],
  [
    'IDENTITY_TEAM_MISSING',
    /names no team/,
    () => pem(installer({ subject: [['2.5.4.3', 'Developer ID Installer: X']] })),
  ],
  ['IDENTITY_PEM', /no certificate in PEM/, () => ({ pemCertificate: 'nonsense', pemKey: new Secret('x') })],
  ['IDENTITY_PEM', /no private key in PEM/, () => ({ pemCertificate: pemOf(leaf), pemKey: new Secret('nonsense') })],
  ['IDENTITY_EMPTY', /the private key is empty/, () => ({ pemCertificate: pemOf(leaf), pemKey: new Secret('') })],
  [
    'IDENTITY_PEM_PASSWORD',
    /is encrypted/,
    () => ({ pemCertificate: pemOf(leaf), pemKey: new Secret(encryptedPem()) }),
  ],
];

function plain(commonName: string): Certificate {
  return installer({ commonName, marks: [] });
}

async function twoOf(...leaves: Certificate[]): Promise<IdentitySource> {
  return source(await manyIdentities(leaves.map((one) => ({ leaf: one, key: keys.privateKey }))));
}

function ecIdentity(): IdentitySource {
  const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return source(opensslP12({ leaf: installer({}, pair), key: pair.privateKey }));
}

function weakIdentity(): IdentitySource {
  const pair = generateKeyPairSync('rsa', { modulusLength: 1024 });
  return pem(installer({}, pair), pair);
}

async function strangers(): Promise<IdentitySource> {
  const stranger = await keptAuthority('stranger');
  const { developerIdAuthority, root } = stranger.members;
  const chain = [leafFor('installer', keys, developerIdAuthority), developerIdAuthority.certificate, root.certificate];
  return { ...pem(leaf), pemCertificate: chain.map(pemOf).join('') } as IdentitySource;
}

const encryptedPem = () =>
  keys.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }) as string;

/** A .p12 without integrity check whose contents are encrypted with an algorithm that nobody knows. */
function foreignEncryption(): Buffer {
  const data = oid('1.2.840.113549.1.7.1');
  const algorithm = sequence(oid('1.3.6.1.4.1.32473.9'), sequence(octetString(Buffer.alloc(8)), integer(1)));
  const content = sequence(data, algorithm, der(0x80, Buffer.alloc(16)));
  const encrypted = sequence(oid('1.2.840.113549.1.7.6'), der(0xa0, sequence(integer(0), content)));
  const safe = sequence(data, der(0xa0, octetString(sequence(encrypted))));
  return sequence(integer(3), safe);
}

describe.skipIf(openssl.missing)(`a .p12 without an integrity check${openssl.note}`, () => {
  afterEach(() => void vi.restoreAllMocks());
  const outcome = () =>
    load(source(made({ flags: ['-nomac'] }), 'wrong')).then(
      () => 'opened',
      (error) => error.code,
    );
  const strange = () => {
    throw new Error('Unsupported PKCS#12 SafeBag type.');
  };

  it('that a wrong password opens to nonsense is not taken for one of a strange kind', async () => {
    vi.spyOn(forge.pkcs12, 'pkcs12FromAsn1').mockImplementationOnce(strange);
    expect(await outcome()).toBe('IDENTITY_PASSWORD_WRONG');
  });

  it('is of a strange kind when every password finds it so', async () => {
    vi.spyOn(forge.pkcs12, 'pkcs12FromAsn1').mockImplementation(strange);
    expect(await outcome()).toBe('IDENTITY_ENCRYPTION');
  });
});

describe.skipIf(openssl.missing)(`loadIdentity, given a wrong identity${openssl.note}`, () => {
  it.each(WRONG.map(([code, message, given, role], row) => ({ row, code, message, given, role })))(
    'row $row: $code, $message',
    async ({ code, message, given, role }) => {
      const error: PipelineError = await load(await given(), role ?? 'installer').then(
        () => expect.fail('it was accepted'),
        (reason) => reason,
      );
      expect([error.code, error instanceof UsageError]).toEqual([code, true]);
      expect(error.message).toMatch(/^the Developer ID (Installer|Application) identity: /);
      expect(error.message).toMatch(message);
      expect(error.hint?.length).toBeGreaterThan(20);
      expect(`${error.message} ${error.hint} ${error.stack} ${error.cause}`).not.toContain(PASSWORD);
    },
  );

  it('has at least 15 kinds, each with a hint of its own way', () => {
    expect(new Set(WRONG.map(([code]) => code)).size).toBeGreaterThanOrEqual(15);
  });

  it('refuses a rehearsal identity when Apple’s is wanted', async () => {
    const error = await loadIdentity('installer', authority.identitySource('installer'), { trust: appleTrust() }).catch(
      (reason: PipelineError) => reason,
    );
    expect((error as PipelineError).code).toBe('IDENTITY_ISSUER');
  });
});

describe('loadIdentity', () => {
  it('warns when leaf or issuer expires within 30 days, and not a day before', async () => {
    const soon = await load(pem(installer({ notAfter: new Date(Date.now() + 29.5 * DAY) })));
    expect(soon.warnings.map(({ code }) => code)).toEqual(['IDENTITY_EXPIRES_SOON']);
    expect(soon.warnings[0]?.message).toContain('expires in 29 days');
    expect((await load(pem(installer({ notAfter: new Date(Date.now() + 30.5 * DAY) })))).warnings).toEqual([]);
  });

  it('lets a key elsewhere prove that it belongs to the certificate', async () => {
    const right = authority.identitySource('installer');
    expect((await load(right)).role).toBe('installer');
    const wrong = { ...right, signer: authority.identitySource('application').signer };
    await expect(load(wrong)).rejects.toThrow('the key of the signer does not belong to the certificate');
    await expect(load({ ...right, certificateChain: [] })).rejects.toThrow('no certificate was given');
    await expect(load({ ...right, certificateChain: [Buffer.from('x')] })).rejects.toThrow('cannot be read');
    // A bug of ours is not called a damaged certificate.
    await expect(load({ ...right, certificateChain: [undefined as never] })).rejects.toThrow(TypeError);
  });
});

describe('checkIdentityPair', () => {
  it('returns the warnings of both', async () => {
    const application = await load(authority.identitySource('application'), 'application');
    const team = application.teamIdentifier;
    const expiring = await load(pem(installer({ team, notAfter: new Date(Date.now() + 5.5 * DAY) })));
    expect(checkIdentityPair(application, expiring).map(({ message }) => message)).toEqual([
      expect.stringMatching(/^the Developer ID Installer identity: .* expires in 5 days/),
    ]);
  });

  it('refuses two teams, and a real identity beside one for rehearsals', async () => {
    const application = await load(authority.identitySource('application'), 'application');
    const other = await load(pem(leaf));
    expect(() => checkIdentityPair(application, other)).toThrow('two teams, REHEARSAL0 and ABCDE12345');
    expect(() => checkIdentityPair(application, { ...other, rehearsal: false })).toThrow('one is real');
  });
});
