import { createHash } from 'node:crypto';
import { octetsOf, oidOf, timeOf } from '../asn1/asn1.ts';
import { CMS } from '../asn1/oids.ts';
import type { Certificate } from '../x509/certificate.ts';
import { acceptable, type Finding, failure } from '../x509/finding.ts';
import { type HashName, hashOf, signatureProblem } from '../x509/signature-algorithms.ts';
import type { CmsAttribute, ParsedCms } from './parse.ts';

/** Whether a CMS signature is right for a content. Whether its signer is to be believed is the chain's matter. */
export interface CmsReport {
  readonly valid: boolean;
  readonly findings: readonly Finding[];
  readonly signerCertificate: Certificate | undefined;
  readonly hash: HashName | undefined;
  /** What the signer claims; the time stamp's time is the one to believe. */
  readonly signingTime: Date | undefined;
}

/**
 * Returns whether a CMS signature covers a content.
 *
 * Handles signatures without signed attributes (over the content itself) and SHA-1, as in Apple's packages of 2017.
 *
 * @param cms as `parseCms` returned it
 * @param content the detached content, or the embedded one
 * @returns all findings; throws FormatError when an attribute's value is of another type than it must be
 * @see RFC 5652, sections 5.4 and 5.6
 */
export function verifyCms(cms: ParsedCms, content: Buffer): CmsReport {
  const hash = hashOf(cms.digestAlgorithm);
  const findings: Finding[] = [...shapeFindings(cms)];
  if (cms.content && !cms.content.equals(content)) {
    findings.push(failure('CMS_CONTENT', 'the embedded content is not the one that should be signed'));
  }
  if (!hash) {
    findings.push(failure('CMS_ALGORITHM', `the digest algorithm ${cms.digestAlgorithm.oid} is not supported`));
  } else {
    findings.push(...attributeFindings(cms, content, hash), ...signatureFindings(cms, content, hash));
  }
  const signingTime = one(cms.signedAttributes, CMS.signingTime);
  return {
    valid: acceptable(findings),
    findings,
    signerCertificate: cms.signerCertificate,
    hash,
    signingTime: signingTime ? timeOf(signingTime) : undefined,
  };
}

/** Parts that the signature does not cover and that verifiers pass over; held to what every signature seen has. */
function shapeFindings(cms: ParsedCms): Finding[] {
  const findings: Finding[] = [];
  const algorithms = [...cms.digestAlgorithms, cms.digestAlgorithm, cms.signatureAlgorithm];
  if (!cms.digestAlgorithms.some((algorithm) => algorithm.oid === cms.digestAlgorithm.oid)) {
    findings.push(failure('CMS_ALGORITHM', 'digestAlgorithms does not name the digest of the signer'));
  }
  if (algorithms.some(({ parameters }) => parameters && !isNull(parameters))) {
    findings.push(failure('CMS_ALGORITHM', 'an algorithm has parameters other than NULL'));
  }
  // RFC 5652, sections 5.1 and 5.3: both follow from how the signer is named and from the content type.
  const signerVersion = cms.namedByKey ? 3 : 1;
  const version = cms.namedByKey || cms.contentType !== CMS.data ? 3 : 1;
  if (cms.version !== version || cms.signerVersion !== signerVersion) {
    const problem = `expected versions ${version} and ${signerVersion}, found ${cms.version} and ${cms.signerVersion}`;
    findings.push(failure('CMS_VERSION', problem));
  }
  return findings;
}

const isNull = (parameters: Buffer) => parameters.equals(Buffer.from([5, 0]));

function attributeFindings(cms: ParsedCms, content: Buffer, hash: HashName): Finding[] {
  const attributes = cms.signedAttributes;
  if (!attributes) return [];
  const findings: Finding[] = [];
  const repeated = attributes.find(({ type }, at) => attributes.findIndex((other) => other.type === type) !== at);
  if (repeated) findings.push(failure('CMS_ATTRIBUTE', `the signed attribute ${repeated.type} is there twice`));
  const type = one(attributes, CMS.contentType);
  if (!type || oidOf(type) !== cms.contentType) {
    findings.push(failure('CMS_ATTRIBUTE', 'the signed content type is missing or is not that of the content'));
  }
  const digest = one(attributes, CMS.messageDigest);
  if (!digest || !octetsOf(digest).equals(createHash(hash).update(content).digest())) {
    findings.push(failure('CMS_DIGEST', `the signed ${hash} digest is missing or is not that of the content`));
  }
  return findings;
}

function signatureFindings(cms: ParsedCms, content: Buffer, hash: HashName): Finding[] {
  if (!cms.signerCertificate) {
    return [failure('CMS_SIGNER', 'the certificate of the signer is not embedded')];
  }
  const problem = signatureProblem({
    publicKeyInfo: cms.signerCertificate.publicKeyInfo,
    algorithm: cms.signatureAlgorithm,
    hash,
    data: cms.signedAttributesDer ?? content,
    signature: cms.signature,
  });
  return problem
    ? [failure('CMS_SIGNATURE', `the signature of "${cms.signerCertificate.commonName}": ${problem}`)]
    : [];
}

/** Returns the only value of an attribute, or undefined. */
export function one(attributes: readonly CmsAttribute[] | undefined, type: string) {
  const values = attributes?.find((attribute) => attribute.type === type)?.values;
  return values?.length === 1 ? values[0] : undefined;
}
