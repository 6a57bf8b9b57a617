import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PipelineError } from '../../../src/base/errors.ts';
import { accessBuffer } from '../../../src/base/random-access.ts';
import { isLowSignature, withLowSignature } from '../../../src/notary/ticket/low-signature.ts';
import { checkStapled } from '../../../src/notary/ticket/staple.ts';
import { parseTicket, verifyTicket } from '../../../src/notary/ticket/ticket.ts';
import { integer, octetString, sequence } from '../../../src/pki/asn1/der.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { readXar } from '../../../src/xar/read.ts';
import { buildTrailer } from '../../../src/xar/trailer.ts';
import { NOW, rehearsalSigner } from '../../code-signature/signers.ts';
import { samplePackage } from '../sample-package.ts';
import { makeTicket } from './make-ticket.ts';

let authority: RehearsalAuthority;
beforeAll(async () => {
  ({ authority } = await rehearsalSigner());
});
const words = (work: () => unknown) => {
  try {
    work();
    return 'taken';
  } catch (error) {
    return (error as PipelineError).message;
  }
};

describe('a ticket, field by field', () => {
  // Offsets of the table in src/notary/ticket/ticket.ts; five tickets of Apple's are laid out like that.
  const changed = (edit: (ticket: Buffer, body: number) => void) => {
    const ticket = makeTicket(authority, { digest: Buffer.alloc(20, 7), issuedAt: NOW });
    const body = 16 + ticket.readUInt32LE(8);
    edit(ticket, body);
    return words(() => parseTicket(ticket)).replace(/offset (\d+)/, (all, at) =>
      Number(at) >= body ? `offset body + ${Number(at) - body}` : all,
    );
  };

  it.each<[string, (ticket: Buffer, body: number) => void, string]>([
    ['as it is', () => undefined, 'taken'],
    ['magic', (ticket) => ticket.write('s8ci', 0), 'ticket, offset 0: expected magic "s8ch", found "s8ci"'],
    ['version', (ticket) => ticket.writeUInt32LE(2, 4), 'ticket, offset 4: expected version 1, found 2'],
    ['magic of the body', (ticket, body) => ticket.write('g8tl', body), 'ticket, offset body + 0: expected magic of the body "g8tk", found "g8tl"'],
    ['version of the body', (ticket, body) => ticket.writeUInt16LE(3, body + 4), 'ticket, offset body + 4: expected version of the body 2, found 3'],
    ['size of digests', (ticket, body) => ticket.writeUInt16LE(32, body + 6), 'ticket, offset body + 6: expected digest size 20, found 32'],
    ['number of digests', (ticket, body) => ticket.writeUInt32LE(2, body + 8), 'ticket, offset body + 8: expected size of the body 66, found 45'],
    ['most digests', (ticket, body) => ticket.writeUInt32LE(20_000, body + 8), 'ticket, offset body + 8: expected size of the body 420024, found 45'],
    ['reserved', (ticket, body) => ticket.writeUInt32LE(1, body + 12), 'ticket, offset body + 12: expected reserved field 0, found 1'],
  ])('%s', (_, edit, expected) => expect(changed(edit)).toBe(expected)); // biome-ignore format: a table

  it('has 20,000 digests at most, zeros behind its signature, and no more bytes', () => {
    expect(changed((ticket, body) => ticket.writeUInt32LE(20_001, body + 8))).toMatch(/20,?000|20001/);
    const ticket = makeTicket(authority, { digest: Buffer.alloc(20, 7), issuedAt: NOW });
    const end = ticket.length - 72;
    const short = (behind: Buffer) => Buffer.concat([ticket.subarray(0, end), sequence(integer(5), integer(1)), behind]);
    expect(parseTicket(short(Buffer.alloc(64))).signature).toEqual(sequence(integer(5), integer(1)));
    const stray = short(Buffer.concat([Buffer.alloc(63), Buffer.from([1])]));
    expect(words(() => parseTicket(stray))).toBe(`ticket, offset ${end + 71}: expected zero bytes behind the signature, found others`);
    expect(words(() => parseTicket(Buffer.concat([ticket, Buffer.alloc(1)])))).toMatch(/^ticket, offset 8: expected whole size/);
    expect(parseTicket(ticket)).toMatchObject({ issuedAt: NOW, signed: ticket.subarray(0, end), entries: [{ hashType: 1, digest: Buffer.alloc(20, 7) }] });
  }); // biome-ignore format: a table

  it('names five digests when it is for none of what is wanted', () => {
    const one = makeTicket(authority, { digest: Buffer.alloc(20, 7), issuedAt: NOW });
    const body = 16 + one.readUInt32LE(8);
    const many = (count: number, wanted = 99) => {
      const entries = Array.from({ length: count }, (_, index) => Buffer.concat([Buffer.from([1]), Buffer.alloc(20, index)]));
      const head = Buffer.from(one.subarray(0, body + 24));
      head.writeUInt32LE(24 + 21 * count, 12);
      head.writeUInt32LE(count, body + 8);
      const ticket = Buffer.concat([head, ...entries, one.subarray(-72)]);
      const { findings } = verifyTicket(ticket, { hashType: 1, digest: Buffer.alloc(32, wanted) }, authority.trust);
      return findings.filter(({ code }) => code === 'TICKET_SUBJECT').map(({ message }) => message.replace(/[0-9a-f]{38}/g, ''));
    };
    expect([many(0), many(5), many(6)]).toEqual([
      ['the ticket is for nothing, not for 63'],
      ['the ticket is for 00, 01, 02, 03, 04, not for 63'],
      ['the ticket is for 00, 01, 02, 03, 04 and 1 more, not for 63'],
    ]);
    expect([0, 1, 5, 6].map((wanted) => many(6, wanted).length)).toEqual([0, 0, 0, 1]);
  }); // biome-ignore format: a table

  it('has a leaf, and a certificate beside the chain is an error', () => {
    const one = makeTicket(authority, { digest: Buffer.alloc(20, 7), issuedAt: NOW });
    const codes = (certificates: Buffer) => {
      const head = Buffer.from(one.subarray(0, 16));
      head.writeUInt32LE(certificates.length, 8);
      const { findings, trusted } = verifyTicket(Buffer.concat([head, certificates, one.subarray(16 + one.readUInt32LE(8))]), { hashType: 1, digest: Buffer.alloc(20, 7) }, authority.trust);
      return [trusted, ...findings.map(({ code, severity }) => `${severity} ${code}`)];
    };
    expect(codes(sequence())).toEqual([false, 'error TICKET_SIGNER']);
    const chain = authority.chainOf('ticket').map(({ der }) => der);
    expect(codes(sequence(...chain.slice(0, 2), authority.members.root.certificate.der))).toEqual([false, 'error CHAIN_STRAY', 'error TICKET_SIGNATURE']);
    expect(() => codes(octetString(Buffer.alloc(4)))).toThrow('expected a SEQUENCE of certificates');
  }); // biome-ignore format: a table
});

describe('the two forms of a signature', () => {
  // n of P-256, FIPS 186-4, D.1.2.3.
  const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const bytes = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
  const signature = (s: bigint) => sequence(integer(5), integer(bytes(s)));

  it('differ at half of the order', () => {
    expect([(N - 1n) / 2n, (N + 1n) / 2n, 1n, N - 1n].map((s) => isLowSignature(signature(s)))).toEqual([true, false, true, false]);
    const ticket = makeTicket(authority, { digest: Buffer.alloc(20, 7), issuedAt: NOW });
    expect(withLowSignature(ticket)).toBe(ticket);
    const high = Buffer.concat([parseTicket(ticket).signed, signature(N - 3n)], ticket.length);
    expect(parseTicket(withLowSignature(high)).signature).toEqual(signature(3n));
    expect(withLowSignature(high)).toHaveLength(ticket.length);
  }); // biome-ignore format: a table
});

describe('the longest staple', () => {
  const folder = mkdtempSync(join(tmpdir(), 'longest-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('has 16 MiB', async () => {
    const data = await samplePackage([], {}, { authority });
    const { checksum } = await readXar(accessBuffer(data));
    const staple = buildTrailer(makeTicket(authority, { digest: checksum.value, issuedAt: NOW }));
    const path = join(folder, 'a.pkg');
    const check = async (size: number) => {
      writeFileSync(path, Buffer.concat([data, Buffer.alloc(size - staple.length), staple]));
      return checkStapled(path, authority.trust).then(({ issuedAt }) => issuedAt, (error: PipelineError) => error.message);
    };
    expect(await check(16 * 1024 * 1024)).toEqual(NOW);
    expect(await check(16 * 1024 * 1024 + 1)).toContain('16777217 bytes behind the archive are not a ticket');
  }); // biome-ignore format: a table
});
