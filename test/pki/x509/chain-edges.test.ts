import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DER_NULL } from '../../../src/pki/asn1/der.ts';
import { NAME } from '../../../src/pki/asn1/oids.ts';
import type { Trust } from '../../../src/pki/x509/apple-roots.ts';
import { type Certificate, KEY_USAGE } from '../../../src/pki/x509/certificate.ts';
import { buildChain, isIssuer, type Purpose, verifyChain } from '../../../src/pki/x509/chain.ts';
import { type CertificatePlan, makeCertificate } from '../../../src/rehearsal/certificate-maker.ts';

// Numbers from RFC 5280 and Apple's Certification Practice Statement, not from our own table.
const [APPLICATION, INSTALLER, AUTHORITY] = [
  '1.2.840.113635.100.6.1.13',
  '1.2.840.113635.100.6.1.14',
  '1.2.840.113635.100.6.2.6',
];
const [TICKET, TICKET_AUTHORITY, TIME_AUTHORITY] = [
  '1.2.840.113635.100.6.1.30',
  '1.2.840.113635.100.6.2.17',
  '1.2.840.113635.100.6.2.9',
];
const [CODE, TIME, PACKAGE] = ['1.3.6.1.5.5.7.3.3', '1.3.6.1.5.5.7.3.8', '1.2.840.113635.100.4.13'];
const NOW = new Date(1_700_000_000_000);
const FAR = new Date(1_800_000_000_000);

/** Keys of a curve are made in a millisecond; every link has its own. */
const keyPair = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
interface Link {
  readonly certificate: Certificate;
  readonly privateKey: ReturnType<typeof keyPair>['privateKey'];
}
function link(name: string, issuer: Link | undefined, change: Partial<CertificatePlan> = {}): Link {
  const { publicKey, privateKey } = keyPair();
  const plan: CertificatePlan = { subject: [[NAME.commonName, name]], publicKey, notBefore: NOW, notAfter: FAR, authority: true, keyUsage: 0x06, ...change };
  return { certificate: makeCertificate(plan, issuer ?? { certificate: undefined, privateKey }), privateKey };
} // biome-ignore format: short
const LEAF = { authority: false, keyUsage: 0x80 } as const;
const mark = (...oids: readonly (string | undefined)[]) => ({
  marks: oids.flatMap((oid) => (oid ? [{ oid, critical: true }] : [])),
});
const trustIn = (...roots: readonly Link[]): Trust => ({
  name: 'rehearsal',
  roots: roots.map(({ certificate }) => certificate),
  intermediates: [],
});

const root = link('root', undefined);
const [middle, plain] = [link('middle', root, mark(AUTHORITY)), link('plain', root)];
const check = (leaf: Link, pool: readonly Link[] = [middle, plain], purpose: Purpose = 'any', at = NOW) =>
  verifyChain(
    leaf.certificate,
    pool.map(({ certificate }) => certificate),
    { trust: trustIn(root), at, purpose },
  );
const codes = (...given: Parameters<typeof check>) => check(...given).findings.map(({ code }) => code).filter((code) => code !== 'CHAIN_STRAY'); // biome-ignore format: short

describe('the marks of a chain', () => {
  it.each<[Purpose, string | undefined, string | undefined, string | undefined]>([
    ['application', APPLICATION, CODE, AUTHORITY],
    ['installer', INSTALLER, PACKAGE, AUTHORITY],
    ['timestamp', undefined, TIME, TIME_AUTHORITY],
    ['ticket', TICKET, undefined, TICKET_AUTHORITY],
    ['any', undefined, undefined, undefined],
  ])('for %s are in leaf and issuer', (purpose, ownMark, keyPurpose, issuerMark) => {
    const issuer = link('issuer', root, mark(issuerMark));
    const leaf = (own = ownMark, use = keyPurpose, by = issuer) => link('leaf', by, { ...LEAF, ...mark(own), ...(use && { extendedKeyUsage: [use] }) });
    const found = (one: Link) => codes(one, [issuer, plain], purpose);
    expect(found(leaf())).toEqual([]);
    expect(found(leaf('1.2.840.113635.100.9.9'))).toEqual(ownMark ? ['LEAF_ROLE'] : []);
    const timestamp = purpose === 'timestamp';
    expect(found(leaf(ownMark, '1.2.3'))).toEqual(keyPurpose ? ['LEAF_KEY_PURPOSE'] : []);
    expect(found(link('leaf', issuer, { ...LEAF, ...mark(ownMark) }))).toEqual(keyPurpose ? ['LEAF_KEY_PURPOSE', ...(timestamp ? ['TIMESTAMP_KEY_PURPOSE'] : [])] : []);
    expect(found(leaf(ownMark, keyPurpose, plain))).toEqual(timestamp ? ['TIMESTAMP_ISSUER'] : issuerMark ? ['ISSUER_ROLE'] : []);
    expect(check(leaf(ownMark, keyPurpose, plain), [plain], purpose).trusted).toBe(timestamp || !issuerMark);
  }); // biome-ignore format: a table

  it('are not asked of an issuer that is not there', () => {
    const leaf = link('leaf', middle, { ...LEAF, ...mark(INSTALLER), extendedKeyUsage: [PACKAGE] });
    expect(codes(leaf, [], 'installer')).toEqual(['CHAIN_INCOMPLETE']);
    const time = link('leaf', middle, { ...LEAF, extendedKeyUsage: [TIME] });
    expect(codes(time, [], 'timestamp')).toEqual(['CHAIN_INCOMPLETE']);
  });

  it('are not enough: the leaf is no authority, and its key signs data', () => {
    const leaf = (change: Partial<CertificatePlan>) => codes(link('leaf', middle, { ...LEAF, ...mark(INSTALLER), extendedKeyUsage: [PACKAGE], ...change }), undefined, 'installer');
    expect(leaf({})).toEqual([]);
    expect(leaf({ authority: true })).toEqual(['LEAF_IS_AUTHORITY']);
    expect([leaf({ keyUsage: 0x40 }), leaf({ keyUsage: 0x7f }), leaf({ keyUsage: 0xff })]).toEqual([['LEAF_KEY_USAGE'], ['LEAF_KEY_USAGE'], []]);
    expect(codes(link('leaf', middle, { ...LEAF, keyUsage: 0x40, authority: true }), undefined, 'any')).toEqual([]);
    expect(KEY_USAGE).toEqual({ digitalSignature: 0x80, keyCertSign: 0x04 });
  }); // biome-ignore format: a table
});

describe('an authority', () => {
  const below = (change: Partial<CertificatePlan>, levels = 0) => {
    let issuer = link('authority', root, change);
    const pool = [issuer];
    for (let level = 0; level < levels; level++) {
      issuer = link(`level ${level}`, issuer);
      pool.push(issuer);
    }
    return codes(link('leaf', issuer, LEAF), pool);
  };

  it('says that it is one, and its key signs certificates', () => {
    expect(below({})).toEqual([]);
    expect(below({ authority: false })).toEqual(['CHAIN_NOT_AUTHORITY']);
    expect([below({ keyUsage: 0x02 }), below({ keyUsage: 0x04 }), below({ keyUsage: 0xfb })]).toEqual([['CHAIN_KEY_USAGE'], [], ['CHAIN_KEY_USAGE']]);
  }); // biome-ignore format: a table

  it('has as many below it as it allows', () => {
    expect([below({ pathLength: 0 }), below({ pathLength: 0 }, 1), below({ pathLength: 1 }, 1), below({ pathLength: 1 }, 2)]).toEqual([[], ['CHAIN_PATH_LENGTH'], [], ['CHAIN_PATH_LENGTH']]);
  }); // biome-ignore format: a table

  it('need not say what its key is for', () => {
    const leaf = link('leaf', middle, LEAF);
    const silent = { ...middle.certificate, keyUsage: undefined, pathLength: undefined };
    const options = { trust: trustIn(root), at: NOW, purpose: 'any' } as const;
    expect(verifyChain(leaf.certificate, [silent], options).findings).toEqual([]);
    expect(verifyChain({ ...leaf.certificate, keyUsage: undefined }, [silent], { ...options, purpose: 'ticket' }).findings.map(({ code }) => code)).toEqual(['LEAF_ROLE', 'ISSUER_ROLE']);
  }); // biome-ignore format: a table
});

describe('the time of a chain', () => {
  it('is within that of every certificate, both ends included', () => {
    const leaf = link('leaf', middle, { ...LEAF, notBefore: new Date(NOW.getTime() + 1000), notAfter: new Date(FAR.getTime() - 1000) });
    const at = (time: number) => codes(leaf, [middle], 'any', new Date(time));
    expect([at(NOW.getTime() + 999), at(NOW.getTime() + 1000)]).toEqual([['CERTIFICATE_NOT_YET_VALID'], []]);
    expect([at(FAR.getTime() - 1000), at(FAR.getTime() - 999)]).toEqual([[], ['CERTIFICATE_EXPIRED']]);
    expect(at(FAR.getTime() + 1)).toEqual(['CERTIFICATE_EXPIRED', 'CERTIFICATE_EXPIRED', 'CERTIFICATE_EXPIRED']);
  }); // biome-ignore format: a table
});

describe('the length of a chain', () => {
  it('is eight at most', () => {
    const chain = (links: number) => {
      let issuer = root;
      const pool: Link[] = [];
      for (let number = 0; number < links - 2; number++) {
        issuer = link(`number ${number}`, issuer);
        pool.push(issuer);
      }
      const report = check(link('leaf', issuer, LEAF), pool);
      return [report.chain.length, report.findings.map(({ code, message }) => `${code} ${message.slice(-21)}`)];
    };
    expect(chain(8)).toEqual([8, []]);
    expect(chain(9)).toEqual([8, ['CHAIN_SIGNATURE the chain is too long']]);
  });

  it('is one of a root itself', () => {
    expect([codes(root, []), check(root, []).chain.length]).toEqual([[], 1]);
    expect(codes(link('other', undefined), [])).toEqual(['CHAIN_UNTRUSTED_ROOT']);
  });
});

describe('the issuer of a certificate', () => {
  it('has its name, and its key identifier where both have one', () => {
    const [one, two] = [link('same', root), link('same', root)];
    const leaf = link('leaf', one, LEAF).certificate;
    const without = (certificate: Certificate, field: 'subjectKeyIdentifier' | 'authorityKeyIdentifier') => ({ ...certificate, [field]: undefined });
    expect([isIssuer(one.certificate, leaf), isIssuer(two.certificate, leaf), isIssuer(root.certificate, leaf)]).toEqual([true, false, false]);
    expect(isIssuer(without(two.certificate, 'subjectKeyIdentifier'), leaf)).toBe(true);
    expect(isIssuer(two.certificate, without(leaf, 'authorityKeyIdentifier'))).toBe(true);
    expect(isIssuer(without(root.certificate, 'subjectKeyIdentifier'), leaf)).toBe(false);
  }); // biome-ignore format: a table

  it('is the one whose key made the signature, wherever it lies in the pool', () => {
    const [one, two] = [link('same', root), link('same', root)];
    const leaf = { ...link('leaf', one, LEAF).certificate, authorityKeyIdentifier: undefined };
    for (const pool of [[one, two], [two, one]]) {
      const { chain, findings } = buildChain(leaf, pool.map(({ certificate }) => certificate), trustIn(root));
      expect([chain.map(({ sha256 }) => sha256), findings]).toEqual([[leaf.sha256, one.certificate.sha256, root.certificate.sha256], []]);
    }
    const { findings } = buildChain(leaf, [two.certificate], trustIn(root));
    expect(findings).toEqual([{ code: 'CHAIN_SIGNATURE', severity: 'error', message: 'the signature on certificate "leaf" is not right: it does not match what was signed' }]);
  }); // biome-ignore format: a table

  it('is the root before another certificate of its name and key, which an authority that nobody knows gave', () => {
    const { publicKey, privateKey } = keyPair();
    const plan = { subject: [[NAME.commonName, 'crossed']] as const, publicKey, notBefore: NOW, notAfter: FAR, authority: true, keyUsage: 0x06 };
    const own = { certificate: makeCertificate(plan, { certificate: undefined, privateKey }), privateKey };
    const crossed = { certificate: makeCertificate(plan, link('nobody', undefined)), privateKey };
    const leaf = link('leaf', own, LEAF);
    const report = verifyChain(leaf.certificate, [crossed.certificate], { trust: trustIn(own), at: NOW, purpose: 'any' });
    expect([report.trusted, report.chain.map(({ sha256 }) => sha256)]).toEqual([true, [leaf.certificate.sha256, own.certificate.sha256]]);
  }); // biome-ignore format: a table

  it('is looked for among the roots too, and missed by name', () => {
    expect(buildChain(link('leaf', root, LEAF).certificate, [], trustIn(root)).findings).toEqual([]);
    const leaf = link('leaf', link('nobody', root), LEAF);
    expect(check(leaf, []).findings[0]?.message).toBe('the issuer of certificate "leaf" is missing: nobody');
  });
});

describe('what is beside the chain', () => {
  it('is told of where there is a root, and breaks nothing', () => {
    const stray = link('stray', undefined);
    const report = check(link('leaf', middle, LEAF), [middle, root, stray]);
    expect([report.trusted, report.findings.map(({ code, severity, message }) => `${severity} ${code}: ${message}`)]).toEqual([
      true,
      ['warning CHAIN_STRAY: certificate "stray" is not part of the chain'],
    ]);
    expect(check(link('leaf', link('nobody', root), LEAF), [stray]).findings.map(({ code }) => code)).toEqual(['CHAIN_INCOMPLETE']);
  }); // biome-ignore format: a table

  it('may be an extension that nobody knows, unless it is critical; those of Apple are known', () => {
    const extra = (oid: string, critical: boolean) => codes(link('leaf', middle, { ...LEAF, extra: [{ oid, critical, value: DER_NULL }] }));
    expect([extra('1.2.3', true), extra('1.2.3', false)]).toEqual([['CERTIFICATE_CRITICAL_EXTENSION'], []]);
    expect([extra('1.2.840.113635.100.99', true), extra('1.2.840.113635.1001', true)]).toEqual([[], ['CERTIFICATE_CRITICAL_EXTENSION']]);
    expect(extra('2.1.2.840.113635.100.99', true)).toEqual(['CERTIFICATE_CRITICAL_EXTENSION']);
    expect([extra('2.5.29.32', true), extra('2.5.29.33', true)]).toEqual([[], ['CERTIFICATE_CRITICAL_EXTENSION']]);
  }); // biome-ignore format: a table
});
