import { createHash, createPrivateKey, type KeyObject, verify } from 'node:crypto';
import { FormatError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import { appleTrust, type Trust } from '../x509/apple-roots.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { type Finding, warning } from '../x509/finding.ts';
import { publicKeyOf } from '../x509/signature-algorithms.ts';
import { checkIdentity, chooseCertificate } from './identity-checks.ts';
import { type IdentityRole, identityProblem, ROLE_NAMES } from './identity-problem.ts';
import { openPkcs12 } from './pkcs12.ts';
import { localSigner, type Signer } from './signer.ts';

/** Where an identity comes from. */
export type IdentitySource =
  /** The .p12 itself, or its base64 as a secret store has it. */
  | { readonly p12: Secret<Buffer>; readonly password: Secret | undefined }
  /** Certificate (others of its chain may follow it) and private key, both PEM. */
  | { readonly pemCertificate: string; readonly pemKey: Secret }
  /** Leaf first, DER; the key is elsewhere. With `proof: 'later'` each signature is held to the certificate when it is there. */
  | { readonly certificateChain: readonly Buffer[]; readonly signer: Signer; readonly proof?: 'later' };

/** A signing identity that has passed all checks. */
export interface Identity {
  readonly role: IdentityRole;
  readonly certificate: Certificate;
  /** Leaf, intermediate, root: what is embedded in signatures. */
  readonly chain: readonly Certificate[];
  readonly signer: Signer;
  /** For tools that take a key and no signer; null when the key is kept elsewhere. */
  readonly privateKey: KeyObject | null;
  readonly teamIdentifier: string;
  /** Issued by the rehearsal authority: no Mac trusts it. */
  readonly rehearsal: boolean;
  /** What a person should know, such as that it expires soon. */
  readonly warnings: readonly Finding[];
}

/** Whom to believe, and when. */
export interface IdentityOptions {
  /** Default Apple. */
  readonly trust?: Trust;
  /** Default now. */
  readonly now?: Date;
}

/**
 * Returns a signing identity after checking it in every way that does not need the network.
 *
 * @param role what it will sign
 * @returns the identity; throws UsageError (exit 2) with an `IDENTITY_` code, a message and the next step
 * @example
 * const identity = await loadIdentity('installer', { p12: new Secret(bytes), password: new Secret(env.PASSWORD) });
 */
export async function loadIdentity(
  role: IdentityRole,
  source: IdentitySource,
  options: IdentityOptions = {},
): Promise<Identity> {
  const trust = options.trust ?? appleTrust();
  const now = options.now ?? new Date();
  const { certificate, others, signer, privateKey } = await open(role, source, now);
  const { chain, teamIdentifier, warnings } = checkIdentity(role, certificate, others, { trust, now });
  const rehearsal = trust.name === 'rehearsal';
  return { role, certificate, chain, signer, privateKey, teamIdentifier, rehearsal, warnings };
}

/**
 * Throws UsageError when two identities cannot sign one release: of different teams, or one of them a rehearsal's.
 *
 * @returns warnings of both
 */
export function checkIdentityPair(application: Identity, installer: Identity): readonly Finding[] {
  if (application.rehearsal !== installer.rehearsal) {
    throw identityProblem('IDENTITY_MIXED', undefined, 'one is real, the other one is for rehearsals');
  }
  if (application.teamIdentifier !== installer.teamIdentifier) {
    const problem = `they belong to two teams, ${application.teamIdentifier} and ${installer.teamIdentifier}`;
    throw identityProblem('IDENTITY_TEAM_MISMATCH', undefined, problem);
  }
  return [application, installer].flatMap(({ role, warnings }) =>
    warnings.map(({ code, message }) => warning(code, `the ${ROLE_NAMES[role]} identity: ${message}`)),
  );
}

interface Opened {
  readonly certificate: Certificate;
  readonly others: readonly Certificate[];
  readonly signer: Signer;
  readonly privateKey: KeyObject | null;
}

async function open(role: IdentityRole, source: IdentitySource, now: Date): Promise<Opened> {
  if ('signer' in source) {
    const [certificate, ...others] = source.certificateChain.map((der) => readCertificate(der, role));
    if (!certificate) throw identityProblem('IDENTITY_NO_CERTIFICATE', role, 'no certificate was given');
    await proveSigner(role, certificate, source);
    return { certificate, others, signer: source.signer, privateKey: null };
  }
  if ('pemKey' in source) {
    const certificates = pemCertificates(source.pemCertificate, role);
    return chosen(role, { keys: [pemKey(source.pemKey, role)], certificates }, now);
  }
  return chosen(role, await openPkcs12(p12Bytes(source.p12.reveal(), role), source.password, role), now);
}

/** A key kept elsewhere cannot be compared with the certificate: it has to sign something. */
async function proveSigner(
  role: IdentityRole,
  certificate: Certificate,
  { signer, proof }: { readonly signer: Signer; readonly proof?: 'later' },
): Promise<void> {
  if (proof === 'later') return;
  const data = Buffer.from('Does this key belong to this certificate?');
  const signature = await signer.sign({ hash: 'sha256', digest: createHash('sha256').update(data).digest() });
  const key = publicKeyOf(certificate.publicKeyInfo);
  if (key && verify('sha256', data, key, signature)) return;
  const problem = `the key of the signer does not belong to the certificate ("${certificate.commonName}")`;
  throw identityProblem('IDENTITY_KEY_MISMATCH', role, problem);
}

function chosen(
  role: IdentityRole,
  contents: { readonly keys: readonly KeyObject[]; readonly certificates: readonly Certificate[] },
  now: Date,
): Opened {
  const { certificate, key } = chooseCertificate(role, contents, now);
  const others = contents.certificates.filter((one) => one !== certificate);
  return { certificate, others, signer: localSigner(key), privateKey: key };
}

/** A .p12 is not text, as its second byte is 0x80 or more; anything that reads as base64 is taken for base64. */
function p12Bytes(given: Buffer, role: IdentityRole): Buffer {
  if (given.length === 0) throw identityProblem('IDENTITY_EMPTY', role, 'nothing was given: 0 bytes');
  // Without padding a PEM has no character that base64 for addresses has not.
  if (given.includes('-----BEGIN')) return given;
  const text = given.toString('latin1').replace(/^\xef\xbb\xbf/, '');
  // Secret stores and shells wrap lines, or keep the two characters of an escaped newline; web forms lose the padding.
  const packed = text
    .replace(/\\n|\s/g, '')
    .replace(/^["']|["']$/g, '')
    .replace(/=+$/, '');
  if (packed === '') throw identityProblem('IDENTITY_EMPTY', role, 'nothing was given but blanks');
  if (!/^[A-Za-z0-9+/_-]+$/.test(packed)) return notBase64(given, packed, role);
  const decoded = Buffer.from(packed, 'base64');
  if (packed.length % 4 === 1) {
    throw identityProblem('IDENTITY_BASE64', role, `its base64 is cut off: ${packed.length} characters`);
  }
  if (/^MI[IJKL][A-Za-z0-9+/\s]+/.test(decoded.subarray(0, 64).toString('latin1'))) {
    throw identityProblem('IDENTITY_BASE64_TWICE', role, 'it is encoded in base64 twice');
  }
  return decoded;
}

/** Binary of another kind is looked at as a file; text with a stray character is broken base64. */
function notBase64(given: Buffer, packed: string, role: IdentityRole): Buffer {
  const strange = packed.search(/[^A-Za-z0-9+/_=-]/);
  if (/[^\x20-\x7e]/.test(packed)) return given;
  throw identityProblem('IDENTITY_BASE64', role, `its base64 has a character that is none, at ${strange}`);
}

function readCertificate(der: Buffer, role: IdentityRole): Certificate {
  try {
    return parseCertificate(der);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw identityProblem('IDENTITY_DAMAGED', role, `a certificate cannot be read (${error.message})`, error);
  }
}

function pemCertificates(pem: string, role: IdentityRole): Certificate[] {
  if (pem.trim() === '') throw identityProblem('IDENTITY_EMPTY', role, 'the certificate is empty');
  const blocks = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g)];
  if (blocks.length === 0) throw identityProblem('IDENTITY_PEM', role, 'no certificate in PEM was found');
  return blocks.map((block) => readCertificate(Buffer.from(block[1] as string, 'base64'), role));
}

function pemKey(secret: Secret, role: IdentityRole): KeyObject {
  const pem = secret.reveal();
  if (pem.trim() === '') throw identityProblem('IDENTITY_EMPTY', role, 'the private key is empty');
  if (/ENCRYPTED/.test(pem)) throw identityProblem('IDENTITY_PEM_PASSWORD', role, 'the private key is encrypted');
  try {
    return createPrivateKey(pem);
  } catch {
    // The cause is not kept: it must not come near a log with key material.
    throw identityProblem('IDENTITY_PEM', role, 'no private key in PEM could be read');
  }
}
