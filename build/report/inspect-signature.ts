import { parseTicket } from '../../src/notary/ticket/ticket.ts';
import { parseCms } from '../../src/pki/cms/parse.ts';
import { parseTimestampInfo } from '../../src/pki/timestamp/timestamp-token.ts';
import { parseCertificate } from '../../src/pki/x509/certificate.ts';
import { readHeap, type XarArchive } from '../../src/xar/read.ts';
import type { XarSignature } from '../../src/xar/toc.ts';
import { readTrailer } from '../../src/xar/trailer.ts';
import { ifReadable } from './inspection.ts';

/** What a signature's parts say of themselves; `verify` tells whether it is true. */
export interface SignatureParts {
  readonly style: string;
  /** Bytes in the archive, with padding. */
  readonly size: number;
  /** Common names, leaf first. */
  readonly certificates: readonly string[];
  /** End of the leaf's validity, ISO 8601. */
  readonly notAfter: string | null;
  /** From the timestamp token, ISO 8601. */
  readonly timestamp: string | null;
}

/** What the bytes behind the archive are. */
export interface TrailingParts {
  readonly kind: string;
  readonly size: number;
  /** When the ticket was issued, ISO 8601. */
  readonly ticketIssuedAt: string | null;
}

/** Returns the parts of every signature of an archive. */
export async function signatureParts(archive: XarArchive): Promise<SignatureParts[]> {
  const parts: SignatureParts[] = [];
  for (const signature of archive.signatures) {
    const certificates = signature.certificates.map((der) => ifReadable(() => parseCertificate(der)));
    const slot = await readHeap(archive, signature.range);
    parts.push({
      style: signature.style,
      size: signature.range.size,
      certificates: certificates.map((certificate) => certificate?.commonName ?? 'unreadable'),
      notAfter: certificates[0]?.notAfter.toISOString() ?? null,
      timestamp: ifReadable(() => timestampOf(signature, slot)) ?? null,
    });
  }
  return parts;
}

/** Returns what lies behind the archive. */
export async function trailingParts({ access, trailing }: XarArchive): Promise<TrailingParts> {
  const trailer = await readTrailer(access, trailing);
  const ticket = trailer.kind === 'stapled' ? ifReadable(() => parseTicket(trailer.ticket)) : undefined;
  return { kind: trailer.kind, size: trailing.size, ticketIssuedAt: ticket?.issuedAt.toISOString() ?? null };
}

/** Returns the lines that show both. */
export function signatureLines(signatures: readonly SignatureParts[], trailing: TrailingParts): string[] {
  return [
    ...(signatures.length === 0 ? ['  signature   none'] : []),
    ...signatures.flatMap(({ style, size, certificates, notAfter, timestamp }) => [
      `  signature   ${style}, ${size} bytes${timestamp ? `, timestamp ${timestamp}` : ''}`,
      ...certificates.map(
        (name, at) => `              ${' '.repeat(at)}${name}${at === 0 ? `, until ${notAfter?.slice(0, 10)}` : ''}`,
      ),
    ]),
    `  behind it   ${trailing.kind === 'absent' ? 'nothing' : `${trailing.kind}, ${trailing.size} bytes`}${trailing.ticketIssuedAt ? `, ticket of ${trailing.ticketIssuedAt}` : ''}`,
  ];
}

function timestampOf({ style }: XarSignature, slot: Buffer): string | undefined {
  const token = style === 'CMS' ? parseCms(slot).timestampToken : undefined;
  const info = token && parseCms(token).content;
  return info && parseTimestampInfo(info).genTime.toISOString();
}
