import { verify } from 'node:crypto';
import { FormatError } from '../../base/errors.ts';
import { beyond, LIMITS } from '../../base/input/limits.ts';
import { ascii, bytes, layout, u8, u16le, u32le, u64le } from '../../base/layout.ts';
import { Fields, integerBytes, parseAsn1, parseWholeAsn1, unexpected } from '../../pki/asn1/asn1.ts';
import { TAG } from '../../pki/asn1/der.ts';
import type { Trust } from '../../pki/x509/apple-roots.ts';
import { type Certificate, parseCertificate } from '../../pki/x509/certificate.ts';
import { verifyChain } from '../../pki/x509/chain.ts';
import { acceptable, type Finding, failure } from '../../pki/x509/finding.ts';
import { publicKeyOf } from '../../pki/x509/signature-algorithms.ts';
import type { ChecksumStyle } from '../../xar/layout.ts';

/**
 * Head of a notary's ticket, 16 bytes, little-endian. Behind it: certificates, body, signature.
 *
 * Apple has not published the format. Source of this table and the next two: five tickets of 2021 to 2025 (three packages, two
 * apps), all of which fit it and whose signatures are right.
 */
export const TICKET_HEADER = layout('TicketHeader', {
  /** always `s8ch` */
  magic: ascii(4),
  /** 1 in every ticket seen */
  version: u32le,
  /** bytes of the certificates: one SEQUENCE of certificates, leaf first, without the root */
  certificatesSize: u32le,
  /** bytes of the body */
  bodySize: u32le,
});

/** Head of a ticket's body, 24 bytes, little-endian. Behind it: `count` entries. */
export const TICKET_BODY = layout('TicketBody', {
  /** always `g8tk` */
  magic: ascii(4),
  /** 2 in every ticket seen */
  version: u16le,
  /** bytes of each digest; 20 in every ticket seen */
  digestSize: u16le,
  count: u32le,
  /** Unknown; 0 in every ticket seen. */
  reserved: u32le,
  /** Unix seconds */
  issuedAt: u64le,
});

/** One thing a ticket is for. */
export const TICKET_ENTRY = layout('TicketEntry', {
  /** see TICKET_HASH_TYPES */
  hashType: u8,
  /** the first 20 bytes of the digest */
  digest: bytes(20),
});

/** Number of each digest. Source: kSecCodeSignatureHash..., Security-61901 CSCommon.h. */
export const TICKET_HASH_TYPES = { sha1: 1, sha256: 2, sha256Truncated: 3, sha384: 4, sha512: 5 } as const;
/** Number of a package's digest, by the style of its table of contents' checksum; 0 for those that no ticket names. */
export const TOC_HASH_TYPES: Readonly<Record<ChecksumStyle, number>> = {
  sha1: TICKET_HASH_TYPES.sha1,
  sha256: TICKET_HASH_TYPES.sha256,
  sha512: TICKET_HASH_TYPES.sha512,
  md5: 0,
  none: 0,
};

/** The signature is padded with zero bytes to the size of the longest one of a P-256 key. */
const SIGNATURE_SIZE = 72;
const DIGEST_SIZE = 20;

/** What a ticket says. Nothing here has been verified. */
export interface Ticket {
  /** Leaf first. */
  readonly certificates: readonly Certificate[];
  readonly issuedAt: Date;
  readonly entries: readonly { readonly hashType: number; readonly digest: Buffer }[];
  /** What is signed: everything before the signature. */
  readonly signed: Buffer;
  /** DER, without padding. */
  readonly signature: Buffer;
}

/** A ticket, checked. */
export interface TicketReport {
  readonly trusted: boolean;
  readonly findings: readonly Finding[];
  readonly ticket: Ticket;
}

/**
 * Returns what a notary's ticket says.
 *
 * @param data the ticket as it is stapled or as the lookup service delivers it
 * @throws FormatError `TICKET_INVALID`, or one of the certificates
 * @example parseTicket(ticket).entries[0]?.digest.toString('hex') // the package's TOC digest
 */
export function parseTicket(data: Buffer): Ticket {
  const header = TICKET_HEADER.decode(data);
  expect(header.magic, 's8ch', 0, 'magic');
  expect(header.version, 1, TICKET_HEADER.offsetOf('version'), 'version');
  const certificatesEnd = TICKET_HEADER.size + header.certificatesSize;
  const bodyEnd = certificatesEnd + header.bodySize;
  expect(data.length, bodyEnd + SIGNATURE_SIZE, TICKET_HEADER.offsetOf('certificatesSize'), 'whole size');
  const list = parseWholeAsn1(data.subarray(TICKET_HEADER.size, certificatesEnd), 'ticket certificates');
  if (list.tag !== TAG.sequence) unexpected(list, 'expected a SEQUENCE of certificates');
  return {
    certificates: list.children.map(({ raw }) => parseCertificate(raw)),
    ...parseBody(data.subarray(certificatesEnd, bodyEnd), certificatesEnd),
    signed: data.subarray(0, bodyEnd),
    signature: parseSignature(data.subarray(bodyEnd), bodyEnd),
  };
}

/**
 * Returns whether a ticket was issued by Apple's notary (or the rehearsal's) and names a digest. Nothing is asked of the network.
 *
 * The certificates are checked at the ticket's own time: they may have expired since.
 *
 * @param subject what it should be for: a package's TOC digest or a cdhash, whole or its first 20 bytes
 * @throws FormatError when it is not a ticket
 * @example verifyTicket(ticket, { hashType: TICKET_HASH_TYPES.sha1, digest: tocDigest }, appleTrust()).trusted
 */
export function verifyTicket(
  data: Buffer,
  subject: { readonly hashType: number; readonly digest: Buffer },
  trust: Trust,
): TicketReport {
  const ticket = parseTicket(data);
  const findings: Finding[] = [];
  const [leaf, ...others] = ticket.certificates;
  if (!leaf) {
    findings.push(failure('TICKET_SIGNER', 'the ticket has no certificate'));
  } else {
    const { findings: faults } = verifyChain(leaf, others, { trust, at: ticket.issuedAt, purpose: 'ticket' });
    // A certificate that is not a link is not covered by any purpose: the ticket is Apple's whole or not at all.
    findings.push(...faults.map((fault) => ({ ...fault, severity: 'error' as const })));
    if (!isSignedBy(ticket, leaf)) {
      findings.push(failure('TICKET_SIGNATURE', `the signature of "${leaf.commonName}" does not match the ticket`));
    }
  }
  if (!ticket.entries.some((entry) => names(entry, subject))) {
    const shown = ticket.entries.slice(0, 5).map(({ digest }) => digest.toString('hex'));
    const more = ticket.entries.length > shown.length ? ` and ${ticket.entries.length - shown.length} more` : '';
    const named = `${shown.join(', ') || 'nothing'}${more}`;
    const wanted = subject.digest.subarray(0, DIGEST_SIZE).toString('hex');
    findings.push(failure('TICKET_SUBJECT', `the ticket is for ${named}, not for ${wanted}`));
  }
  return { trusted: acceptable(findings), findings, ticket };
}

function names(entry: Ticket['entries'][number], subject: { hashType: number; digest: Buffer }): boolean {
  return entry.hashType === subject.hashType && entry.digest.equals(subject.digest.subarray(0, DIGEST_SIZE));
}

function isSignedBy({ signed, signature }: Ticket, leaf: Certificate): boolean {
  const key = publicKeyOf(leaf.publicKeyInfo);
  return key?.asymmetricKeyType === 'ec' && verify('sha256', signed, key, signature);
}

function parseBody(body: Buffer, at: number): Pick<Ticket, 'issuedAt' | 'entries'> {
  const { magic, version, digestSize, count, reserved, issuedAt } = TICKET_BODY.decode(body);
  const field = (name: Parameters<typeof TICKET_BODY.offsetOf>[0]) => at + TICKET_BODY.offsetOf(name);
  expect(magic, 'g8tk', field('magic'), 'magic of the body');
  expect(version, 2, field('version'), 'version of the body');
  expect(digestSize, DIGEST_SIZE, field('digestSize'), 'digest size');
  expect(reserved, 0, field('reserved'), 'reserved field');
  if (count > LIMITS.ticketDigests) throw beyond('ticket', 'digests', LIMITS.ticketDigests);
  expect(body.length, TICKET_BODY.size + count * TICKET_ENTRY.size, field('count'), 'size of the body');
  const entries = Array.from({ length: count }, (_, index) =>
    TICKET_ENTRY.decode(body, TICKET_BODY.size + index * TICKET_ENTRY.size),
  );
  return { issuedAt: new Date(Number(issuedAt) * 1000), entries };
}

/** Two INTEGERs in a SEQUENCE. Source: RFC 3279, section 2.2.3. */
function parseSignature(padded: Buffer, at: number): Buffer {
  const node = parseAsn1(padded, 'ticket signature');
  const numbers = new Fields(node, TAG.sequence, 'Ecdsa-Sig-Value');
  for (const name of ['r', 's']) integerBytes(numbers.take(name));
  numbers.end();
  const { raw } = node;
  const stray = padded.subarray(raw.length).findIndex((byte) => byte !== 0);
  if (stray >= 0) invalid(at + raw.length + stray, 'expected zero bytes behind the signature, found others');
  return raw;
}

function expect(found: string | number, expected: string | number, offset: number, what: string): void {
  if (found !== expected)
    invalid(offset, `expected ${what} ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
}

function invalid(offset: number, problem: string): never {
  throw new FormatError('TICKET_INVALID', 'ticket', offset, problem);
}
