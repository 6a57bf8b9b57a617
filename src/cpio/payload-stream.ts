import { FormatError } from '../base/errors.ts';
import { WORK } from '../base/input/limits.ts';
import { bunzip2 } from '../compression/bunzip2.ts';
import { unxz } from '../compression/unxz.ts';
import { gunzipMember } from './gunzip.ts';
import { unpbzx } from './pbzx.ts';

/** How a Payload member is compressed. */
export type PayloadCompression = 'gzip' | 'pbzx' | 'xz' | 'bzip2' | 'none' | 'unsupported';

const MAGICS: readonly (readonly [PayloadCompression, Buffer])[] = [
  ['gzip', Buffer.from([0x1f, 0x8b])], // RFC 1952
  ['pbzx', Buffer.from('pbzx')], // pkgbuild --compression latest: chunks of xz
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58])],
  ['bzip2', Buffer.from('BZh')], // packages of before 10.5
  ['none', Buffer.from('0707')], // cpio: odc or newc
  ...['pbze', 'pbz4', 'pbzz', 'pbzb'].map((magic) => ['unsupported', Buffer.from(magic)] as const), // Apple's own
];
const HEAD_SIZE = 4;

export interface PayloadOptions {
  /** Receives the bytes that were decoded and what each costs, one inflated byte being 1; what it throws ends the work. */
  readonly spend?: (bytes: number, cost: number) => void;
}

/**
 * Yields the cpio archive inside a Payload or Scripts member, whatever it is compressed with.
 *
 * @param member the member in pieces of any size
 * @throws FormatError `PAYLOAD_COMPRESSION` for bytes that are none of the kinds; `PAYLOAD_UNSUPPORTED` for kinds that are recognised but
 *   not read; what `gunzipMember`, `unpbzx`, `unxz` and `bunzip2` throw
 * @example for await (const entry of readCpio(openPayload(member.chunks()))) ...
 */
export async function* openPayload(
  member: AsyncIterable<Buffer>,
  { spend = () => undefined }: PayloadOptions = {},
): AsyncGenerator<Buffer> {
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
  try {
    switch (payloadCompression(Buffer.concat(head))) {
      case 'none':
        return yield* all;
      case 'gzip':
        return yield* spending(gunzipMember(all), (bytes) => spend(bytes, WORK.gzip));
      case 'pbzx':
        return yield* spending(unpbzx(all), (bytes) => spend(bytes, WORK.xz));
      case 'xz':
        return yield* spending(unxz(all), (bytes) => spend(bytes, WORK.xz));
      case 'bzip2':
        return yield* bunzip2(all, (bytes) => spend(bytes, WORK.bzip2));
      default:
        throw unsupported(Buffer.concat(head).toString('latin1', 0, HEAD_SIZE));
    }
  } finally {
    await iterator.return?.();
  }
}

function unsupported(found: string): FormatError {
  const problem = `payloads compressed as ${found} (LZFSE, LZ4 and the like) are not supported`;
  return new FormatError('PAYLOAD_UNSUPPORTED', 'Payload', 0, problem, {
    hint: 'On a Mac, `pkgutil --expand-full` reads it.',
  });
}

async function* spending(chunks: AsyncIterable<Buffer>, spend: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    spend(chunk.length);
    yield chunk;
  }
}

/** Returns how a member is compressed by its first four bytes. @throws FormatError `PAYLOAD_COMPRESSION` */
export function payloadCompression(head: Buffer): PayloadCompression {
  for (const [compression, magic] of MAGICS) if (head.subarray(0, magic.length).equals(magic)) return compression;
  const found = head.subarray(0, HEAD_SIZE).toString('hex') || 'nothing';
  throw new FormatError('PAYLOAD_COMPRESSION', 'Payload', 0, `expected gzip, pbzx, xz, bzip2 or cpio, found ${found}`);
}

async function* joined(head: readonly Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield* head;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}
