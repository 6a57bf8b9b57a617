import { sign } from 'node:crypto';
import { withLowSignature } from '../notary/ticket/low-signature.ts';
import { TICKET_BODY, TICKET_ENTRY, TICKET_HEADER } from '../notary/ticket/ticket.ts';
import { sequence } from '../pki/asn1/der.ts';
import type { RehearsalAuthority } from './authority.ts';

/** Bytes of the signature, padded with zeros, in every ticket seen. */
const SIGNATURE_SIZE = 72;

/**
 * Returns a ticket in the form of Apple's, signed by the rehearsal authority.
 *
 * @param entries what it is for: hash type and digest, of which the first 20 bytes count
 * @example makeTicket(authority, [{ hashType: 1, digest: tocDigest }], new Date())
 * @see src/notary/ticket/ticket.ts for the form
 */
export function makeTicket(
  authority: RehearsalAuthority,
  entries: readonly { readonly hashType: number; readonly digest: Buffer }[],
  issuedAt: Date,
): Buffer {
  // Apple's tickets carry leaf and intermediate, not the root.
  const certificates = sequence(
    ...authority
      .chainOf('ticket')
      .slice(0, 2)
      .map(({ der }) => der),
  );
  const body = Buffer.concat([
    TICKET_BODY.encode({
      magic: 'g8tk',
      version: 2,
      digestSize: 20,
      count: entries.length,
      reserved: 0,
      issuedAt: BigInt(Math.floor(issuedAt.getTime() / 1000)),
    }),
    ...entries.map(({ hashType, digest }) => TICKET_ENTRY.encode({ hashType, digest: digest.subarray(0, 20) })),
  ]);
  const header = TICKET_HEADER.encode({
    magic: 's8ch',
    version: 1,
    certificatesSize: certificates.length,
    bodySize: body.length,
  });
  const signed = Buffer.concat([header, certificates, body]);
  const signature = sign('sha256', signed, authority.members.ticket.privateKey);
  return withLowSignature(Buffer.concat([signed, signature], signed.length + SIGNATURE_SIZE));
}
