import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { CheckList } from '../../src/base/check.ts';
import { accessBuffer } from '../../src/base/random-access.ts';
import { parseTicket } from '../../src/notary/ticket/ticket.ts';
import { parseAsn1 } from '../../src/pki/asn1/asn1.ts';
import { integer, sequence } from '../../src/pki/asn1/der.ts';
import { openRehearsalAuthority, type RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import type { PackageExpectations } from '../../src/verify/expectations.ts';
import { checkTrailing } from '../../src/verify/staple.ts';
import type { ChecksumStyle } from '../../src/xar/layout.ts';
import type { XarArchive } from '../../src/xar/read.ts';
import { buildTrailer } from '../../src/xar/trailer.ts';
import { makeTicket } from '../notary/ticket/make-ticket.ts';

let authority: RehearsalAuthority;
beforeAll(async () => {
  authority = await openRehearsalAuthority('.rehearsal');
});

const DIGEST = createHash('sha512').update('a table of contents').digest();
const PORTABLE = { madeBy: 'portable' } as PackageExpectations['ours'];
const APPLE = { madeBy: 'apple' } as PackageExpectations['ours'];
const ISSUED = new Date('2026-11-26T12:00:00Z');

interface Made {
  readonly ours?: PackageExpectations['ours'];
  readonly style?: ChecksumStyle;
  readonly trustName?: 'apple' | 'rehearsal';
}

/** What is said of bytes behind an archive. */
async function checked(trailing: Buffer, { ours = null, style = 'sha1', trustName = 'rehearsal' }: Made = {}) {
  const list = new CheckList('a');
  const access = accessBuffer(Buffer.concat([Buffer.from('archive'), trailing]));
  const archive = { access, trailing: { offset: 7, size: trailing.length }, checksum: { style, value: DIGEST } };
  const trust = { ...authority.trust, name: trustName };
  const issuedAt = await checkTrailing(list, archive as unknown as XarArchive, { trust, now: ISSUED, ours });
  return { issuedAt, all: list.checks.map(({ id, status, reason }) => `${id} ${status}${reason === undefined ? '' : `: ${reason}`}`) };
} // biome-ignore format: short

const ticket = (hashType = 1, digest = DIGEST) => makeTicket(authority, { digest, hashType, issuedAt: ISSUED });
const NONE = 'ticket skipped: no ticket is stapled to the package';
const HIGHER =
  'its ECDSA signature is in the higher of its two forms: both are right, and anybody can swap them without a key';

/** (r, n - s) is as right as (r, s); n is the order of P-256 (FIPS 186-4, D.1.2.3). */
function higher(low: Buffer): Buffer {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const { signed, signature } = parseTicket(low);
  const [r, s] = parseAsn1(signature, 'x').children.map(({ content }) => content) as [Buffer, Buffer];
  const other = (order - BigInt(`0x${s.toString('hex')}`)).toString(16).padStart(64, '0');
  return Buffer.concat([signed, sequence(integer(r), integer(Buffer.from(other, 'hex')))], low.length);
}

describe('a ticket whose signature is no pair of numbers', () => {
  // Two INTEGERs in a SEQUENCE; RFC 3279, section 2.2.3.
  it.each<[string, string]>([
    ['another value', '0400'],
    ['no numbers', '3000'],
    ['one number', '3003020101'],
    ['three numbers', '3009020101020101020101'],
    ['texts', '30060401010401 01'],
    ['a number without a byte', '30050201010200'],
    ['a first number without a byte', '30050200020101'],
  ])('fails, and never ends the check of its package: %s', async (_, hex) => {
    const whole = ticket();
    const signature = Buffer.from(hex.replace(' ', ''), 'hex');
    const other = Buffer.concat([parseTicket(whole).signed, signature], whole.length);
    for (const ours of [null, PORTABLE])
      expect(await checked(buildTrailer(other), { ours })).toEqual({ issuedAt: undefined, all: ['trailing-bytes pass', expect.stringMatching(/^ticket fail: ticket signature/)] });
  }); // biome-ignore format: short
});

describe('the bytes behind an archive', () => {
  it('may be none', async () => {
    expect(await checked(Buffer.alloc(0), { ours: PORTABLE })).toEqual({ issuedAt: undefined, all: ['trailing-bytes pass', NONE] });
  }); // biome-ignore format: short

  it.each([
    ['hidden', '6 bytes behind the archive are not a ticket'],
    ['\0'.repeat(16), '16 bytes behind the archive are not a ticket'],
  ])('are refused in ours and noted in others: %j', async (text, words) => {
    expect((await checked(Buffer.from(text), { ours: PORTABLE })).all).toEqual([`trailing-bytes fail: ${words}`, NONE]);
    for (const ours of [null, APPLE])
      expect((await checked(Buffer.from(text), { ours })).all).toEqual([`trailing-bytes pass: ${words}`, NONE]);
  });

  it('that begin as a ticket does and are none fail', async () => {
    const half = buildTrailer(ticket()).subarray(-20);
    expect(await checked(half)).toEqual({
      issuedAt: undefined,
      all: [
        expect.stringMatching(/^trailing-bytes fail: /),
        'ticket skipped: the bytes behind the archive cannot be read',
      ],
    });
  });

  it('are a ticket, whose time is told', async () => {
    for (const ours of [null, APPLE, PORTABLE])
      expect(await checked(buildTrailer(ticket()), { ours })).toEqual({
        issuedAt: ISSUED,
        all: ['trailing-bytes pass', 'ticket pass'],
      });
  });

  it.each([
    ['in front of the ticket', (staple: Buffer) => Buffer.concat([Buffer.from('hidden'), staple]), 6],
    ['in front of it, one alone', (staple: Buffer) => Buffer.concat([Buffer.from('h'), staple]), 1],
    [
      'between the end of the chain and the ticket',
      (staple: Buffer) => Buffer.concat([staple.subarray(0, 16), buildTrailer(Buffer.from('abc')).subarray(16), staple.subarray(16)]),
      19,
    ],
  ])('do not belong to it %s', async (_, change, count) => {
    const words = `${count} bytes behind the archive do not belong to the ticket`;
    const data = change(buildTrailer(ticket()));
    expect((await checked(data)).all).toEqual([`trailing-bytes pass: ${words}`, 'ticket pass']);
    expect((await checked(data, { ours: PORTABLE })).all).toEqual([`trailing-bytes fail: ${words}`, 'ticket pass']);
  }); // biome-ignore format: a table
});

describe('the ticket', () => {
  it.each<[ChecksumStyle, number]>([
    ['sha1', 1],
    ['sha256', 2],
    ['sha512', 5],
  ])('is for the digest of the archive by its kind: %s', async (style, hashType) => {
    expect((await checked(buildTrailer(ticket(hashType)), { style })).all[1]).toBe('ticket pass');
    expect((await checked(buildTrailer(ticket(hashType + 1)), { style })).all[1]).toMatch(/^ticket fail: /);
  });

  it.each(['md5', 'none'] as const)('is for no digest of the kind %s', async (style) => {
    for (const hashType of [0, 1, 2]) {
      const [, words = ''] = (await checked(buildTrailer(ticket(hashType)), { style })).all;
      expect(words).toMatch(hashType === 0 ? /^ticket (pass|fail)/ : /^ticket fail: /);
    }
  });

  it('is for this package, and signed by the notary', async () => {
    const wrong = await checked(buildTrailer(ticket(1, Buffer.alloc(20))));
    expect(wrong).toEqual({ issuedAt: undefined, all: ['trailing-bytes pass', expect.stringMatching(/^ticket fail: /)] });
    const flipped = Buffer.from(ticket());
    flipped[60] = (flipped[60] as number) ^ 1;
    expect((await checked(buildTrailer(flipped))).all[1]).toMatch(/^ticket fail: /);
    const installer = makeTicket(authority, { digest: DIGEST, leaf: 'ticketAuthority' });
    expect((await checked(buildTrailer(installer))).issuedAt).toBeUndefined();
  }); // biome-ignore format: short

  it('is one', async () => {
    expect(await checked(buildTrailer(Buffer.from('no ticket')))).toEqual({
      issuedAt: undefined,
      all: ['trailing-bytes pass', expect.stringMatching(/^ticket fail: /)],
    });
  });

  it('has the lower of its two forms in a rehearsal, and either in others', async () => {
    const data = buildTrailer(higher(ticket()));
    expect(await checked(data, { ours: PORTABLE })).toEqual({
      issuedAt: ISSUED,
      all: ['trailing-bytes pass', `ticket fail: ${HIGHER}`],
    });
    for (const made of [{}, { ours: APPLE }, { ours: PORTABLE, trustName: 'apple' as const }])
      expect((await checked(data, made)).all).toEqual(['trailing-bytes pass', `ticket pass: ${HIGHER}`]);
  });
});
