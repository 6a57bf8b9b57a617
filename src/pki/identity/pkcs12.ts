import { createPrivateKey, type KeyObject } from 'node:crypto';
import forge from 'node-forge';
import { FormatError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import { explicitOf, Fields, octetsOf, oidOf, parseAsn1, smallInteger } from '../asn1/asn1.ts';
import { TAG } from '../asn1/der.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { type IdentityRole, identityProblem } from './identity-problem.ts';

/** What a .p12 holds. */
export interface Pkcs12Contents {
  readonly keys: readonly KeyObject[];
  readonly certificates: readonly Certificate[];
}

/** Iterations beyond which opening would take minutes; Keychain Access and openssl use 1 to 600000. */
const MAXIMUM_ITERATIONS = 5_000_000;

/**
 * Returns keys and certificates of a .p12: AES (PBES2) as modern tools write it, and RC2 or triple DES as older ones did.
 *
 * @param data the file's bytes
 * @param password undefined is tried as the empty password
 * @param role names the identity in errors
 * @returns all keys and certificates in it; throws UsageError with one of the IDENTITY_ codes
 * @see RFC 7292
 */
export async function openPkcs12(
  data: Buffer,
  password: Secret | undefined,
  role: IdentityRole,
): Promise<Pkcs12Contents> {
  const checked = checkOutside(data, role);
  // Loaded here: most runs never open a .p12.
  const bags = decrypt(data, { password, checked }, role);
  const keys = bags
    .filter(({ type }) => type === forge.pki.oids.keyBag || type === forge.pki.oids.pkcs8ShroudedKeyBag)
    .map((bag) => keyOf(bag, role));
  const certificates = bags
    .filter(({ type }) => type === forge.pki.oids.certBag)
    .map((bag) => certificateOf(bag, role));
  return { keys, certificates };
}

/** Tells a damaged .p12 from something else, before any password is tried; returns whether it has an integrity check. */
function checkOutside(data: Buffer, role: IdentityRole): boolean {
  try {
    const pfx = new Fields(parseAsn1(data, 'PFX'), TAG.sequence, 'PFX');
    smallInteger(pfx.take('version', TAG.integer));
    const safe = new Fields(pfx.take('authSafe', TAG.sequence), TAG.sequence, 'ContentInfo');
    oidOf(safe.take('contentType'));
    octetsOf(explicitOf(safe.take('content'), 0, 'content'));
    const mac = pfx.optional(TAG.sequence);
    const iterations = mac?.children[2];
    if (iterations && smallInteger(iterations) > MAXIMUM_ITERATIONS) {
      throw identityProblem('IDENTITY_ENCRYPTION', role, `its password is stretched ${smallInteger(iterations)} times`);
    }
    return mac !== undefined;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    if (looksLikePfx(data)) {
      throw identityProblem('IDENTITY_DAMAGED', role, `the .p12 is damaged or cut off (${error.message})`, error);
    }
    throw identityProblem('IDENTITY_NOT_P12', role, `this is not a .p12 file but ${kindOf(data)}`, error);
  }
}

/** A PFX begins with a SEQUENCE, then INTEGER 3. */
function looksLikePfx(data: Buffer): boolean {
  return data[0] === 0x30 && data.subarray(2, 9).includes(Buffer.from([0x02, 0x01, 0x03]));
}

/** Returns what a file that is not a .p12 seems to be, in words. */
export function kindOf(data: Buffer): string {
  const text = data.subarray(0, 4096).toString('latin1');
  const pem = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(text)?.[1];
  if (pem) return `PEM (${pem.toLowerCase()})`;
  if (text.startsWith('PK')) return 'a zip archive';
  try {
    return `a certificate without private key ("${parseCertificate(data).commonName}")`;
  } catch {
    return data[0] === 0x30 ? 'another ASN.1 structure' : 'something else';
  }
}

interface Lock {
  readonly password: Secret | undefined;
  /** The file says whether a password is right; without, a wrong one shows only as nonsense inside. */
  readonly checked: boolean;
}

function decrypt(data: Buffer, lock: Lock, role: IdentityRole): forge.pkcs12.Bag[] {
  const password = lock.password?.reveal() ?? '';
  const parse = (word: string, withMac: boolean) => {
    const asn1 = forge.asn1.fromDer(data.toString('latin1'), { strict: false, parseAllBytes: false } as never);
    if (!withMac) (asn1.value as unknown[]).length = 2;
    const { safeContents } = forge.pkcs12.pkcs12FromAsn1(asn1, false, word);
    return safeContents.flatMap((safe) => safe.safeBags);
  };
  try {
    return parse(password, true);
  } catch (error) {
    // PBES2 takes a password as UTF-8, the integrity check as UTF-16: node-forge gives one form to both.
    const utf8 = Buffer.from(password, 'utf8').toString('latin1');
    if (utf8 !== password && !isMacFailure(error)) {
      try {
        return parse(utf8, false);
      } catch {
        // The first error says what is wrong.
      }
    }
    // Without an integrity check, one wrong password in 256 opens it to nonsense; a strange algorithm is so for every password.
    const strange = isStrange(error) && (lock.checked || isStrange(errorOf(() => parse(`${password}?`, true))));
    throw decryptionProblem(error, { ...lock, strange }, role);
  }
}

function errorOf(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
const isMacFailure = (error: unknown) => /MAC could not be verified/.test(messageOf(error));
/** Of a way to protect it that node-forge does not know, or of nonsense that reads like one. */
const isStrange = (error: unknown) => /unsupported|unknown|only .* supported/i.test(messageOf(error));

/** @param tried `strange` when it cannot be read whatever the password is */
function decryptionProblem(error: unknown, tried: Lock & { readonly strange: boolean }, role: IdentityRole) {
  const { password, checked, strange } = tried;
  const message = messageOf(error);
  if (strange) {
    const problem = `the .p12 is protected in a way that cannot be read here (${message})`;
    return identityProblem('IDENTITY_ENCRYPTION', role, problem);
  }
  if (!checked || isMacFailure(error) || /wrong password|Failed to decrypt/i.test(message)) {
    return password === undefined || password.reveal() === ''
      ? identityProblem('IDENTITY_PASSWORD_MISSING', role, 'the .p12 needs a password and none was given')
      : identityProblem('IDENTITY_PASSWORD_WRONG', role, 'the password does not open the .p12');
  }
  return identityProblem('IDENTITY_DAMAGED', role, `the .p12 is damaged inside (${message})`);
}

function keyOf(bag: forge.pkcs12.Bag, role: IdentityRole): KeyObject {
  try {
    // node-forge knows RSA only; of other keys it hands out the PrivateKeyInfo as it was.
    const info = bag.key ? forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(bag.key)) : bag.asn1;
    return createPrivateKey({ key: derOf(info), format: 'der', type: 'pkcs8' });
  } catch {
    // The cause could quote key material, so it is not kept.
    throw identityProblem('IDENTITY_DAMAGED', role, 'the private key in the .p12 cannot be read');
  }
}

function certificateOf(bag: forge.pkcs12.Bag, role: IdentityRole): Certificate {
  try {
    return parseCertificate(derOf(bag.cert ? forge.pki.certificateToAsn1(bag.cert) : bag.asn1));
  } catch (error) {
    throw identityProblem('IDENTITY_DAMAGED', role, 'a certificate in the .p12 cannot be read', error);
  }
}

const derOf = (asn1: forge.asn1.Asn1) => Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'latin1');
