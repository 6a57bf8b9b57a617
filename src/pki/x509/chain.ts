import { APPLE, EXTENSION, KEY_PURPOSE } from '../asn1/oids.ts';
import type { Trust } from './apple-roots.ts';
import { type Certificate, KEY_USAGE } from './certificate.ts';
import { acceptable, type Finding, failure, warning } from './finding.ts';
import { signatureProblem } from './signature-algorithms.ts';

/** What the leaf signed: decides which marks its chain must bear. */
export type Purpose = 'application' | 'installer' | 'timestamp' | 'ticket' | 'any';

/** How a chain is to be checked. */
export interface ChainOptions {
  readonly trust: Trust;
  /** Every certificate must be valid at this time. */
  readonly at: Date;
  readonly purpose: Purpose;
}

/** A chain and everything that is wrong with it. */
export interface ChainReport {
  /** Leaf first, as far as it could be built; the last one is the trusted root when `trusted`. */
  readonly chain: readonly Certificate[];
  readonly findings: readonly Finding[];
  readonly trusted: boolean;
}

/** More links than any chain of Apple's has (four); a longer one is made up. */
const MAXIMUM_LENGTH = 8;

/** Leaf mark, key purpose and issuer's mark of each kind of chain, in words for messages. */
const MARKS: Readonly<Record<Purpose, { leaf?: string; keyPurpose?: string; issuer?: string; role: string }>> = {
  application: {
    leaf: APPLE.developerIdApplication,
    keyPurpose: KEY_PURPOSE.codeSigning,
    issuer: APPLE.developerIdAuthority,
    role: 'Developer ID Application',
  },
  installer: {
    leaf: APPLE.developerIdInstaller,
    keyPurpose: KEY_PURPOSE.installerPackageSigning,
    issuer: APPLE.developerIdAuthority,
    role: 'Developer ID Installer',
  },
  // The issuer's mark .6.2.9 is only warned about: Apple may issue time stamps from a newer CA (the known one ends in 2027).
  timestamp: { keyPurpose: KEY_PURPOSE.timeStamping, role: 'timestamp authority' },
  ticket: { leaf: APPLE.ticketSigning, issuer: APPLE.systemIntegrationAuthority, role: 'ticket signer' },
  any: { role: 'any' },
};

/** Extensions whose meaning is heeded here, so that they may be critical; Apple's own arc is handled too. */
const HANDLED: readonly string[] = Object.values(EXTENSION);

/**
 * Returns the chain from a leaf over given intermediates to a trusted root, and what is wrong with it.
 *
 * @param leaf the certificate that signed
 * @param pool certificates that came with the signature, in any order; none of them is believed
 * @returns all findings, not only the first; never throws on what certificates say
 * @example
 * const report = verifyChain(leaf, certificates, { trust: appleTrust(), at: new Date(), purpose: 'installer' });
 * report.trusted // true
 */
export function verifyChain(leaf: Certificate, pool: readonly Certificate[], options: ChainOptions): ChainReport {
  const { chain, findings } = buildChain(leaf, pool, options.trust);
  for (const [index, certificate] of chain.entries()) {
    findings.push(...validityFindings(certificate, options.at), ...extensionFindings(certificate));
    if (index > 0) findings.push(...authorityFindings(certificate, index - 1));
  }
  findings.push(...purposeFindings(chain, options.purpose));
  if (isRoot(chain.at(-1) as Certificate, options.trust)) findings.push(...strayFindings(chain, pool));
  return { chain, findings, trusted: acceptable(findings) };
}

/** Follows issuers upwards; each link must carry a right signature to be followed. */
export function buildChain(
  leaf: Certificate,
  pool: readonly Certificate[],
  trust: Trust,
): { chain: Certificate[]; findings: Finding[] } {
  const chain = [leaf];
  const findings: Finding[] = [];
  for (let current = leaf; !isRoot(current, trust); ) {
    const candidates = [...trust.roots, ...pool].filter((one) => isIssuer(one, current) && !chain.includes(one));
    const issuer = candidates.find((one) => linkProblem(one, current) === undefined);
    if (!issuer || chain.length >= MAXIMUM_LENGTH) {
      findings.push(brokenEnd(current, candidates, trust));
      break;
    }
    chain.push(issuer);
    current = issuer;
  }
  return { chain, findings };
}

const isRoot = (certificate: Certificate, trust: Trust) => trust.roots.some((root) => root.der.equals(certificate.der));

/** Says whether a certificate names another as its issuer: raw DER of the name and, where both have one, the key identifier. */
export function isIssuer(candidate: Certificate, certificate: Certificate): boolean {
  if (!candidate.subject.der.equals(certificate.issuer.der)) return false;
  const wanted = certificate.authorityKeyIdentifier;
  const offered = candidate.subjectKeyIdentifier;
  return !wanted || !offered || wanted.equals(offered);
}

function linkProblem(issuer: Certificate, certificate: Certificate): string | undefined {
  return signatureProblem({
    publicKeyInfo: issuer.publicKeyInfo,
    algorithm: certificate.signatureAlgorithm,
    data: certificate.tbs,
    signature: certificate.signature,
  });
}

function brokenEnd(last: Certificate, candidates: readonly Certificate[], trust: Trust): Finding {
  if (last.subject.der.equals(last.issuer.der)) {
    const message = `the chain ends at "${last.commonName}", which is not a trusted root (trusted: ${trust.name})`;
    return failure('CHAIN_UNTRUSTED_ROOT', message);
  }
  const issuer = candidates[0];
  if (issuer) {
    const problem = linkProblem(issuer, last) ?? 'the chain is too long';
    return failure('CHAIN_SIGNATURE', `the signature on certificate "${last.commonName}" is not right: ${problem}`);
  }
  const message = `the issuer of certificate "${last.commonName}" is missing: ${nameText(last)}`;
  return failure('CHAIN_INCOMPLETE', message);
}

const nameText = (certificate: Certificate) => certificate.issuer.attributes.map((one) => one.value).join(', ');

function validityFindings(certificate: Certificate, at: Date): Finding[] {
  const { commonName, notBefore, notAfter } = certificate;
  if (at < notBefore) {
    const message = `certificate "${commonName}" is valid from ${notBefore.toISOString()}, checked at ${at.toISOString()}`;
    return [failure('CERTIFICATE_NOT_YET_VALID', message)];
  }
  if (at > notAfter) {
    const message = `certificate "${commonName}" expired ${notAfter.toISOString()}, checked at ${at.toISOString()}`;
    return [failure('CERTIFICATE_EXPIRED', message)];
  }
  return [];
}

function extensionFindings(certificate: Certificate): Finding[] {
  const unknown = certificate.extensions.filter(
    ({ oid, critical }) => critical && !HANDLED.includes(oid) && !oid.startsWith(APPLE.arc),
  );
  return unknown.map(({ oid }) =>
    failure(
      'CERTIFICATE_CRITICAL_EXTENSION',
      `certificate "${certificate.commonName}" has the unknown critical extension ${oid}`,
    ),
  );
}

/** No signature covers these; in a signature of our own making they mean that somebody changed it. */
function strayFindings(chain: readonly Certificate[], pool: readonly Certificate[]): Finding[] {
  const strays = pool.filter((one) => !chain.some((link) => link.der.equals(one.der)));
  return strays.map((stray) => warning('CHAIN_STRAY', `certificate "${stray.commonName}" is not part of the chain`));
}

/** @param below number of CA certificates between this one and the leaf */
function authorityFindings(certificate: Certificate, below: number): Finding[] {
  const { commonName, isAuthority, keyUsage, pathLength } = certificate;
  const findings: Finding[] = [];
  if (!isAuthority) findings.push(failure('CHAIN_NOT_AUTHORITY', `certificate "${commonName}" may not issue others`));
  if (keyUsage !== undefined && !(keyUsage & KEY_USAGE.keyCertSign)) {
    findings.push(failure('CHAIN_KEY_USAGE', `the key of "${commonName}" may not sign certificates`));
  }
  if (pathLength !== undefined && below > pathLength) {
    const message = `"${commonName}" allows ${pathLength} authorities below it, found ${below}`;
    findings.push(failure('CHAIN_PATH_LENGTH', message));
  }
  return findings;
}

function purposeFindings(chain: readonly Certificate[], purpose: Purpose): Finding[] {
  const [leaf, issuer] = chain as [Certificate, Certificate | undefined];
  if (purpose === 'any') return [];
  const marks = MARKS[purpose];
  const findings: Finding[] = [];
  const has = (certificate: Certificate, oid: string) => certificate.extensions.some((one) => one.oid === oid);
  if (leaf.isAuthority) findings.push(failure('LEAF_IS_AUTHORITY', `the leaf "${leaf.commonName}" is an authority`));
  if (leaf.keyUsage !== undefined && !(leaf.keyUsage & KEY_USAGE.digitalSignature)) {
    findings.push(failure('LEAF_KEY_USAGE', `the key of "${leaf.commonName}" may not sign data`));
  }
  if (marks.leaf && !has(leaf, marks.leaf)) {
    const message = `"${leaf.commonName}" is not a certificate for ${marks.role}: extension ${marks.leaf} is missing`;
    findings.push(failure('LEAF_ROLE', message));
  }
  if (marks.keyPurpose && !leaf.extendedKeyUsage?.includes(marks.keyPurpose)) {
    const found = leaf.extendedKeyUsage?.join(', ') ?? 'none';
    const message = `"${leaf.commonName}" must have the key purpose ${marks.keyPurpose}, found ${found}`;
    findings.push(failure('LEAF_KEY_PURPOSE', message));
  }
  if (marks.issuer && issuer && !has(issuer, marks.issuer)) {
    const message = `"${issuer.commonName}" is not an issuer of ${marks.role} certificates: extension ${marks.issuer} is missing`;
    findings.push(failure('ISSUER_ROLE', message));
  }
  if (purpose === 'timestamp') findings.push(...timestampFindings(leaf, issuer, has));
  return findings;
}

/** RFC 3161, section 2.3: the key purpose must be the only one, and critical. */
function timestampFindings(
  leaf: Certificate,
  issuer: Certificate | undefined,
  has: (certificate: Certificate, oid: string) => boolean,
): Finding[] {
  const findings: Finding[] = [];
  const critical = leaf.extensions.find((extension) => extension.oid === EXTENSION.extendedKeyUsage)?.critical;
  if (!critical || leaf.extendedKeyUsage?.length !== 1) {
    const message = `"${leaf.commonName}" must have timeStamping as its only key purpose, and critical`;
    findings.push(failure('TIMESTAMP_KEY_PURPOSE', message));
  }
  if (issuer && !has(issuer, APPLE.timestampAuthority)) {
    findings.push(warning('TIMESTAMP_ISSUER', `"${issuer.commonName}" is not marked as Apple's timestamp authority`));
  }
  return findings;
}
