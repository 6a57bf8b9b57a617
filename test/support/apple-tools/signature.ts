import { parseCms } from '../../../src/pki/cms/parse.ts';
import { verifyCms } from '../../../src/pki/cms/verify.ts';
import { verifyTimestampToken } from '../../../src/pki/timestamp/timestamp-token.ts';
import type { Certificate } from '../../../src/pki/x509/certificate.ts';
import { verifyChain } from '../../../src/pki/x509/chain.ts';
import type { XarArchive } from '../../../src/xar/read.ts';
import { readHeap } from '../../../src/xar/read.ts';
import { authority } from './machine.ts';

/** What the signature of a package is worth to this machine. */
export type SignatureState =
  | { readonly kind: 'none' | 'invalid' }
  | { readonly kind: 'trusted'; readonly chain: readonly Certificate[]; readonly signedAt: Date | undefined };

/** Returns what the CMS signature of an archive is worth: over this table of contents, by an installer identity of the authority. */
export async function signatureState(archive: XarArchive): Promise<SignatureState> {
  const signature = archive.signatures.find(({ style }) => style === 'CMS');
  if (!signature) return { kind: 'none' };
  const { trust } = await authority();
  const cms = parseCms(await readHeap(archive, signature.range));
  const { valid, signerCertificate } = verifyCms(cms, archive.checksum.value);
  if (!valid || !signerCertificate) return { kind: 'invalid' };
  const at = new Date();
  const { trusted, chain } = verifyChain(signerCertificate, cms.certificates, { trust, at, purpose: 'installer' });
  if (!trusted) return { kind: 'invalid' };
  const token = cms.timestampToken && verifyTimestampToken(cms.timestampToken, cms.signature, trust);
  return { kind: 'trusted', chain, signedAt: token?.trusted ? token.genTime : undefined };
}
