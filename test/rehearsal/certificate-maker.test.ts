import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { NAME } from '../../src/pki/asn1/oids.ts';
import { type CertificatePlan, type Issuer, makeCertificate } from '../../src/rehearsal/certificate-maker.ts';

const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
const [ROOT, LEAF, BIG] = [ec('prime256v1'), ec('prime256v1'), ec('secp384r1')];
const RSA = generateKeyPairSync('rsa', { modulusLength: 1024 });
const plan = (publicKey: KeyObject, change: Partial<CertificatePlan> = {}): CertificatePlan => ({
  subject: [
    [NAME.commonName, 'é'],
    [NAME.country, 'ZZ'],
  ],
  publicKey,
  notBefore: new Date('2026-01-01T00:00:00Z'),
  notAfter: new Date('2051-01-01T00:00:00Z'),
  authority: false,
  keyUsage: 0x80,
  ...change,
});
const alone = ({ privateKey }: { privateKey: KeyObject }): Issuer => ({ certificate: undefined, privateKey });
const made = (change: Partial<CertificatePlan> = {}, issuer = alone(LEAF)) =>
  makeCertificate(plan(LEAF.publicKey, change), issuer);
/** Each extension as its identifier, `!` where it is critical, and its value as hex. */
const shown = (...given: Parameters<typeof made>) =>
  made(...given).extensions.map(({ oid, critical, value }) => `${oid}${critical ? '!' : ''} ${value.toString('hex')}`);
const [CONSTRAINTS, USAGE, KEY_ID] = ['2.5.29.19', '2.5.29.15', '2.5.29.14'];

describe('a certificate of the rehearsal', () => {
  it.each([
    ['a P-256 key', ROOT, '1.2.840.10045.4.3.2', '300a06082a8648ce3d040302'],
    ['a P-384 key', BIG, '1.2.840.10045.4.3.3', '300a06082a8648ce3d040303'],
    // RSA's parameters are NULL (RFC 4055), those of ECDSA are absent (RFC 5758).
    ['an RSA key', RSA, '1.2.840.113549.1.1.11', '300d06092a864886f70d01010b0500'],
  ])('is signed by %s, in the eyes of OpenSSL', (_, issuer, algorithm, encoded) => {
    const root = makeCertificate(plan(issuer.publicKey, { authority: true, keyUsage: 0x06 }), alone(issuer));
    const leaf = made({ subject: [[NAME.commonName, 'leaf']] }, { certificate: root, privateKey: issuer.privateKey });
    const [ofRoot, ofLeaf] = [root, leaf].map(({ der }) => new X509Certificate(der)) as [
      X509Certificate,
      X509Certificate,
    ];
    expect([ofRoot.verify(issuer.publicKey), ofLeaf.verify(issuer.publicKey), ofLeaf.verify(LEAF.publicKey)]).toEqual([
      ...[true, true, false],
    ]);
    expect([ofRoot.ca, ofLeaf.ca, ofRoot.checkIssued(ofRoot), ofLeaf.checkIssued(ofRoot)]).toEqual([
      true,
      false,
      true,
      true,
    ]);
    expect(leaf.signatureAlgorithm.oid).toBe(algorithm);
    expect(leaf.der.toString('hex').split(encoded)).toHaveLength(3);
    expect(leaf.issuer.der).toEqual(root.subject.der);
    expect(leaf.authorityKeyIdentifier).toEqual(root.subjectKeyIdentifier);
  });

  it('has version 3, a positive number of 8 bytes, its times, and names in the strings that Apple takes', () => {
    const { tbs, serialBytes, subject, notBefore, notAfter } = made();
    // [0] with version 3, which is written as 2; then the number.
    expect(tbs.toString('hex')).toMatch(/^3082....a003020102020840/);
    expect(serialBytes).not.toEqual(made().serialBytes);
    expect([notBefore, notAfter]).toEqual([new Date('2026-01-01T00:00:00Z'), new Date('2051-01-01T00:00:00Z')]);
    // UTF8String 0c for a name, PrintableString 13 for a country, each in a set of its own.
    expect(subject.der.toString('hex')).toBe('301a310b300906035504030c02c3a9310b3009060355040613025a5a');
  });

  it('says what its key may do in the bits of DER, without zeros at the end', () => {
    const usage = (keyUsage: number) => shown({ keyUsage }).filter((one) => one.startsWith(USAGE!));
    expect([0x80, 0x06, 0x01, 0xff, 0xa0].map(usage)).toEqual([
      ...[[`${USAGE}! 03020780`], [`${USAGE}! 03020106`], [`${USAGE}! 03020001`], [`${USAGE}! 030200ff`]],
      [`${USAGE}! 030205a0`],
    ]);
  });

  it('is an authority or none, with a limit below it or without', () => {
    const of = (change: Partial<CertificatePlan>) => shown(change).filter((one) => one.startsWith(CONSTRAINTS!));
    expect(of({})).toEqual([`${CONSTRAINTS}! 3000`]);
    expect(of({ authority: true })).toEqual([`${CONSTRAINTS}! 30030101ff`]);
    expect(of({ authority: true, pathLength: 0 })).toEqual([`${CONSTRAINTS}! 30060101ff020100`]);
    expect(of({ authority: true, pathLength: 1 })).toEqual([`${CONSTRAINTS}! 30060101ff020101`]);
    expect(of({ pathLength: 1 })).toEqual([`${CONSTRAINTS}! 3000`]);
  });

  it('has further extensions as they are asked for, in this order', () => {
    const found = shown({
      extendedKeyUsage: ['1.3.6.1.5.5.7.3.3'],
      marks: [
        { oid: '1.2.3', critical: true },
        { oid: '1.2.4', critical: false },
      ],
      extra: [
        { oid: '1.2.5', critical: true, value: Buffer.from('0101ff', 'hex') },
        { oid: '1.2.6', critical: false, value: Buffer.from('0500', 'hex') },
      ],
    });
    expect(found.map((one) => one.replace(/(?<=^2\.5\.29\.14 0414).*/, ''))).toEqual([
      `${CONSTRAINTS}! 3000`,
      '2.5.29.37! 300a06082b06010505070303',
      `${KEY_ID} 0414`,
      `${USAGE}! 03020780`,
      ...['1.2.3! 0500', '1.2.4 0500', '1.2.5! 0101ff', '1.2.6 0500'],
    ]);
  });
});
