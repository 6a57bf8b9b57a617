import { FormatError } from '../base/errors.ts';
import type { WrittenFile } from '../base/files.ts';
import { writeWhole } from '../base/files.ts';
import type { RandomAccess } from '../base/random-access.ts';
import { signCms } from '../pki/cms/cms.ts';
import type { Signer } from '../pki/identity/signer.ts';
import type { Certificate } from '../pki/x509/certificate.ts';
import { publicKeyOf } from '../pki/x509/signature-algorithms.ts';
import { type ChecksumStyle, isWeak } from '../xar/layout.ts';
import { readXar } from '../xar/read.ts';
import { resignXar } from '../xar/resign.ts';
import type { SignatureReservation } from '../xar/toc-render.ts';
import { emitXar, type XarLayout } from '../xar/write.ts';

/** Who signs a package, and when. */
export interface PackageSigning {
  readonly identity: {
    readonly certificate: Certificate;
    /** Leaf, intermediate, root: all of it goes into the package. */
    readonly chain: readonly Certificate[];
    readonly signer: Signer;
  };
  readonly signingTime: Date;
  /** Returns a checked time-stamp token over a signature value; undefined makes a signature without one. */
  readonly timestamp: ((signature: Buffer) => Promise<Buffer | undefined>) | undefined;
}

/** A signed product archive on the disk. */
export interface SignedProduct extends WrittenFile {
  readonly kind: 'signed-product';
  /** Digest of the table of contents, hex: what a ticket names. */
  readonly tocDigest: string;
}

/**
 * Room for a CMS beside its certificates, in bytes: attributes and signature take less than 1 KiB, a token with its own chain
 * up to 5 KiB. Apple's reservations are of this order (9,216 bytes with three certificates, observed 2025).
 */
const CMS_ROOM = 8192;
const CMS_ROUNDING = 512;

/**
 * Writes a package with a new signature in place of the ones it had, whole or not at all.
 *
 * Room for the signatures is reserved first, then the table of contents is final and signed once: RSA over its digest (where the
 * key can sign that kind of digest) and CMS with the whole chain. Every byte of every member is kept and streamed; what lies
 * behind the heap, such as a ticket for the old signature, is left out.
 *
 * @param source any flat package, signed or not; it may be the file at `path`
 * @param path file to make or replace
 * @throws FormatError when the package is malformed, and `XAR_SIGNATURE_SIZE` when a signature does not fit; errors of the signer
 *   and of `timestamp` pass through
 * @example await signPackage(await accessFile(handle), 'Example.pkg', { identity, signingTime: new Date(), timestamp })
 */
export async function signPackage(source: RandomAccess, path: string, signing: PackageSigning): Promise<SignedProduct> {
  const archive = await readXar(source);
  const layout = resignXar(archive, { signatures: reserve(signing, archive.checksum.style) });
  const signatures: Buffer[] = [];
  // One after the other: a key in a token or a service may take one request at a time.
  for (const room of layout.signatures) signatures.push(await makeSignature(room, layout, signing));
  const written = await writeWhole(path, emitXar(layout, signatures));
  return { kind: 'signed-product', ...written, tocDigest: layout.tocDigest.toString('hex') };
}

function reserve({ identity }: PackageSigning, checksum: ChecksumStyle): SignatureReservation[] {
  if (isWeak(checksum))
    throw new FormatError('XAR_CHECKSUM_WEAK', 'XarToc', 0, `a TOC digest of ${checksum} is not signed`);
  const certificates = identity.chain.map(({ der }) => der);
  const cms = { style: 'CMS' as const, size: cmsRoom(certificates), certificates };
  const modulusBits = publicKeyOf(identity.certificate.publicKeyInfo)?.asymmetricKeyDetails?.modulusLength;
  // Keys of services often refuse SHA-1; macOS prefers the CMS and is content with it (Security-61901, policyengine.cpp).
  if (checksum === 'sha512' || !identity.signer.hashes.has(checksum) || modulusBits === undefined) return [cms];
  return [{ style: 'RSA', size: Math.ceil(modulusBits / 8), certificates }, cms];
}

/** Returns the bytes that are set aside for a CMS with these certificates. */
export function cmsRoom(certificates: readonly Buffer[]): number {
  return roundUp(CMS_ROOM + certificates.reduce((sum, der) => sum + der.length, 0));
}

const roundUp = (size: number) => Math.ceil(size / CMS_ROUNDING) * CMS_ROUNDING;

function makeSignature(
  { style }: SignatureReservation,
  { tocDigest, checksum }: XarLayout,
  { identity, signingTime, timestamp }: PackageSigning,
): Promise<Buffer> {
  // The digest itself goes into the DigestInfo, it is not hashed again: so productsign of macOS 10.12 and 12 to 15 does it.
  if (style === 'RSA') return identity.signer.sign({ hash: checksum as 'sha1' | 'sha256', digest: tocDigest });
  return signCms({ content: tocDigest, identity, signingTime, timestamp });
}
