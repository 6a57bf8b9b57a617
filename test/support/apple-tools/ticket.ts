import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { TICKET_HASH_TYPES } from '../../../src/notary/ticket/ticket.ts';
import { makeTicket } from '../../../src/rehearsal/ticket-maker.ts';
import type { XarArchive } from '../../../src/xar/read.ts';
import { parseTrailer } from '../../../src/xar/trailer.ts';
import { authority, inMemory } from './machine.ts';

/** Returns the last part of a package's record name: its TOC digest, cut to 20 bytes. */
export const digestOf = (archive: XarArchive): string => archive.checksum.value.subarray(0, 20).toString('hex');

/** Publishes a ticket for a package, as the rehearsal's notary makes it. */
export async function publishTicket(digest: string): Promise<void> {
  const subject = { hashType: TICKET_HASH_TYPES.sha1, digest: Buffer.from(digest, 'hex') };
  mkdirSync(inMemory('tickets'), { recursive: true });
  writeFileSync(inMemory('tickets', digest), makeTicket(await authority(), [subject], new Date()));
}

/** Returns the published ticket of a package, or undefined. */
export function findTicket(digest: string): Buffer | undefined {
  const path = inMemory('tickets', digest);
  return existsSync(path) ? readFileSync(path) : undefined;
}

/** Returns whether the ticket behind an archive is the one that was published for it. */
export async function stapleState(archive: XarArchive): Promise<'absent' | 'valid' | 'invalid'> {
  const trailer = parseTrailer(await archive.access.read(archive.trailing.offset, archive.trailing.size));
  if (trailer.kind !== 'stapled') return 'absent';
  return findTicket(digestOf(archive))?.equals(trailer.ticket) ? 'valid' : 'invalid';
}

/** SHA-256 of a file, hex. */
export const fileDigest = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
