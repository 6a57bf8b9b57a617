import { context, DER_NULL, der, integer, octetString, oid, sequence, setOf } from '../asn1/der.ts';
import { CMS } from '../asn1/oids.ts';
import type { AlgorithmIdentifier } from '../x509/signature-algorithms.ts';
import type { ParsedCms } from './parse.ts';

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

/**
 * Returns whether `data` is one DER value: definite, shortest lengths, and inner values that fill their outer one exactly.
 * Lenient readers pass over a length that is wrong by one.
 *
 * @see X.690, section 10.1
 */
export function isDer(data: Buffer): boolean {
  return isFilled(data, 0, data.length, 0, 1);
}

/** Deepest nesting of a real CMS with its token and certificates is about 20. */
const MAX_DEPTH = 64;

function isFilled(
  data: Buffer,
  start: number,
  end: number,
  depth: number,
  expected = Number.POSITIVE_INFINITY,
): boolean {
  let count = 0;
  for (let at = start; at < end; count++) {
    const content = contentOf(data, at, end);
    if (!content || depth > MAX_DEPTH || count >= expected) return false;
    const constructed = ((data[at] as number) & 0x20) !== 0;
    if (constructed && !isFilled(data, content.start, content.end, depth + 1)) return false;
    at = content.end;
  }
  return true;
}

/** Returns where the contents of a value lie; undefined when its length is not in DER or passes `limit`. */
function contentOf(data: Buffer, at: number, limit: number): { start: number; end: number } | undefined {
  const first = data[at + 1] as number;
  const isShort = first < 0x80;
  const octets = isShort ? 0 : first - 0x80;
  const start = at + 2 + octets;
  // Octets that the data lacks make a number too small for so many, and none at all make NaN, which is refused likewise.
  const length = isShort ? first : Number(`0x${data.toString('hex', at + 2, start)}`);
  const shortest = isShort || length >= Math.max(0x80, 256 ** (octets - 1));
  return shortest && start + length <= limit ? { start, end: start + length } : undefined;
}

/** RSA and SHA-2 have NULL for parameters, or none (RFC 4055, RFC 5754). */
function algorithm({ oid: type, parameters }: AlgorithmIdentifier): Buffer {
  return sequence(oid(type), ...(parameters === undefined ? [] : [DER_NULL]));
}
