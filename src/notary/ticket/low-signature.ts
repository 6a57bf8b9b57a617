import { integerBytes, parseAsn1 } from '../../pki/asn1/asn1.ts';
import { integer, sequence } from '../../pki/asn1/der.ts';
import { parseTicket } from './ticket.ts';

/** Order n of the curve P-256. Source: FIPS 186-4, D.1.2.3. */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/**
 * Returns whether the ECDSA signature of a ticket is in its lower form.
 *
 * (r, s) and (r, n - s) are both right, so anybody can turn one into the other without a key. The rehearsal's notary makes the lower
 * one; the two of Apple's that the tests read have it too, and whether all of Apple's do is UNCERTAIN.
 *
 * @param signature of a ticket as `parseTicket` gives it, DER
 */
export function isLowSignature(signature: Buffer): boolean {
  return numbersOf(signature).s * 2n <= P256_ORDER;
}

/**
 * Returns a ticket with its signature in the lower form, as the rehearsal's notary makes it, so that one accepted package has exactly one stapled file.
 *
 * @throws FormatError when it is not a ticket
 */
export function withLowSignature(ticket: Buffer): Buffer {
  const { signed, signature } = parseTicket(ticket);
  if (isLowSignature(signature)) return ticket;
  const { r, s } = numbersOf(signature);
  const lower = sequence(integer(bytesOf(r)), integer(bytesOf(P256_ORDER - s)));
  return Buffer.concat([signed, lower], ticket.length);
}

const bytesOf = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');

function numbersOf(signature: Buffer): { r: bigint; s: bigint } {
  const numbers = parseAsn1(signature, 'ticket signature').children.map(integerBytes);
  const [r, s] = numbers.map((bytes) => BigInt(`0x${bytes.toString('hex')}`)) as [bigint, bigint];
  return { r, s };
}
