import { createHash, sign } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { XarArchive } from '../../../src/flat-package/xar-read.ts';
import { parseTrailer } from '../../../src/flat-package/xar-trailer.ts';
import { sequence } from '../../../src/pki/der.ts';
import { authority, inMemory } from './machine.ts';

/** Hash types of tickets. Source: CSCommon.h, kSecCodeSignatureHashSHA1. */
const SHA1 = 1;
const SIGNATURE_SIZE = 72;

/** Returns the last part of a package's record name: its TOC digest, cut to 20 bytes. */
export const digestOf = (archive: XarArchive): string => archive.checksum.value.subarray(0, 20).toString('hex');

/**
 * Publishes a ticket for a package: header, certificates, body, signature over all before it, padded.
 *
 * @see two packages stapled by Apple, of which this is the form
 */
export async function publishTicket(digest: string): Promise<void> {
  const { members, chainOf } = await authority();
  const certificates = sequence(
    ...chainOf('ticket')
      .slice(0, 2)
      .map(({ der }) => der),
  );
  const body = Buffer.alloc(24 + 21);
  body.write('g8tk', 0, 'latin1');
  body.writeUInt16LE(2, 4);
  body.writeUInt16LE(20, 6);
  body.writeUInt32LE(1, 8);
  body.writeBigUInt64LE(BigInt(Math.floor(Date.now() / 1000)), 16);
  body[24] = SHA1;
  Buffer.from(digest, 'hex').copy(body, 25);
  const header = Buffer.alloc(16);
  header.write('s8ch', 0, 'latin1');
  header.writeUInt32LE(1, 4);
  header.writeUInt32LE(certificates.length, 8);
  header.writeUInt32LE(body.length, 12);
  const signed = Buffer.concat([header, certificates, body]);
  const signature = Buffer.alloc(SIGNATURE_SIZE);
  sign('sha256', signed, members.ticket.privateKey).copy(signature);
  mkdirSync(inMemory('tickets'), { recursive: true });
  writeFileSync(inMemory('tickets', digest), Buffer.concat([signed, signature]));
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
