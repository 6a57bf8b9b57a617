import { parseTicket } from '../../src/notary/ticket/ticket.ts';
import { parseAsn1 } from '../../src/pki/asn1/asn1.ts';
import { der, integer, sequence } from '../../src/pki/asn1/der.ts';
import { buildTrailer } from '../../src/xar/trailer.ts';
import { assemble, type Sample, withGap } from '../mutation/sample.ts';
import { usualSignature } from '../mutation/signing.ts';
import { makeTicket } from '../notary/ticket/make-ticket.ts';

/** A change that needs no key, because nothing that Apple's format has covers those bytes. */
export interface KeylessChange {
  readonly name: string;
  /** Check that notes it in a stranger's package; the same or a check of our form fails in ours. */
  readonly noted: string;
  readonly words: RegExp;
  make(sample: Sample): Promise<Buffer> | Buffer;
}

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** All that docs/verifying.md lists under "What a stranger's package leaves open". */
export function keylessChanges(): KeylessChange[] {
  const change = (name: string, noted: string, words: RegExp, make: KeylessChange['make']): KeylessChange => ({
    name,
    noted,
    words,
    make,
  });
  const behind = (name: string, bytes: (sample: Sample) => Buffer) =>
    change(name, 'trailing-bytes', /bytes behind the archive/, (sample) => Buffer.concat([sample.file, bytes(sample)]));
  return [
    behind('bytes behind the end', () => Buffer.from('hidden')),
    behind('zeros behind the end', () => Buffer.alloc(512)),
    behind('bytes in front of the ticket', (sample) => Buffer.concat([Buffer.from('hidden'), staple(sample)])),
    behind('the ticket twice', (sample) => Buffer.concat([staple(sample), staple(sample)])),
    change('a longer header', 'xar-structure', /36 bytes that nothing signs/, ({ file }) => {
      const header = Buffer.concat([file.subarray(0, 28)], 64);
      header.writeUInt16BE(64, 4);
      return Buffer.concat([header, file.subarray(28)]);
    }),
    change('bytes in a gap of the heap', 'heap-gaps', /belong to nothing/, withGap),
    change('bytes behind the CMS', 'package-padding', /after the CMS is not zero/, ({ file, archive }) => {
      const { range } = archive.signatures.find(({ style }) => style === 'CMS')!;
      const copy = Buffer.from(file);
      copy[archive.heapStart + range.offset + range.size - 1] = 1;
      return copy;
    }),
    change('an unsigned attribute more', 'package-timestamp', /unsigned attribute that is not a timestamp/, (sample) =>
      assemble(sample, {}, usualSignature(sample.authority, { cms: (cms) => withAttribute(cms) })),
    ),
    change('the other form of the ticket’s signature', 'ticket', /higher of its two forms/, (sample) =>
      Buffer.concat([sample.file, buildTrailer(higher(ticketOf(sample)))]),
    ),
  ];
}

const ticketOf = ({ archive, authority }: Sample) => makeTicket(authority, { digest: archive.checksum.value });
const staple = (sample: Sample) => buildTrailer(ticketOf(sample));

/** (r, n - s) is as right as (r, s). */
function higher(ticket: Buffer): Buffer {
  const { signed, signature } = parseTicket(ticket);
  const [r, s] = parseAsn1(signature, 'signature').children.map(({ content }) => content) as [Buffer, Buffer];
  const other = (P256_ORDER - BigInt(`0x${s.toString('hex')}`)).toString(16).padStart(64, '0');
  return Buffer.concat([signed, sequence(integer(r), integer(Buffer.from(other, 'hex')))], ticket.length);
}

/** Adds an attribute to the unsigned ones, which are the last part of a CMS, and makes all lengths around it right. */
function withAttribute(cms: Buffer): Buffer {
  const attribute = sequence(Buffer.from('06032a0304', 'hex'), der(0x31, Buffer.from('0500', 'hex')));
  const grow = (node: ReturnType<typeof parseAsn1>, depth: number): Buffer => {
    const children = node.children.map(({ raw }) => raw);
    const last = node.children.at(-1);
    if (depth === 0 || !last) return der(node.tag, ...[...children, attribute].sort(Buffer.compare));
    return der(node.tag, ...children.slice(0, -1), grow(last, depth - 1));
  };
  // ContentInfo, [0], SignedData, SET OF SignerInfo, SignerInfo, [1] unsigned attributes.
  return grow(parseAsn1(cms, 'CMS'), 5);
}
