import { verify } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { makeTicket } from '../../src/rehearsal/ticket-maker.ts';
import { sharedAuthority } from './shared-authority.ts';

let authority: RehearsalAuthority;
beforeAll(async () => {
  authority = await sharedAuthority();
});

describe('a ticket of the rehearsal', () => {
  it('has the form of Apple’s, byte for byte', () => {
    const issuedAt = new Date('2026-01-01T00:00:00.999Z');
    const entries = [
      { hashType: 1, digest: Buffer.alloc(20, 0x11) },
      { hashType: 2, digest: Buffer.alloc(32, 0x22) },
    ];
    const ticket = makeTicket(authority, entries, issuedAt);
    const [leaf, intermediate] = authority.chainOf('ticket');
    const certificates = Buffer.concat([leaf!.der, intermediate!.der]);
    expect(ticket.toString('latin1', 0, 4)).toBe('s8ch');
    const [version, certificatesSize, bodySize] = [4, 8, 12].map((at) => ticket.readUInt32LE(at)) as [
      number,
      number,
      number,
    ];
    // A SEQUENCE of more than 255 bytes has a head of four.
    expect([version, certificatesSize, bodySize]).toEqual([1, certificates.length + 4, 24 + 2 * 21]);
    expect(ticket.subarray(20, 16 + certificatesSize)).toEqual(certificates);
    const body = ticket.subarray(16 + certificatesSize, 16 + certificatesSize + bodySize);
    // Magic, version 2, digests of 20 bytes, 2 of them, nothing, 2026-01-01T00:00:00Z.
    expect(body.toString('hex')).toBe(
      `6738746b${'0200'}${'1400'}${'02000000'}${'00000000'}${'00b9556900000000'}01${'11'.repeat(20)}02${'22'.repeat(20)}`,
    );
    const signed = ticket.subarray(0, 16 + certificatesSize + bodySize);
    const signature = ticket.subarray(signed.length);
    expect(signature).toHaveLength(72);
    const own = signature.subarray(0, 2 + signature.readUInt8(1));
    expect(verify('sha256', signed, authority.members.ticket.privateKey, own)).toBe(true);
    expect(signature.subarray(own.length).every((byte) => byte === 0)).toBe(true);
  });
});
