import { timeOf } from '../../pki/asn1/asn1.ts';
import { CMS } from '../../pki/asn1/oids.ts';
import { signCms } from '../../pki/cms/cms.ts';
import { parseCms } from '../../pki/cms/parse.ts';
import { bytesAt, firstDifference } from './difference.ts';

/**
 * Returns in what a CMS differs from the one that our signer makes over the same content, with the signature value, time, certificates
 * and timestamp that it has; undefined when it does not.
 *
 * @param encoded as it lies in its place; zero bytes may follow
 * @param attributes signed attributes that it must have beside the usual three, DER
 * @throws FormatError when it is not a CMS
 */
export async function cmsDifference(
  encoded: Buffer,
  content: Buffer,
  attributes: readonly Buffer[] = [],
): Promise<string | undefined> {
  const cms = parseCms(encoded);
  const { signerCertificate: certificate, certificates: chain, timestampToken, signature } = cms;
  const signed = cms.signedAttributes ?? [];
  const time = signed.find(({ type }) => type === CMS.signingTime)?.values[0];
  if (!certificate || !time) return 'the CMS names no time, or has not the certificate of its signer';
  if (
    chain.some(({ subject }, at) => at > 0 && !chain[at - 1]?.issuer.der.equals(subject.der)) ||
    chain[0] !== certificate
  )
    return 'the certificates of the CMS are not in the order leaf, intermediate, root';
  const made = await signCms({
    content,
    attributes,
    identity: { certificate, chain, signer: { hashes: new Set(['sha256']), sign: async () => signature } },
    signingTime: timeOf(time),
    timestamp: timestampToken && (async () => timestampToken),
  });
  const found = encoded.subarray(0, cms.encodedSize);
  const at = firstDifference(found, made);
  if (at === undefined) return undefined;
  const extra = signed.length - 3 - attributes.length;
  const prefix = extra > 0 ? `${extra} signed attribute more than we write; ` : '';
  return `${prefix}byte ${at} of the CMS: expected ${bytesAt(made, at)}, found ${bytesAt(found, at)}`;
}
