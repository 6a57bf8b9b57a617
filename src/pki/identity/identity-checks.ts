import { createPublicKey, type KeyObject } from 'node:crypto';
import { APPLE } from '../asn1/oids.ts';
import type { Trust } from '../x509/apple-roots.ts';
import type { Certificate } from '../x509/certificate.ts';
import { verifyChain } from '../x509/chain.ts';
import { type Finding, warning } from '../x509/finding.ts';
import { publicKeyOf } from '../x509/signature-algorithms.ts';
import { type IdentityProblemCode, type IdentityRole, identityProblem, ROLE_NAMES } from './identity-problem.ts';

const MARK: Readonly<Record<IdentityRole, string>> = {
  application: APPLE.developerIdApplication,
  installer: APPLE.developerIdInstaller,
};
const OTHER: Readonly<Record<IdentityRole, IdentityRole>> = { application: 'installer', installer: 'application' };

/** A certificate that expires sooner is used, with a warning. */
const SOON_DAYS = 30;
const DAY_MS = 24 * 3600 * 1000;
const SMALLEST_MODULUS = 2048;

/**
 * Returns the certificate for a role among those whose private key is there too.
 *
 * Of several that fit the role, the valid ones go first: a file often holds the old identity beside the new one.
 *
 * @throws UsageError `IDENTITY_NO_KEY`, `IDENTITY_NO_CERTIFICATE`, `IDENTITY_KEY_MISMATCH`, `IDENTITY_AMBIGUOUS`
 */
export function chooseCertificate(
  role: IdentityRole,
  contents: { readonly keys: readonly KeyObject[]; readonly certificates: readonly Certificate[] },
  now: Date,
): { certificate: Certificate; key: KeyObject } {
  const { keys, certificates } = contents;
  if (keys.length === 0) throw identityProblem('IDENTITY_NO_KEY', role, 'it has no private key');
  if (certificates.length === 0) throw identityProblem('IDENTITY_NO_CERTIFICATE', role, 'it has no certificate');
  const pairs = certificates.flatMap((certificate) => {
    const key = keys.find((one) => isKeyOf(one, certificate));
    return key ? [{ certificate, key }] : [];
  });
  const [only] = pairs;
  if (!only) {
    const names = certificates.map(({ commonName }) => `"${commonName}"`).join(', ');
    throw identityProblem(
      'IDENTITY_KEY_MISMATCH',
      role,
      `the private key does not belong to the certificate (${names})`,
    );
  }
  if (pairs.length === 1) return only;
  const fitting = pairs.filter(({ certificate }) => has(certificate, MARK[role]));
  const valid = fitting.filter(({ certificate }) => certificate.notBefore <= now && now <= certificate.notAfter);
  const left = valid.length > 0 ? valid : fitting;
  if (left.length === 1 && left[0]) return left[0];
  const names = pairs.map(({ certificate }) => `"${certificate.commonName}"`).join(', ');
  throw identityProblem('IDENTITY_AMBIGUOUS', role, `${pairs.length} identities, ${left.length} of them fit: ${names}`);
}

function isKeyOf(key: KeyObject, certificate: Certificate): boolean {
  return createPublicKey(key).export({ type: 'spki', format: 'der' }).equals(certificate.publicKeyInfo);
}

const has = (certificate: Certificate, oid: string) => certificate.extensions.some((one) => one.oid === oid);

/**
 * Returns chain, team and warnings of the leaf of an identity.
 *
 * @throws UsageError when it is not a valid Developer ID certificate of the role
 */
export function checkIdentity(
  role: IdentityRole,
  leaf: Certificate,
  others: readonly Certificate[],
  options: { readonly trust: Trust; readonly now: Date },
): { chain: readonly Certificate[]; teamIdentifier: string; warnings: Finding[] } {
  checkType(role, leaf);
  checkKey(role, leaf);
  const pool = [...others, ...options.trust.intermediates];
  const report = verifyChain(leaf, pool, { trust: options.trust, at: options.now, purpose: role });
  const fault = report.findings.find(({ severity }) => severity === 'error');
  if (fault) throw identityProblem(codeOf(fault), role, fault.message);
  const teamIdentifier = leaf.organizationalUnit;
  if (!teamIdentifier) {
    throw identityProblem('IDENTITY_TEAM_MISSING', role, `"${leaf.commonName}" names no team (subject OU)`);
  }
  return { chain: report.chain, teamIdentifier, warnings: expiryWarnings(report.chain, options.now) };
}

function checkType(role: IdentityRole, leaf: Certificate): void {
  if (has(leaf, MARK[role]) && !selfSigned(leaf)) return;
  const found = `it is "${leaf.commonName}", not a ${ROLE_NAMES[role]} certificate`;
  if (selfSigned(leaf)) throw identityProblem('IDENTITY_SELF_SIGNED', role, `"${leaf.commonName}" is self-signed`);
  if (has(leaf, MARK[OTHER[role]])) throw identityProblem('IDENTITY_ROLE_SWAPPED', role, found);
  // Names as Apple's portal gives them; what comes before the colon says the type.
  const type = leaf.commonName.split(':')[0] ?? '';
  if (/^(Apple Development|Mac Developer|iPhone Developer)$/.test(type)) {
    throw identityProblem('IDENTITY_DEVELOPMENT', role, found);
  }
  if (/^(Apple Distribution|iPhone Distribution|3rd Party Mac Developer (Application|Installer))$/.test(type)) {
    throw identityProblem('IDENTITY_APP_STORE', role, found);
  }
  throw identityProblem('IDENTITY_TYPE', role, found);
}

const selfSigned = (leaf: Certificate) => leaf.subject.der.equals(leaf.issuer.der);

function checkKey(role: IdentityRole, leaf: Certificate): void {
  const key = publicKeyOf(leaf.publicKeyInfo);
  const bits = key?.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key?.asymmetricKeyType !== 'rsa') {
    const found = key?.asymmetricKeyType ?? 'unknown';
    throw identityProblem('IDENTITY_KEY_TYPE', role, `"${leaf.commonName}" has a key of type ${found}, not RSA`);
  }
  if (bits < SMALLEST_MODULUS) {
    throw identityProblem('IDENTITY_KEY_WEAK', role, `"${leaf.commonName}" has an RSA key of only ${bits} bits`);
  }
}

function codeOf({ code }: Finding): IdentityProblemCode {
  if (code === 'CERTIFICATE_EXPIRED') return 'IDENTITY_EXPIRED';
  if (code === 'CERTIFICATE_NOT_YET_VALID') return 'IDENTITY_NOT_YET_VALID';
  if (code === 'CHAIN_INCOMPLETE') return 'IDENTITY_CHAIN';
  return code.startsWith('LEAF_') ? 'IDENTITY_TYPE' : 'IDENTITY_ISSUER';
}

/** The issuer counts too: the first Developer ID authority expires in February 2027, and its leaves with it. */
function expiryWarnings(chain: readonly Certificate[], now: Date): Finding[] {
  return chain.flatMap(({ commonName, notAfter }) => {
    const days = Math.floor((notAfter.getTime() - now.getTime()) / DAY_MS);
    if (days >= SOON_DAYS) return [];
    const date = notAfter.toISOString().slice(0, 10);
    return [warning('IDENTITY_EXPIRES_SOON', `"${commonName}" expires in ${days} days, on ${date}: renew it now`)];
  });
}
