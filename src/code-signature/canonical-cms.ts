import type { ParsedCms } from '../pki/cms-parse.ts';
import { context, DER_NULL, der, integer, octetString, oid, sequence, setOf } from '../pki/der.ts';
import { CMS } from '../pki/oids.ts';
import type { AlgorithmIdentifier } from '../pki/signature-algorithms.ts';

/**
 * Returns the one DER encoding that the parts of a CMS SignedData have.
 *
 * Most bytes of a CMS around its signed attributes are covered by no signature: lengths, versions, the list of certificates,
 * parameters of algorithms. Whoever compares what was read with this finds a change in any of them.
 *
 * @param cms as `parseCms` returned it; it must have signed attributes and name its signer by issuer and serial number
 * @returns DER; undefined when the parts are not those of such a signature
 * @see RFC 5652, section 5.1: version 1 for data, 3 for other contents (a time-stamp token)
 */
export function canonicalCms(cms: ParsedCms): Buffer | undefined {
  const { signerCertificate, signedAttributesDer, timestampToken, contentType, content } = cms;
  if (!signerCertificate || !signedAttributesDer) return undefined;
  const signerInfo = sequence(
    integer(1),
    sequence(signerCertificate.issuer.der, der(0x02, signerCertificate.serialBytes)),
    algorithm(cms.digestAlgorithm),
    Buffer.concat([Buffer.from([context(0)]), signedAttributesDer.subarray(1)]),
    algorithm(cms.signatureAlgorithm),
    octetString(cms.signature),
    ...(timestampToken ? [der(context(1), sequence(oid(CMS.timestampToken), setOf(timestampToken)))] : []),
  );
  const signedData = sequence(
    integer(contentType === CMS.data ? 1 : 3),
    setOf(...cms.digestAlgorithms.map(algorithm)),
    sequence(oid(contentType), ...(content ? [der(context(0), octetString(content))] : [])),
    der(context(0), ...cms.certificates.map((certificate) => certificate.der)),
    setOf(signerInfo),
  );
  return sequence(oid(CMS.signedData), der(context(0), signedData));
}

/** RSA and SHA-2 have NULL for parameters, or none (RFC 4055, RFC 5754). */
function algorithm({ oid: type, parameters }: AlgorithmIdentifier): Buffer {
  return sequence(oid(type), ...(parameters === undefined ? [] : [DER_NULL]));
}
