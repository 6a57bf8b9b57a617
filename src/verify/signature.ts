import { constants, createHash, publicDecrypt } from 'node:crypto';
import type { CheckList } from '../base/check.ts';
import { canonicalCms, isDer } from '../pki/cms/canonical-cms.ts';
import { type ParsedCms, parseCms } from '../pki/cms/parse.ts';
import { verifyCms } from '../pki/cms/verify.ts';
import { DIGEST_INFO_PREFIX } from '../pki/identity/signer.ts';
import { verifyTimestampToken } from '../pki/timestamp/timestamp-token.ts';
import type { Trust } from '../pki/x509/apple-roots.ts';
import { type Certificate, parseCertificate } from '../pki/x509/certificate.ts';
import { verifyChain } from '../pki/x509/chain.ts';
import type { Finding } from '../pki/x509/finding.ts';
import { publicKeyOf } from '../pki/x509/signature-algorithms.ts';
import { isWeak } from '../xar/layout.ts';
import { readHeap, type XarArchive } from '../xar/read.ts';
import type { XarSignature } from '../xar/toc.ts';
import { isExact, type PackageExpectations } from './expectations.ts';

/** Who signed a package and when, as far as it was found out. */
export interface SignatureFacts {
  readonly signer: Certificate | undefined;
  /** From a trusted timestamp. */
  readonly timestamp: Date | undefined;
}

const NOBODY: SignatureFacts = { signer: undefined, timestamp: undefined };
const DEPENDENT = [
  'package-rsa',
  'package-cms',
  'package-timestamp',
  'package-chain',
  'package-role',
  'package-key-info',
];
/** Findings about what a certificate may be used for; all others are about the chain itself. */
const ROLE_CODES = ['LEAF_ROLE', 'LEAF_KEY_PURPOSE', 'LEAF_KEY_USAGE', 'LEAF_IS_AUTHORITY', 'ISSUER_ROLE'];

/** Checks both signatures over the TOC digest, their certificates and the timestamp. */
export async function checkArchiveSignature(
  list: CheckList,
  archive: XarArchive,
  expectations: PackageExpectations,
): Promise<SignatureFacts> {
  const rsa = archive.signatures.find(({ element }) => element === 'signature');
  const cmsElement = archive.signatures.find(({ element }) => element === 'x-signature');
  if (!rsa && !cmsElement) {
    if (expectations.allowUnsigned) list.skip('package-signature', 'the package is not signed');
    else list.fail('package-signature', 'the package is not signed');
    for (const id of DEPENDENT) list.skip(id, 'the package is not signed');
    return NOBODY;
  }
  list.pass('package-signature');
  const keyInfo = list.read('package-key-info', () => certificatesOf(archive.signatures)) ?? [];
  await checkRsa(list, archive, rsa, keyInfo[0], isExact(expectations));
  const slot = cmsElement && (await readHeap(archive, cmsElement.range));
  const cms = slot && cmsElement && checkCms(list, archive, cmsElement, slot, expectations);
  if (cmsElement && !cms) return skipCertificates(list, 'the CMS cannot be read');
  if (!cms) list.skip('package-cms', 'there is only the RSA signature, as in packages of before 2012');
  const timestamp = checkTimestamp(list, cms, expectations);
  const signer = cms ? cms.signerCertificate : keyInfo[0];
  if (!signer) return skipCertificates(list, 'the certificate of the signer is missing');
  checkChain(list, signer, cms?.certificates ?? keyInfo, timestamp, expectations);
  checkKeyInfo(list, archive.signatures, signer, isExact(expectations) ? cms?.certificates : undefined);
  return { signer, timestamp };
}

function skipCertificates(list: CheckList, reason: string): SignatureFacts {
  for (const id of DEPENDENT.slice(2)) list.skip(id, reason);
  return NOBODY;
}

/** Certificates of the RSA signature's KeyInfo, else of the CMS's. */
function certificatesOf(signatures: readonly XarSignature[]): Certificate[] {
  const [first] = signatures;
  return first ? first.certificates.map(parseCertificate) : [];
}

/**
 * Ways to make the RSA signature that are found in packages, by what its DigestInfo holds.
 *
 * A: the TOC digest (Apple 2017 and from 2022 on, Packages.app, relic). B: SHA-1 of it once more (Apple 2020 to 2021; the notary
 * accepted them). C: SHA-256 of it (rcodesign; no package of Apple's tools has it). macOS looks at the CMS first.
 */
const CONVENTIONS = ['A', 'B', 'C'] as const;

async function checkRsa(
  list: CheckList,
  archive: XarArchive,
  rsa: XarSignature | undefined,
  leaf: Certificate | undefined,
  exact: boolean,
): Promise<void> {
  const id = 'package-rsa';
  if (!rsa) return list.skip(id, 'left out, as where a key signs no SHA-1: macOS takes the CMS');
  if (rsa.style !== 'RSA') return list.fail(id, `expected style RSA, found ${JSON.stringify(rsa.style)}`);
  if (!leaf) return list.fail(id, 'KeyInfo holds no certificate');
  const found = recoverDigestInfo(await readHeap(archive, rsa.range), leaf);
  if (typeof found === 'string') return list.fail(id, found);
  const convention = CONVENTIONS.find((name) => digestInfo(name, archive.checksum)?.equals(found));
  if (convention === 'A') return list.pass(id);
  if (convention === 'B' && !exact)
    return list.pass(id, 'over SHA-1 of the TOC digest, as productsign of macOS 11 made it');
  if (convention === undefined) return list.fail(id, 'it is over other bytes than this TOC digest');
  const maker = convention === 'C' ? 'SHA-256, as rcodesign makes it' : 'SHA-1, as productsign of macOS 11 made it';
  list.fail(id, `it is not over the TOC digest itself but over a digest of it (${maker})`);
}

function digestInfo(convention: (typeof CONVENTIONS)[number], checksum: XarArchive['checksum']): Buffer | undefined {
  const { style, value } = checksum;
  if (style === 'sha512' || isWeak(style)) return undefined;
  const again = (hash: 'sha1' | 'sha256') => [DIGEST_INFO_PREFIX[hash], createHash(hash).update(value).digest()];
  if (convention === 'A') return Buffer.concat([DIGEST_INFO_PREFIX[style], value]);
  return Buffer.concat(again(convention === 'B' ? 'sha1' : 'sha256'));
}

/** Returns the DigestInfo inside an RSASSA-PKCS1-v1_5 signature, or what is wrong. OpenSSL checks the padding whole. */
function recoverDigestInfo(signature: Buffer, leaf: Certificate): Buffer | string {
  const key = publicKeyOf(leaf.publicKeyInfo);
  if (key?.asymmetricKeyType !== 'rsa') return `the key of "${leaf.commonName}" is not an RSA key`;
  try {
    return publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
  } catch {
    return `it was not made with the key of "${leaf.commonName}"`;
  }
}

function checkCms(
  list: CheckList,
  archive: XarArchive,
  element: XarSignature,
  slot: Buffer,
  expectations: PackageExpectations,
): ParsedCms | undefined {
  const id = 'package-cms';
  const exact = isExact(expectations);
  if (element.style !== 'CMS') {
    list.fail(id, `expected style CMS, found ${JSON.stringify(element.style)}`);
    return undefined;
  }
  const cms = list.read(id, () => parseCms(slot));
  const report = cms && list.read(id, () => verifyCms(cms, archive.checksum.value));
  if (!cms || !report) return undefined;
  const encoded = slot.subarray(0, cms.encodedSize);
  checkOpen(list, id, problemsOf(report.findings), exact, [
    // Apple's own CMS do not follow one encoding, so in those of others it proves nothing.
    exact && !isOneEncoding(cms, encoded) && 'the encoding is not the one that the parts of the CMS have',
    cms.content !== undefined && 'the content is embedded',
  ]);
  const stray = slot.subarray(cms.encodedSize).findIndex((byte) => byte !== 0);
  const problem = `byte ${cms.encodedSize + stray} after the CMS is not zero`;
  if (stray < 0) list.pass('package-padding');
  else if (exact) list.fail('package-padding', problem);
  else list.pass('package-padding', problem);
  return cms;
}

/**
 * Checks by `problems`; what no signature covers, so that anybody could have changed it, fails a package of ours as well and is noted in
 * one of others: Apple's format leaves it open, and Apple's own tools differ in it.
 */
function checkOpen(
  list: CheckList,
  id: string,
  problems: readonly string[],
  exact: boolean,
  open: readonly (string | false)[],
): void {
  const noted = open.filter((note): note is string => note !== false);
  const all = exact ? [...problems, ...noted] : problems;
  if (all.length > 0) list.fail(id, all.join('; '));
  else list.pass(id, noted.length > 0 ? noted.join('; ') : undefined);
}

const isOneEncoding = (cms: ParsedCms, encoded: Buffer) =>
  isDer(encoded) && canonicalCms(cms)?.equals(encoded) === true;

function checkTimestamp(
  list: CheckList,
  cms: ParsedCms | undefined,
  expectations: PackageExpectations,
): Date | undefined {
  const id = 'package-timestamp';
  const { trust, ours } = expectations;
  const exact = isExact(expectations);
  const token = cms?.timestampToken;
  if (!cms || !token) {
    const problem = 'the signature has no timestamp';
    // Before 2012 there was none, and macOS takes such packages while the certificate is valid.
    if (ours !== null) list.fail(id, problem);
    else list.skip(id, problem);
    return undefined;
  }
  const report = list.read(id, () => verifyTimestampToken(token, cms.signature, trust));
  if (!report) return undefined;
  const tokenCms = parseCms(token);
  const strays = tokenCms.certificates.filter(({ der }) => !report.chain.some((link) => link.der.equals(der)));
  checkOpen(list, id, problemsOf(report.findings), exact, [
    ...strays.map(({ commonName }) => `its certificate "${commonName}" is not part of its chain`),
    !isOneEncoding(tokenCms, token) && 'the encoding is not the one that the parts of the token have',
    tokenCms.unsignedAttributes.length > 0 && 'the token has an unsigned attribute',
    cms.unsignedAttributes.length > 1 && 'there is an unsigned attribute that is not a timestamp',
  ]);
  return report.trusted ? report.genTime : undefined;
}

function checkChain(
  list: CheckList,
  signer: Certificate,
  pool: readonly Certificate[],
  timestamp: Date | undefined,
  expectations: PackageExpectations,
): void {
  const { trust, now } = expectations;
  const exact = isExact(expectations);
  const { chain, findings } = verifyChain(signer, pool, { trust, at: timestamp ?? now, purpose: 'installer' });
  const roles = findings.filter(({ code }) => ROLE_CODES.includes(code));
  const others = findings.filter(({ code }) => !ROLE_CODES.includes(code));
  const strays = others.filter(({ code }) => code === 'CHAIN_STRAY').map(({ message }) => message);
  const incomplete = exact && pool.length !== chain.length && 'the whole chain is not embedded';
  const problems = [...problemsOf(others), ...(exact ? strays : []), incomplete].filter(Boolean);
  if (problems.length > 0) list.fail('package-chain', problems.join('; '));
  else list.pass('package-chain', chainNotes(chain.at(-1), trust, strays));
  list.check('package-role', problemsOf(roles));
}

function chainNotes(root: Certificate | undefined, trust: Trust, strays: readonly string[]): string | undefined {
  const notes = [...strays];
  if (trust.name === 'rehearsal') notes.push(`to "${root?.commonName}", which no Mac trusts`);
  return notes.length > 0 ? notes.join('; ') : undefined;
}

/**
 * The certificates in the TOC, which macOS checks, must be those of the CMS.
 *
 * @param embedded certificates of a CMS of ours; those of others may lack the root that KeyInfo has (productsign of macOS 15)
 */
function checkKeyInfo(
  list: CheckList,
  signatures: readonly XarSignature[],
  signer: Certificate,
  embedded: readonly Certificate[] | undefined,
): void {
  const same = (one: Buffer | undefined, other: Buffer | undefined) => one !== undefined && other?.equals(one) === true;
  const problems = signatures.flatMap(({ element, certificates }) => [
    !same(certificates[0], signer.der) && `the first certificate of ${element} is not that of the signer`,
    embedded !== undefined &&
      certificates.some((der) => !embedded.some((certificate) => certificate.der.equals(der))) &&
      `${element} has a certificate that the CMS does not have`,
    embedded !== undefined &&
      certificates.length !== embedded.length &&
      `${element} has ${certificates.length} certificates, the CMS ${embedded.length}`,
  ]);
  list.check('package-key-info', problems);
}

function problemsOf(findings: readonly Finding[]): string[] {
  return findings.filter(({ severity }) => severity === 'error').map(({ message }) => message);
}
