import { type Asn1Node, parseAsn1 } from '../../src/pki/asn1/asn1.ts';
import { der } from '../../src/pki/asn1/der.ts';

/**
 * Puts something else in the place of one value of an encoding; the lengths around it follow.
 *
 * @param path which child to go to, from the outermost value inwards
 */
export function edited(
  encoded: Buffer,
  [index, ...rest]: readonly number[],
  change: (node: Asn1Node) => Buffer,
): Buffer {
  const node = parseAsn1(encoded, 'x');
  const children = node.children.map((child, at) => {
    if (at !== index) return child.raw;
    return rest.length === 0 ? change(child) : edited(child.raw, rest, change);
  });
  return der(node.tag, ...children);
}
