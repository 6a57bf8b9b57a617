import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/base/errors.ts';
import { accessBuffer } from '../../../src/base/random-access.ts';
import { parseTicket, TICKET_HASH_TYPES, TOC_HASH_TYPES, verifyTicket } from '../../../src/notary/ticket/ticket.ts';
import { appleTrust } from '../../../src/pki/x509/apple-roots.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { readXar } from '../../../src/xar/read.ts';
import { parseTrailer } from '../../../src/xar/trailer.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { realPackages } from '../../support/needs.ts';
import { makeTicket } from './make-ticket.ts';

interface Subject {
  readonly hashType: number;
  readonly digest: Buffer;
}
const SUBJECT: Subject = { hashType: TICKET_HASH_TYPES.sha1, digest: Buffer.alloc(20, 7) };
let authority: RehearsalAuthority;
beforeAll(async () => {
  authority = await sharedAuthority();
});

const codes = (ticket: Buffer, subject = SUBJECT, trust = authority.trust) =>
  verifyTicket(ticket, subject, trust).findings.map(({ code }) => code);

/** Returns whether a ticket is refused, by an error or by a finding. */
function isRefused(ticket: Buffer, subject: Subject, trust = authority.trust): boolean {
  try {
    return !verifyTicket(ticket, subject, trust).trusted;
  } catch (error) {
    if (error instanceof FormatError) return true;
    throw error;
  }
}

describe('verifyTicket', () => {
  it('believes a ticket of the rehearsal for what it names', () => {
    const issuedAt = new Date('2030-01-02T03:04:05Z');
    const ticket = makeTicket(authority, { digest: SUBJECT.digest, issuedAt });
    expect(codes(ticket)).toEqual([]);
    expect(parseTicket(ticket).issuedAt).toEqual(issuedAt);
  });

  it('compares the first 20 bytes of longer digests', () => {
    const digest = Buffer.alloc(32, 9);
    const ticket = makeTicket(authority, { digest, hashType: TICKET_HASH_TYPES.sha256 });
    expect(codes(ticket, { hashType: TICKET_HASH_TYPES.sha256, digest })).toEqual([]);
  });

  it.each([
    ['another digest', { digest: Buffer.alloc(20, 1) }, 'TICKET_SUBJECT'],
    [
      'another last byte',
      { digest: Buffer.concat([SUBJECT.digest.subarray(0, 19), Buffer.alloc(1)]) },
      'TICKET_SUBJECT',
    ],
    [
      'another first byte',
      { digest: Buffer.concat([Buffer.alloc(1), SUBJECT.digest.subarray(1, 20)]) },
      'TICKET_SUBJECT',
    ],
    ['another kind of digest', { digest: SUBJECT.digest, hashType: 2 }, 'TICKET_SUBJECT'],
    ['another signer', { digest: SUBJECT.digest, leaf: 'ticketAuthority' as const }, 'LEAF_ROLE'],
    ['a time before its certificates', { digest: SUBJECT.digest, issuedAt: new Date(0) }, 'CERTIFICATE_NOT_YET_VALID'],
  ])('refuses a ticket with %s', (_, plan, code) => {
    expect(codes(makeTicket(authority, plan))).toContain(code);
  });

  it('names what the ticket is for, and what it should be for', () => {
    const { findings } = verifyTicket(makeTicket(authority, { digest: Buffer.alloc(20, 1) }), SUBJECT, authority.trust);
    expect(findings.map(({ message }) => message)).toEqual([
      `the ticket is for ${'01'.repeat(20)}, not for ${'07'.repeat(20)}`,
    ]);
  });

  it('knows digests by the numbers of kSecCodeSignatureHash...', () => {
    // Source: CSCommon.h of Security-61901.
    expect(TICKET_HASH_TYPES).toEqual({ sha1: 1, sha256: 2, sha256Truncated: 3, sha384: 4, sha512: 5 });
    expect(TOC_HASH_TYPES).toEqual({ sha1: 1, sha256: 2, sha512: 5, md5: 0, none: 0 });
  });

  it('refuses a ticket of the rehearsal when Apple is trusted', () => {
    expect(codes(makeTicket(authority, SUBJECT), SUBJECT, appleTrust())).toContain('CHAIN_INCOMPLETE');
  });

  it('refuses a ticket in which any byte is changed, and every part of one', () => {
    const ticket = makeTicket(authority, SUBJECT);
    for (let at = 0; at < ticket.length; at += 3) {
      const changed = Buffer.from(ticket);
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      expect(isRefused(changed, SUBJECT), `byte ${at}`).toBe(true);
    }
    for (let size = 0; size < ticket.length; size += 7)
      expect(() => parseTicket(ticket.subarray(0, size))).toThrow(FormatError);
  });
});

describe('tickets that Apple issued', () => {
  const stapled = ['installomator-0.5-2021.pkg', 'xcreds-launch-agent-2024.pkg'];
  it.skipIf(realPackages.missing).each(stapled)(
    `%s: right, for this package, and refused with any bit changed${realPackages.note}`,
    async (name) => {
      const archive = await readXar(accessBuffer(readFileSync(join(realPackages.folder as string, 'pkg', name))));
      const trailer = parseTrailer(await archive.access.read(archive.trailing.offset, archive.trailing.size));
      if (trailer.kind !== 'stapled') throw new Error('no staple');
      const subject = { hashType: TICKET_HASH_TYPES.sha1, digest: archive.checksum.value };
      expect(verifyTicket(trailer.ticket, subject, appleTrust())).toMatchObject({ trusted: true, findings: [] });
      expect(verifyTicket(trailer.ticket, SUBJECT, appleTrust()).findings.map(({ code }) => code)).toEqual([
        'TICKET_SUBJECT',
      ]);
      for (let at = 0; at < trailer.ticket.length; at += 5) {
        const changed = Buffer.from(trailer.ticket);
        changed[at] = (changed[at] as number) ^ 1;
        expect(isRefused(changed, subject, appleTrust()), `byte ${at}`).toBe(true);
      }
    },
  );
});
