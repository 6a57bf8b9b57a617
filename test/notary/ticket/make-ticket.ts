import { sign } from 'node:crypto';
import { withLowSignature } from '../../../src/notary/ticket/low-signature.ts';
import { TICKET_BODY, TICKET_ENTRY, TICKET_HEADER } from '../../../src/notary/ticket/ticket.ts';
import { sequence } from '../../../src/pki/asn1/der.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';

/** What a ticket says; the usual where it is left out. */
export interface TicketPlan {
  /** The first 20 bytes are taken. */
  readonly digest: Buffer;
  readonly hashType?: number;
  readonly issuedAt?: Date;
  readonly leaf?: 'ticket' | 'installer' | 'ticketAuthority';
}

/** Returns a ticket in the form of Apple's, signed by a rehearsal's notary. */
export function makeTicket(authority: RehearsalAuthority, plan: TicketPlan): Buffer {
  const { digest, hashType = 1, issuedAt = new Date(), leaf = 'ticket' } = plan;
  const { members } = authority;
  const chain =
    leaf === 'ticketAuthority'
      ? [members.ticketAuthority.certificate, members.ticketRoot.certificate]
      : authority.chainOf(leaf).slice(0, 2);
  const certificates = sequence(...chain.map(({ der }) => der));
  const body = Buffer.concat([
    TICKET_BODY.encode({
      magic: 'g8tk',
      version: 2,
      digestSize: 20,
      count: 1,
      reserved: 0,
      issuedAt: BigInt(Math.floor(issuedAt.getTime() / 1000)),
    }),
    TICKET_ENTRY.encode({ hashType, digest: digest.subarray(0, 20) }),
  ]);
  const header = TICKET_HEADER.encode({
    magic: 's8ch',
    version: 1,
    certificatesSize: certificates.length,
    bodySize: body.length,
  });
  const signed = Buffer.concat([header, certificates, body]);
  const signature = sign('sha256', signed, authority.members[leaf].privateKey);
  const ticket = Buffer.concat([signed, signature], signed.length + Math.max(72, signature.length));
  // Keys that are not P-256 keys have signatures of another form.
  return leaf === 'ticket' ? withLowSignature(ticket) : ticket;
}
