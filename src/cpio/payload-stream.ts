import { FormatError } from '../base/errors.ts';
import { type GunzipOptions, gunzipMember } from './gunzip.ts';

/** How a Payload member is compressed. */
export type PayloadCompression = 'gzip' | 'pbzx' | 'bzip2' | 'none';

const MAGICS: readonly (readonly [PayloadCompression, Buffer])[] = [
  ['gzip', Buffer.from([0x1f, 0x8b])], // RFC 1952
  ['pbzx', Buffer.from('pbzx')], // pkgbuild --compression latest: chunks of xz
  ['bzip2', Buffer.from('BZh')], // old packages
  ['none', Buffer.from('0707')], // cpio: odc or newc
];
const HEAD_SIZE = 4;

/**
 * Yields the cpio archive inside a Payload or Scripts member, whatever it is compressed with.
 *
 * @param member the member in pieces of any size
 * @throws FormatError `PAYLOAD_COMPRESSION` for bytes that are none of the kinds; `PAYLOAD_UNSUPPORTED` for pbzx (xz) and bzip2, which
 *   are recognised but not read; what `gunzipMember` throws
 * @example for await (const entry of readCpio(openPayload(member.chunks()))) ...
 */
export async function* openPayload(member: AsyncIterable<Buffer>, options: GunzipOptions = {}): AsyncGenerator<Buffer> {
  const iterator = member[Symbol.asyncIterator]();
  const head: Buffer[] = [];
  let size = 0;
  while (size < HEAD_SIZE) {
    const next = await iterator.next();
    if (next.done) break;
    head.push(Buffer.from(next.value)); // its memory may be used again
    size += next.value.length;
  }
  const all = joined(head, iterator);
  const compression = payloadCompression(Buffer.concat(head));
  if (compression === 'none') return yield* all;
  if (compression === 'gzip') return yield* gunzipMember(all, options);
  await iterator.return?.();
  const problem = `expected gzip or bare cpio, found ${compression}`;
  throw new FormatError('PAYLOAD_UNSUPPORTED', 'Payload', 0, problem, { hint: HINTS[compression] });
}

const HINTS = {
  pbzx: 'Its chunks are xz streams, which this program does not read. On a Mac, `pkgutil --expand-full` does.',
  bzip2: 'Inflate the Payload member with `bzip2 -dc`; what comes out is a cpio archive.',
} as const;

/** Returns how a member is compressed by its first four bytes. @throws FormatError `PAYLOAD_COMPRESSION` */
export function payloadCompression(head: Buffer): PayloadCompression {
  for (const [compression, magic] of MAGICS) if (head.subarray(0, magic.length).equals(magic)) return compression;
  const found = head.subarray(0, HEAD_SIZE).toString('hex') || 'nothing';
  throw new FormatError('PAYLOAD_COMPRESSION', 'Payload', 0, `expected gzip, pbzx, bzip2 or cpio, found ${found}`);
}

async function* joined(head: readonly Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* head;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
