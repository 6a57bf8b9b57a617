import type { RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { buildTrailer } from '../../src/xar/trailer.ts';
import { makeTicket } from '../notary/ticket/make-ticket.ts';
import type { Mutation } from './outcome.ts';
import { flip, type Sample } from './sample.ts';

/** Changes of a stapled package's staple. */
export function ticketMutations({ file, archive, authority }: Sample, other: RehearsalAuthority): Mutation[] {
  const digest = archive.checksum.value;
  const ticket = makeTicket(authority, { digest });
  const staple = buildTrailer(ticket);
  const stapled = (what: string, bytes: Buffer, expected: string[]): Mutation => ({
    region: 'staple',
    what,
    expected,
    make: () => Buffer.concat([file, bytes]),
  });
  const spots = Array.from({ length: 24 }, (_, at) => 16 + Math.floor((at * ticket.length) / 24));
  return [
    ...spots.map((at) => stapled(`ticket, byte ${at - 16}`, flip(staple, at), ['ticket'])),
    ...[0, 5, 12].map((at) => stapled(`terminator, byte ${at}`, flip(staple, at), ['trailing-bytes'])),
    ...[0, 4, 6, 8, 12].map((at) =>
      stapled(`trailer, byte ${at}`, flip(staple, staple.length - 16 + at), ['trailing-bytes', 'ticket']),
    ),
    stapled('ticket for another package', buildTrailer(makeTicket(authority, { digest: Buffer.alloc(20, 1) })), [
      'ticket',
    ]),
    stapled('ticket for the digest of another kind', buildTrailer(makeTicket(authority, { digest, hashType: 2 })), [
      'ticket',
    ]),
    stapled('ticket of another notary', buildTrailer(makeTicket(other, { digest })), ['ticket']),
    stapled(
      'ticket by the certificate for packages',
      buildTrailer(makeTicket(authority, { digest, leaf: 'installer' })),
      ['ticket'],
    ),
    stapled('two staples', Buffer.concat([staple, staple]), ['trailing-bytes']),
    stapled('bytes before the staple', Buffer.concat([Buffer.from('hello'), staple]), ['trailing-bytes']),
  ];
}
