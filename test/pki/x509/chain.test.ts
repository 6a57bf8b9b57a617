import type { KeyObject } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { DER_NULL, TAG } from '../../../src/pki/asn1/der.ts';
import { APPLE, EXTENSION, KEY_PURPOSE, NAME } from '../../../src/pki/asn1/oids.ts';
import { appleCertificates, appleTrust, type Trust } from '../../../src/pki/x509/apple-roots.ts';
import { type Certificate, parseCertificate } from '../../../src/pki/x509/certificate.ts';
import { type Purpose, verifyChain } from '../../../src/pki/x509/chain.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { type CertificatePlan, type Issuer, makeCertificate } from '../../../src/rehearsal/certificate-maker.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { OpensslFolder, openssl, run } from '../../support/openssl.ts';
import { rsaPair } from '../../support/rsa-pairs.ts';

const NOW = new Date();
const DAY = 24 * 3600 * 1000;
let authority: RehearsalAuthority;
let keys: { publicKey: KeyObject; privateKey: KeyObject };

beforeAll(async () => {
  authority = await sharedAuthority();
  keys = rsaPair();
});

/** Returns a leaf of the Developer ID Installer kind, changed as told. */
function leafWith(change: Partial<CertificatePlan>, issuer?: Issuer): Certificate {
  const plan: CertificatePlan = {
    subject: [[NAME.commonName, 'Developer ID Installer: Test (ABCDE12345)']],
    publicKey: keys.publicKey,
    notBefore: new Date(NOW.getTime() - DAY),
    notAfter: new Date(NOW.getTime() + DAY),
    authority: false,
    keyUsage: 0x80,
    extendedKeyUsage: [KEY_PURPOSE.installerPackageSigning],
    marks: [{ oid: APPLE.developerIdInstaller, critical: true }],
    ...change,
  };
  return makeCertificate(plan, issuer ?? authority.members.developerIdAuthority);
}

/** Returns the codes found for a leaf, given the right intermediate. */
function codes(leaf: Certificate, change: { pool?: Certificate[]; trust?: Trust; at?: Date; purpose?: Purpose } = {}) {
  const pool = change.pool ?? [authority.members.developerIdAuthority.certificate];
  const report = verifyChain(leaf, pool, {
    trust: change.trust ?? authority.trust,
    at: change.at ?? NOW,
    purpose: change.purpose ?? 'installer',
  });
  expect(report.trusted).toBe(report.findings.every(({ severity }) => severity === 'warning'));
  return report.findings.map(({ code }) => code);
}

describe('verifyChain', () => {
  it.each(['application', 'installer', 'timestamp', 'ticket'] as const)(
    'trusts the rehearsal chain for %s',
    (purpose) => {
      const chain = authority.chainOf(purpose);
      const report = verifyChain(chain[0]!, [...chain].reverse(), { trust: authority.trust, at: NOW, purpose });
      expect(report.findings).toEqual([]);
      expect(report.chain.map(({ sha256 }) => sha256)).toEqual(chain.map(({ sha256 }) => sha256));
    },
  );

  it('builds the chain of Apple’s intermediates, and needs no root in the pool', () => {
    const { developerIdCaG2, developerIdCa, appleTimestampCa } = appleCertificates();
    const at = new Date('2026-01-01');
    for (const certificate of [developerIdCaG2, developerIdCa, appleTimestampCa]) {
      expect(codes(certificate, { pool: [], trust: appleTrust(), at, purpose: 'any' })).toEqual([]);
    }
  });

  it('does not trust the roots of others', () => {
    const { root, ticketRoot } = authority.members;
    const leaf = leafWith({});
    const pool = [authority.members.developerIdAuthority.certificate, root.certificate];
    expect(codes(leaf, { pool, trust: appleTrust() })).toEqual(['CHAIN_UNTRUSTED_ROOT']);
    const onlyOther = { ...authority.trust, roots: [ticketRoot.certificate] };
    expect(codes(leaf, { pool, trust: onlyOther })).toEqual(['CHAIN_UNTRUSTED_ROOT']);
  });

  it('says what is missing', () => {
    expect(codes(leafWith({}), { pool: [] })).toEqual(['CHAIN_INCOMPLETE']);
  });

  it('is not led astray by an issuer of the same name and key identifier, or by a ring', () => {
    const real = authority.members.developerIdAuthority.certificate;
    const impostor: Certificate = { ...real, publicKeyInfo: authority.members.application.certificate.publicKeyInfo };
    expect(codes(leafWith({}), { pool: [impostor, real] })).toEqual([]); // the impostor shares its bytes with the real one
    expect(codes(leafWith({}), { pool: [impostor] })).toEqual(['CHAIN_SIGNATURE']);
    const selfSigned = leafWith({}, { certificate: undefined, privateKey: keys.privateKey });
    expect(codes(selfSigned, { pool: [selfSigned] })).toEqual(['CHAIN_UNTRUSTED_ROOT']);
  });

  it('warns of certificates that are not part of the chain', () => {
    const { developerIdAuthority, ticket } = authority.members;
    const pool = [developerIdAuthority.certificate, ticket.certificate];
    expect(codes(leafWith({}), { pool })).toEqual(['CHAIN_STRAY']);
  });

  it('refuses a leaf that another leaf signed', () => {
    const { installer, developerIdAuthority } = authority.members;
    const pool = [installer.certificate, developerIdAuthority.certificate];
    const found = codes(leafWith({}, installer), { pool });
    expect(found).toEqual(expect.arrayContaining(['CHAIN_NOT_AUTHORITY', 'CHAIN_KEY_USAGE', 'CHAIN_PATH_LENGTH']));
  });

  it('checks every certificate at the given time', () => {
    const leaf = leafWith({});
    expect(codes(leaf, { at: new Date(NOW.getTime() + 2 * DAY) })).toEqual(['CERTIFICATE_EXPIRED']);
    const before = codes(leaf, { at: new Date(NOW.getTime() - 3 * DAY) });
    expect(before).toEqual(['CERTIFICATE_NOT_YET_VALID', 'CERTIFICATE_NOT_YET_VALID', 'CERTIFICATE_NOT_YET_VALID']);
    expect(codes(leaf, { at: leaf.notAfter })).toEqual([]);
    expect(codes(leaf, { at: leaf.notBefore })).toEqual([]);
  });

  it('refuses unknown critical extensions and passes over unknown others', () => {
    const value = DER_NULL;
    expect(codes(leafWith({ extra: [{ oid: '1.3.6.1.4.1.32473.2', critical: true, value }] }))).toEqual([
      'CERTIFICATE_CRITICAL_EXTENSION',
    ]);
    expect(codes(leafWith({ extra: [{ oid: '1.3.6.1.4.1.32473.2', critical: false, value }] }))).toEqual([]);
  });

  it('wants the marks of the role in leaf and issuer', () => {
    expect(codes(leafWith({}), { purpose: 'application' })).toEqual(['LEAF_ROLE', 'LEAF_KEY_PURPOSE']);
    expect(codes(leafWith({ marks: [] }))).toEqual(['LEAF_ROLE']);
    expect(codes(leafWith({ extendedKeyUsage: [KEY_PURPOSE.codeSigning] }))).toEqual(['LEAF_KEY_PURPOSE']);
    expect(codes(leafWith({ keyUsage: 0x20 }))).toEqual(['LEAF_KEY_USAGE']);
    expect(codes(leafWith({ authority: true }))).toEqual(['LEAF_IS_AUTHORITY']);
    expect(
      codes(leafWith({}, authority.members.timestampAuthority), {
        pool: [authority.members.timestampAuthority.certificate],
      }),
    ).toEqual(['ISSUER_ROLE']);
  });

  it('wants timeStamping as the only key purpose, marked critical, and warns of an unmarked authority', () => {
    const purposes = [KEY_PURPOSE.timeStamping, KEY_PURPOSE.codeSigning];
    const pool = [authority.members.timestampAuthority.certificate];
    const issuer = authority.members.timestampAuthority;
    const two = leafWith({ extendedKeyUsage: purposes }, issuer);
    expect(codes(two, { pool, purpose: 'timestamp' })).toEqual(['TIMESTAMP_KEY_PURPOSE']);
    const right = leafWith({ extendedKeyUsage: [KEY_PURPOSE.timeStamping] }, issuer);
    expect(codes(right, { pool, purpose: 'timestamp' })).toEqual([]);
    const unmarked = right.extensions.map((one) =>
      one.oid === EXTENSION.extendedKeyUsage ? { ...one, critical: false } : one,
    );
    expect(codes({ ...right, extensions: unmarked }, { pool, purpose: 'timestamp' })).toEqual([
      'TIMESTAMP_KEY_PURPOSE',
    ]);
    const elsewhere = leafWith({ extendedKeyUsage: [KEY_PURPOSE.timeStamping] });
    expect(codes(elsewhere, { purpose: 'timestamp' })).toEqual(['TIMESTAMP_ISSUER']);
  });

  it('refuses to read a certificate whose inner and outer algorithms differ', () => {
    const { der: bytes, tbs } = leafWith({});
    // After tbsCertificate: SEQUENCE header (2), object identifier (11), NULL (2).
    const parameters = bytes.indexOf(tbs) + tbs.length + 13;
    expect(bytes.subarray(parameters, parameters + 2)).toEqual(DER_NULL);
    const changed = Buffer.from(bytes);
    changed[parameters] = TAG.octetString;
    expect(() => parseCertificate(changed)).toThrow('expected the signature algorithm that tbsCertificate names');
  });

  it.skipIf(openssl.missing)(`agrees with openssl verify${openssl.note}`, () => {
    const folder = new OpensslFolder();
    for (const purpose of ['application', 'installer', 'timestamp', 'ticket'] as const) {
      const [leaf, intermediate, root] = authority.chainOf(purpose);
      const argv = ['verify', '-x509_strict', '-ignore_critical', '-CAfile', folder.putPem('root.pem', root!)];
      const untrusted = ['-untrusted', folder.putPem('intermediate.pem', intermediate!)];
      expect(run([...argv, ...untrusted, folder.putPem('leaf.pem', leaf!)]).output).toContain('leaf.pem: OK');
      expect(run([...argv, folder.putPem('leaf.pem', leaf!)]).status).not.toBe(0);
    }
  });
});
