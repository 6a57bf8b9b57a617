import { type Check, CheckList } from '../../base/check.ts';
import { FormatError } from '../../base/errors.ts';
import { type Asn1Node, octetsOf, oidOf } from '../../pki/asn1/asn1.ts';
import { ALGORITHM, NAME } from '../../pki/asn1/oids.ts';
import { canonicalCms, isDer } from '../../pki/cms/canonical-cms.ts';
import { type CmsAttribute, type ParsedCms, parseCms } from '../../pki/cms/parse.ts';
import { verifyCms } from '../../pki/cms/verify.ts';
import { verifyTimestampToken } from '../../pki/timestamp/timestamp-token.ts';
import { appleTrust, type Trust } from '../../pki/x509/apple-roots.ts';
import type { Certificate } from '../../pki/x509/certificate.ts';
import { type ChainReport, verifyChain } from '../../pki/x509/chain.ts';
import type { Finding } from '../../pki/x509/finding.ts';
import { parsePropertyListDictionary } from '../../xml/property-list.ts';
import { type CodeDirectory, cdHash, codeDirectoryDigest, hashTypeName } from '../code-directory.ts';
import type { RequirementCertificate } from '../requirement/evaluation.ts';
import { CD_HASHES_OID, CD_HASHES_PLIST_OID } from '../sign/cdhash-attributes.ts';

/** What was found out about the CMS of a code signature. */
export interface CmsVerdict {
  readonly checks: readonly Check[];
  /** Leaf first, root last; only a chain that ends at a trusted root is complete. */
  readonly certificates: readonly RequirementCertificate[];
  readonly anchoredByApple: boolean;
  readonly signerName: string | null;
  /** Organizational unit of the leaf. */
  readonly teamIdentifier: string | null;
  /** What the signer claims. */
  readonly signingTime: Date | null;
  /** What the timestamp authority says; null without a trusted token. */
  readonly timestamp: Date | null;
}

/** Checks the CMS over the first of a slice's code directories. */
export type VerifyCodeCms = (input: {
  readonly cms: Buffer;
  readonly codeDirectories: readonly CodeDirectory[];
  readonly subject: string;
  /** Whether it must have the form in which this project's own signer signs: DER, both cdhash attributes, the whole chain. */
  readonly exact: boolean;
  /** Whether a timestamp is demanded, and that there is nothing in it that no signature covers: of our own code, and by the notary. */
  readonly demanding: boolean;
}) => CmsVerdict;

/** Apple's short names of a subject's attributes. Source: Security-61901 cs_regulartypes, `CertField`. */
const SUBJECT_FIELDS: Readonly<Record<string, string>> = {
  [NAME.commonName]: 'subject.CN',
  [NAME.organization]: 'subject.O',
  [NAME.organizationalUnit]: 'subject.OU',
  [NAME.country]: 'subject.C',
  [NAME.userId]: 'subject.UID',
};
const DIGEST_OIDS: Readonly<Record<string, string>> = {
  [ALGORITHM.sha1]: 'sha1',
  [ALGORITHM.sha256]: 'sha256',
  [ALGORITHM.sha384]: 'sha384',
};

/**
 * Returns the check of code signatures' CMS for a trust: signature, chain, role, timestamp, and the attributes that bind all code
 * directories.
 *
 * @param now checks certificates when there is no trusted timestamp
 * @example verifyBundle(entries, { verifyCms: codeCmsVerifier(appleTrust(), new Date()), … })
 */
export function codeCmsVerifier(trust: Trust, now: Date): VerifyCodeCms {
  return ({ cms: encoded, codeDirectories, subject, exact, demanding }) => {
    const list = new CheckList(subject);
    const cms = list.read('code-cms', () => parseWhole(encoded));
    const signed = codeDirectories[0];
    if (!cms || !signed) return nothing(list.checks);
    const report = list.read('code-cms', () => verifyCms(cms, signed.data));
    if (!report) return nothing(list.checks);
    list.check('code-cms', [
      ...problemsOf(report.findings),
      exact &&
        !(isDer(encoded) && canonicalCms(cms)?.equals(encoded)) &&
        'the encoding is not the one that the parts of the CMS have',
    ]);
    const timestamp = checkTimestamp(list, cms, trust, demanding);
    checkAttributes(list, cms, codeDirectories, exact);
    const leaf = report.signerCertificate;
    if (!leaf) return nothing(list.checks);
    const chain = verifyChain(leaf, cms.certificates, { trust, at: timestamp ?? now, purpose: 'application' });
    checkChain(list, cms, chain, { exact, demanding, dated: timestamp !== null || cms.timestampToken !== undefined });
    return {
      checks: list.checks,
      certificates: chain.chain.map(requirementCertificate),
      anchoredByApple: endsAtApple(chain.chain),
      signerName: leaf.commonName,
      teamIdentifier: leaf.organizationalUnit ?? null,
      signingTime: report.signingTime ?? null,
      timestamp,
    };
  };
}

/**
 * Without a timestamp macOS checks the certificates now, and tolerates that they expired or are not valid yet.
 *
 * @see Security-61901 StaticCode.cpp, `SecStaticCode::verifySignature`: kSecCSConsiderExpiration is not the default
 */
function checkChain(
  list: CheckList,
  cms: ParsedCms,
  { chain, findings }: ChainReport,
  { exact, demanding, dated }: { exact: boolean; demanding: boolean; dated: boolean },
): void {
  const stray = cms.certificates
    .filter(({ der }) => !chain.some((link) => link.der.equals(der)))
    .map(({ commonName }) => `the embedded certificate "${commonName}" is not part of the chain`);
  const tolerated = demanding || dated ? [] : findings.filter(({ code }) => VALIDITY_CODES.includes(code));
  list.check(
    'code-chain',
    [
      ...problemsOf(findings.filter((finding) => !tolerated.includes(finding))),
      ...(demanding ? stray : []),
      // Apple's own signer demands the root as well (kCMSCertificateChainWithRootOrFail, Security-61901 signer.cpp).
      exact && cms.certificates.length !== chain.length && 'the whole chain is not embedded',
    ],
    [...problemsOf(tolerated).map((problem) => `${problem}: macOS tolerates it in code without a timestamp`), ...stray],
  );
}

const VALIDITY_CODES = ['CERTIFICATE_EXPIRED', 'CERTIFICATE_NOT_YET_VALID'];

function parseWhole(encoded: Buffer): ParsedCms {
  const cms = parseCms(encoded);
  if (cms.encodedSize === encoded.length) return cms;
  const left = encoded.length - cms.encodedSize;
  throw new FormatError('CMS_TRAILING', 'BlobWrapper', 8 + cms.encodedSize, `${left} bytes after the CMS`);
}

function nothing(checks: readonly Check[]): CmsVerdict {
  const empty = { signerName: null, teamIdentifier: null, signingTime: null, timestamp: null };
  return { checks, certificates: [], anchoredByApple: false, ...empty };
}

function checkTimestamp(list: CheckList, cms: ParsedCms, trust: Trust, demanding: boolean): Date | null {
  const { timestampToken } = cms;
  if (cms.unsignedAttributes.length > (timestampToken ? 1 : 0)) {
    list.fail('code-timestamp', 'an unsigned attribute that is not a timestamp');
    return null;
  }
  if (!timestampToken) {
    const problem = 'the signature has no timestamp';
    if (demanding) list.fail('code-timestamp', problem);
    else list.skip('code-timestamp', `${problem}: macOS takes it all the same, the notary does not`);
    return null;
  }
  const report = list.read('code-timestamp', () => verifyTimestampToken(timestampToken, cms.signature, trust));
  if (!report) return null;
  const token = parseCms(timestampToken);
  const stray = token.certificates.filter(({ der }) => !report.chain.some((link) => link.der.equals(der)));
  const canonical = canonicalCms(token);
  const strays = stray.map(({ commonName }) => `the token's certificate "${commonName}" is not part of its chain`);
  list.check(
    'code-timestamp',
    [
      ...problemsOf(report.findings),
      ...(demanding ? strays : []),
      // All tokens of Apple's authority seen, 2016 to 2025, are in this form.
      canonical &&
        !(isDer(timestampToken) && canonical.equals(timestampToken)) &&
        'the encoding is not the one that the parts of the token have',
    ],
    strays,
  );
  return report.trusted ? report.genTime : null;
}

/** Apple tolerates that the attributes are missing; one that is there must name every code directory, and no other. */
function checkAttributes(
  list: CheckList,
  cms: ParsedCms,
  directories: readonly CodeDirectory[],
  demanded: boolean,
): void {
  const id = 'code-cdhash-attributes';
  const attribute = (oid: string) => cms.signedAttributes?.find(({ type }) => type === oid);
  const propertyList = attribute(CD_HASHES_PLIST_OID);
  const records = attribute(CD_HASHES_OID);
  if (!propertyList && !records && !demanded) {
    list.skip(id, 'an older signature without these attributes');
    return;
  }
  const problems = list.read(id, () => [
    demanded && !propertyList && 'no attribute 9.1',
    demanded && !records && 'no attribute 9.2',
    propertyList && propertyListProblem(propertyList, directories),
    records && recordsProblem(records, directories),
  ]);
  if (problems) list.check(id, problems);
}

function propertyListProblem(attribute: CmsAttribute, directories: readonly CodeDirectory[]): string | undefined {
  const value = parsePropertyListDictionary(octetsOf(onlyValue(attribute))).get('cdhashes');
  const found = Array.isArray(value) ? value.map((hash) => (Buffer.isBuffer(hash) ? hash.toString('hex') : '?')) : [];
  return sameSet(
    found,
    directories.map((directory) => cdHash(directory).toString('hex')),
    'attribute 9.1',
  );
}

function recordsProblem(attribute: CmsAttribute, directories: readonly CodeDirectory[]): string | undefined {
  const found = attribute.values.map((record) => {
    const [algorithm, digest] = record.children;
    if (!algorithm || !digest || record.children.length !== 2) return '?';
    return `${DIGEST_OIDS[oidOf(algorithm)]} ${octetsOf(digest).toString('hex')}`;
  });
  const expected = directories.map(
    (directory) => `${hashTypeName(directory.hashType)} ${codeDirectoryDigest(directory).toString('hex')}`,
  );
  return sameSet(found, expected, 'attribute 9.2');
}

function sameSet(found: readonly string[], expected: readonly string[], what: string): string | undefined {
  const same = [...found].sort().join() === [...expected].sort().join();
  return same ? undefined : `${what} names ${found.join(', ') || 'nothing'}, expected ${expected.join(', ')}`;
}

function onlyValue(attribute: CmsAttribute): Asn1Node {
  const [value, second] = attribute.values;
  if (value && !second) return value;
  throw new FormatError('CMS_ATTRIBUTE', attribute.type, 0, `expected one value, found ${attribute.values.length}`);
}

function problemsOf(findings: readonly Finding[]): string[] {
  return findings.filter(({ severity }) => severity === 'error').map(({ message }) => message);
}

function endsAtApple(chain: readonly Certificate[]): boolean {
  const last = chain.at(-1);
  return last !== undefined && appleTrust().roots.some(({ der }) => der.equals(last.der));
}

function requirementCertificate(certificate: Certificate): RequirementCertificate {
  const subject = new Map<string, string>();
  for (const { type, value } of certificate.subject.attributes) {
    const name = SUBJECT_FIELDS[type];
    if (name !== undefined && !subject.has(name)) subject.set(name, value);
  }
  return {
    sha1: Buffer.from(certificate.sha1, 'hex'),
    subject,
    extensions: new Set(certificate.extensions.map(({ oid }) => oid)),
    policies: new Set(),
  };
}
