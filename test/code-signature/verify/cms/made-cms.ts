import { createHash, randomBytes } from 'node:crypto';
import type { Check } from '../../../../src/base/check.ts';
import type { CodeDirectory } from '../../../../src/code-signature/code-directory.ts';
import { encodeCdHashAttributes } from '../../../../src/code-signature/sign/cdhash-attributes.ts';
import { codeCmsVerifier } from '../../../../src/code-signature/verify/verify-cms.ts';
import { context, integer, octetString, oid, sequence, setOf, time } from '../../../../src/pki/asn1/der.ts';
import { cmsAttribute, retag, signedData } from '../../../../src/pki/cms/cms.ts';
import { localSigner } from '../../../../src/pki/identity/signer.ts';
import { encodeTimestampRequest, parseTimestampResponse } from '../../../../src/pki/timestamp/timestamp-token.ts';
import type { Trust } from '../../../../src/pki/x509/apple-roots.ts';
import type { Certificate } from '../../../../src/pki/x509/certificate.ts';
import { algorithmIdentifier } from '../../../../src/pki/x509/signature-algorithms.ts';
import { rehearsalTimestampAuthority } from '../../../../src/rehearsal/timestamp-authority.ts';
import { standingClock } from '../../../support/standing-clock.ts';
import { NOW, rehearsalSigner } from '../../signers.ts';

export const { authority } = await rehearsalSigner();
export const directory = (text: string, hashType = 2) => ({ hashType, data: Buffer.from(text) }) as CodeDirectory;
export const digest = (text: string, hash = 'sha256') => createHash(hash).update(text).digest();
export const token = (signature: Buffer, by = authority) =>
  parseTimestampResponse(
    rehearsalTimestampAuthority(by, standingClock(NOW)).issueToken(encodeTimestampRequest(signature, randomBytes(8))),
  ).token as Buffer;
export const STAMP = '1.2.840.113549.1.9.16.2.14';
export const stamped = (signature: Buffer) => [cmsAttribute(STAMP, token(signature))];
export const lengthened = (value: Buffer) =>
  Buffer.concat([value.subarray(0, 1), Buffer.from([0x83, 0]), value.subarray(2)]);

interface Parts {
  readonly leaf?: Certificate;
  readonly certificates?: readonly Certificate[];
  readonly attributes?: readonly Buffer[];
  readonly unsigned?: (signature: Buffer) => Buffer[];
}
export const chainOf = () => authority.chainOf('application');

/** A CMS over the code directory `text`, put together here; without change it is as our signer makes it. */
export async function made(parts: Parts = {}, text = 'directory'): Promise<Buffer> {
  const { leaf = chainOf()[0] as Certificate, certificates = chainOf(), unsigned = stamped } = parts;
  const attributes = setOf(
    cmsAttribute('1.2.840.113549.1.9.3', oid('1.2.840.113549.1.7.1')),
    cmsAttribute('1.2.840.113549.1.9.5', time(NOW)),
    cmsAttribute('1.2.840.113549.1.9.4', octetString(digest(text))),
    ...(parts.attributes ?? encodeCdHashAttributes([digest(text)])),
  );
  const signer = localSigner(authority.members.application.privateKey);
  const signature = await signer.sign({ hash: 'sha256', digest: createHash('sha256').update(attributes).digest() });
  const more = unsigned(signature);
  const info = sequence(
    integer(1),
    sequence(leaf.issuer.der, integer(leaf.serialBytes)),
    algorithmIdentifier('2.16.840.1.101.3.4.2.1'),
    retag(context(0), attributes),
    algorithmIdentifier('1.2.840.113549.1.1.11'),
    octetString(signature),
    ...(more.length > 0 ? [retag(context(1), setOf(...more))] : []),
  );
  return signedData(sequence(oid('1.2.840.113549.1.7.1')), certificates, info);
}

/** How strict: our own form, what the notary demands, what macOS takes. */
export type Who = 'exact' | 'demanding' | 'others';
export const verify = (
  cms: Buffer,
  who: Who = 'exact',
  directories = [directory('directory')],
  trust: Trust = authority.trust,
  now = NOW,
) =>
  codeCmsVerifier(
    trust,
    now,
  )({ cms, codeDirectories: directories, subject: 'slice', exact: who === 'exact', demanding: who !== 'others' });
const told = ({ status, reason }: Check) => (reason === undefined ? status : `${status}: ${reason}`);
export const said = (id: string, ...given: Parameters<typeof verify>) =>
  verify(...given)
    .checks.filter((check) => check.id === id)
    .map(told)
    .join(' | ');
export const EVERYBODY: readonly Who[] = ['exact', 'demanding', 'others'];
