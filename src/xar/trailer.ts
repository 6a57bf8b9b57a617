import { FormatError } from '../base/errors.ts';
import { ascii, bytes, layout, u16le, u32le } from '../base/layout.ts';
import type { ByteRange, RandomAccess } from '../base/random-access.ts';

/**
 * Trailer behind a stapled archive, 16 bytes, little-endian. It describes the data before it, so a chain of trailers is read
 * from the end of the file backwards.
 *
 * Sources: `NotarizationTrailer` as read by Security-61901, notarization.cpp; two packages stapled by Apple's stapler.
 */
export const STAPLE_TRAILER = layout('StapleTrailer', {
  /** always `t8lr` */
  magic: ascii(4),
  /** always 1 */
  version: u16le,
  /** see TRAILER_TYPES */
  type: u16le,
  /** bytes of the data in front of this trailer */
  length: u32le,
  /** zero */
  reserved: bytes(4),
});

/** The chain ends (from behind: begins) with a terminator; a ticket is the notary's. */
export const TRAILER_TYPES = { terminator: 1, ticket: 2 } as const;

/** What lies behind the heap of an archive. */
export type XarTrailer =
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'stapled';
      /** The ticket as the notary delivered it. */
      readonly ticket: Buffer;
      /** Bytes of the chain, terminator included. */
      readonly size: number;
      /** Bytes in front of the chain that nothing explains; 0 in a package that was stapled once. */
      readonly unexplained: number;
    }
  /** Bytes that are not a trailer, as Apple's tools left them in 2017. */
  | { readonly kind: 'unknown'; readonly size: number };

const FORMAT = 'staple';

/**
 * Returns what the bytes behind a heap are.
 *
 * A chain that begins must be whole: each fault throws FormatError `STAPLE_VERSION`, `STAPLE_TYPE`, `STAPLE_LENGTH`,
 * `STAPLE_RESERVED`, `STAPLE_CHAIN` or `STAPLE_TICKET_MISSING`, with the offset in the bytes behind the heap. Like macOS this
 * takes the ticket nearest to the end of the file.
 *
 * @param data all bytes behind the heap
 * @example parseTrailer(buildTrailer(ticket)) // { kind: 'stapled', ticket, size: ticket.length + 32, unexplained: 0 }
 */
export function parseTrailer(data: Buffer): XarTrailer {
  if (data.length === 0) return { kind: 'absent' };
  const last = data.length - STAPLE_TRAILER.size;
  if (last < 0 || !isTrailerAt(data, last)) return { kind: 'unknown', size: data.length };
  let ticket: Buffer | undefined;
  for (let at = last; ; ) {
    if (at < 0 || !isTrailerAt(data, at)) {
      fail('STAPLE_CHAIN', Math.max(0, at), 'expected a trailer in front of the data, found none');
    }
    const { type, length } = decodeTrailer(data, at);
    if (type === TRAILER_TYPES.terminator) {
      if (!ticket) fail('STAPLE_TICKET_MISSING', at, 'expected a ticket behind the terminator, found none');
      return { kind: 'stapled', ticket, size: data.length - at, unexplained: at };
    }
    if (type === TRAILER_TYPES.ticket) ticket ??= Buffer.from(data.subarray(at - length, at));
    at -= length + STAPLE_TRAILER.size;
  }
}

/** More bytes than any ticket has; an archive followed by more is not read into memory. */
const TRAILER_LIMIT = 16 * 1024 * 1024;

/** Returns what the bytes behind a heap are, `unknown` when they are more than any ticket has; see `parseTrailer`. */
export async function readTrailer(access: RandomAccess, { offset, size }: ByteRange): Promise<XarTrailer> {
  return size > TRAILER_LIMIT ? { kind: 'unknown', size } : parseTrailer(await access.read(offset, size));
}

/**
 * Returns the bytes that staple a ticket to an archive: terminator, ticket, trailer. They go behind the heap's end.
 *
 * @param ticket bytes as the notary delivers them
 */
export function buildTrailer(ticket: Buffer): Buffer {
  const common = { magic: 't8lr', version: 1, reserved: Buffer.alloc(4) };
  return Buffer.concat([
    STAPLE_TRAILER.encode({ ...common, type: TRAILER_TYPES.terminator, length: 0 }),
    ticket,
    STAPLE_TRAILER.encode({ ...common, type: TRAILER_TYPES.ticket, length: ticket.length }),
  ]);
}

function isTrailerAt(data: Buffer, offset: number): boolean {
  return data.toString('latin1', offset, offset + 4) === 't8lr';
}

function decodeTrailer(data: Buffer, offset: number): { type: number; length: number } {
  const { version, type, length, reserved } = STAPLE_TRAILER.decode(data, offset);
  const at = (field: Parameters<typeof STAPLE_TRAILER.offsetOf>[0]) => offset + STAPLE_TRAILER.offsetOf(field);
  if (version !== 1) fail('STAPLE_VERSION', at('version'), `expected 1, found ${version}`);
  // macOS stops at type 0 as it does at a terminator, but nobody writes it.
  if (type === 0) fail('STAPLE_TYPE', at('type'), 'expected a type from 1 on, found 0');
  const room = type === TRAILER_TYPES.terminator ? 0 : offset;
  if (length > room) fail('STAPLE_LENGTH', at('length'), `expected at most ${room} bytes, found ${length}`);
  if (reserved.some((byte) => byte !== 0)) {
    fail('STAPLE_RESERVED', at('reserved'), `expected zero bytes, found ${reserved.toString('hex')}`);
  }
  return { type, length };
}

function fail(code: string, offset: number, problem: string): never {
  throw new FormatError(code, FORMAT, offset, problem);
}
