import { createHash, randomBytes, sign } from 'node:crypto';
import { type Clock, systemClock } from '../base/clock.ts';
import { Fields, parseAsn1 } from '../pki/asn1/asn1.ts';
import {
  context,
  der,
  generalizedTime,
  integer,
  octetString,
  oid,
  sequence,
  setOf,
  TAG,
  time,
  utf8String,
} from '../pki/asn1/der.ts';
import { ALGORITHM, CMS } from '../pki/asn1/oids.ts';
import { cmsAttribute, retag, SIGNED_ATTRIBUTES_TAG, signedData } from '../pki/cms/cms.ts';
import type { Certificate } from '../pki/x509/certificate.ts';
import { algorithmIdentifier } from '../pki/x509/signature-algorithms.ts';
import type { KeyedCertificate, RehearsalAuthority } from './authority.ts';

/** Something the stand-in does wrong on purpose. */
export type TimestampFault =
  | { readonly kind: 'rejected'; readonly failureBit: number; readonly text?: string }
  | { readonly kind: 'time'; readonly time: Date }
  | { readonly kind: 'signer'; readonly signer: KeyedCertificate; readonly chain: readonly Certificate[] }
  | { readonly kind: 'wrong-nonce' | 'wrong-imprint' | 'wrong-certificate' | 'wrong-signature' };

/** A timestamp authority within this process. */
export interface TimestampAuthority {
  /** Returns a TimeStampResp for a TimeStampReq, both DER; throws FormatError when the request is none. */
  issueToken(request: Buffer, fault?: TimestampFault): Buffer;
}

/** Policy of tokens of a rehearsal, below the enterprise number kept for documentation (RFC 5612). */
const POLICY = '1.3.6.1.4.1.32473.1';

/**
 * Returns a timestamp authority that signs with the rehearsal's key, as Apple's does with its own.
 *
 * @param authority whose members `timestamp` sign
 * @param clock gives genTime
 * @example rehearsalTimestampAuthority(authority).issueToken(encodeTimestampRequest(signature, randomBytes(8)))
 * @see RFC 3161, section 2.4.2
 */
export function rehearsalTimestampAuthority(
  authority: RehearsalAuthority,
  clock: Clock = systemClock,
): TimestampAuthority {
  const own = { signer: authority.members.timestamp, chain: authority.chainOf('timestamp') };
  return {
    issueToken(request, fault) {
      if (fault?.kind === 'rejected') return rejection(fault.failureBit, fault.text ?? 'REHEARSAL rejection');
      const genTime = fault?.kind === 'time' ? fault.time : clock.now();
      const info = timestampInfo(request, genTime, fault);
      const by = fault?.kind === 'signer' ? fault : own;
      const named = fault?.kind === 'wrong-certificate' ? authority.members.root : by.signer;
      const token = tokenOf(info, by, named.certificate, genTime);
      if (fault?.kind === 'wrong-signature') token[token.length - 1] = (token[token.length - 1] as number) ^ 1;
      return sequence(sequence(integer(0)), token);
    },
  };
}

function rejection(failureBit: number, text: string): Buffer {
  const bits = Buffer.alloc(Math.floor(failureBit / 8) + 1);
  bits[bits.length - 1] = 0x80 >> (failureBit % 8);
  const failInfo = der(TAG.bitString, Buffer.from([7 - (failureBit % 8)]), bits);
  return sequence(sequence(integer(2), sequence(utf8String(text)), failInfo));
}

function timestampInfo(request: Buffer, genTime: Date, fault: TimestampFault | undefined): Buffer {
  const fields = new Fields(parseAsn1(request, 'TimeStampReq'), TAG.sequence, 'TimeStampReq');
  fields.take('version', TAG.integer);
  const asked = fields.take('messageImprint', TAG.sequence);
  const imprint = fault?.kind === 'wrong-imprint' ? otherImprint() : asked.raw;
  fields.optional(TAG.oid); // reqPolicy
  const askedNonce = fields.optional(TAG.integer)?.raw;
  const nonce = fault?.kind === 'wrong-nonce' ? integer(randomBytes(8)) : askedNonce;
  return sequence(
    integer(1),
    oid(POLICY),
    imprint,
    integer(randomBytes(8)),
    generalizedTime(genTime),
    ...(nonce ? [nonce] : []),
  );
}

const otherImprint = () => sequence(algorithmIdentifier(ALGORITHM.sha256), octetString(randomBytes(32)));

/** @param named the certificate that the token says has signed it */
function tokenOf(
  info: Buffer,
  by: { readonly signer: KeyedCertificate; readonly chain: readonly Certificate[] },
  named: Certificate,
  genTime: Date,
): Buffer {
  const { certificate, privateKey } = by.signer;
  const certificateHash = createHash('sha256').update(named.der).digest();
  const attributes = setOf(
    cmsAttribute(CMS.contentType, oid(CMS.timestampInfo)),
    cmsAttribute(CMS.signingTime, time(genTime)),
    cmsAttribute(CMS.messageDigest, octetString(createHash('sha256').update(info).digest())),
    cmsAttribute(CMS.signingCertificateV2, sequence(sequence(sequence(octetString(certificateHash))))),
  );
  const signerInfo = sequence(
    integer(1),
    sequence(certificate.issuer.der, integer(certificate.serialBytes)),
    algorithmIdentifier(ALGORITHM.sha256),
    retag(context(0), attributes),
    algorithmIdentifier(ALGORITHM.sha256WithRsa),
    octetString(sign('sha256', retag(SIGNED_ATTRIBUTES_TAG, attributes), privateKey)),
  );
  const encapsulated = sequence(oid(CMS.timestampInfo), der(context(0), octetString(info)));
  // Version 3, as the content is not id-data (RFC 5652, section 5.1).
  return signedData(encapsulated, by.chain, signerInfo, 3);
}
