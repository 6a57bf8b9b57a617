import { randomBytes } from 'node:crypto';
import { cmsRoom } from '../../src/package/sign-product.ts';
import { signCms } from '../../src/pki/cms/cms.ts';
import { localSigner, type Signer } from '../../src/pki/identity/signer.ts';
import { encodeTimestampRequest, parseTimestampResponse } from '../../src/pki/timestamp/timestamp-token.ts';
import type { Certificate } from '../../src/pki/x509/certificate.ts';
import type { KeyedCertificate, RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { rehearsalTimestampAuthority, type TimestampFault } from '../../src/rehearsal/timestamp-authority.ts';
import type { SignatureReservation } from '../../src/xar/toc-render.ts';

/** How a package is signed: rooms in the archive, and what goes into them. */
export interface Signature {
  readonly rooms: readonly SignatureReservation[];
  /** Returns the bytes for each room. */
  sign(tocDigest: Buffer): Promise<readonly Buffer[]>;
}

/** What may be other than usual. */
export interface SignatureChange {
  /** Certificate and key of the CMS; the installer's by default. */
  readonly cmsSigner?: KeyedCertificate;
  /** Embedded in the CMS. */
  readonly chain?: readonly Certificate[];
  /** In the TOC. */
  readonly keyInfo?: readonly Certificate[];
  readonly rsa?: (tocDigest: Buffer, signer: Signer) => Promise<Buffer>;
  readonly cms?: (cms: Buffer, tocDigest: Buffer) => Buffer;
  readonly timestampFault?: TimestampFault;
  readonly timestamp?: 'none' | ((signature: Buffer) => Promise<Buffer>);
  /** Signed attributes beside the usual ones, DER. */
  readonly attributes?: readonly Buffer[];
  readonly signedContent?: (tocDigest: Buffer) => Buffer;
  readonly certificateRoom?: number;
}

/** Returns the signature that a release makes, or one that differs in one way. */
export function usualSignature(authority: RehearsalAuthority, change: SignatureChange = {}): Signature {
  const own = authority.members.installer;
  const { cmsSigner = own, chain = authority.chainOf('installer'), keyInfo = chain } = change;
  const certificates = keyInfo.map(({ der }) => der);
  const signer = localSigner(own.privateKey);
  const timestamp = change.timestamp ?? tokenMaker(authority, change.timestampFault);
  return {
    rooms: [
      { style: 'RSA', size: 256, certificates },
      { style: 'CMS', size: change.certificateRoom ?? cmsRoom(certificates), certificates },
    ],
    async sign(tocDigest) {
      const rsa = change.rsa ?? ((digest: Buffer) => signer.sign({ hash: 'sha1', digest }));
      const cms = await signCms({
        content: change.signedContent?.(tocDigest) ?? tocDigest,
        identity: { certificate: cmsSigner.certificate, chain, signer: localSigner(cmsSigner.privateKey) },
        signingTime: new Date(),
        ...(change.attributes ? { attributes: change.attributes } : {}),
        timestamp: timestamp === 'none' ? undefined : timestamp,
      });
      return [await rsa(tocDigest, signer), change.cms?.(cms, tocDigest) ?? cms];
    },
  };
}

/** Returns a maker of tokens, right or with a fault. */
export function tokenMaker(authority: RehearsalAuthority, fault?: TimestampFault) {
  const tsa = rehearsalTimestampAuthority(authority);
  return async (signature: Buffer): Promise<Buffer> => {
    const response = tsa.issueToken(encodeTimestampRequest(signature, randomBytes(8)), fault);
    return parseTimestampResponse(response).token as Buffer;
  };
}
