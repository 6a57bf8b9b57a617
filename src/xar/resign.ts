import { FormatError } from '../base/errors.ts';
import { type ByteRange, fromRange } from '../base/random-access.ts';
import { childElements, element, textOf, type XmlElement, type XmlNode } from '../xml/xml.ts';
import type { ChecksumStyle } from './layout.ts';
import type { XarArchive } from './read.ts';
import { reservedElements, reservedSize, type SignatureReservation } from './toc-render.ts';
import { finishLayout, type XarLayout } from './write.ts';

/** TOC elements that belong to a signature; libxar notes the time in the last one when it signs (xar/lib/signature.c). */
const SIGNATURE_ELEMENTS = new Set(['signature', 'x-signature', 'signature-creation-time']);

/**
 * Returns the layout of `archive` with room for other signatures, or for none.
 *
 * Every byte of the members' data and every element of the TOC that is not about digest or signatures is kept; only offsets
 * move. What lies behind the heap is left out, because a staple belongs to the old digest. Throws FormatError
 * `XAR_RESIGN_HEAP` when digest and signatures do not lie in front of all data.
 *
 * @example
 * const layout = resignXar(await readXar(access), { signatures: [{ style: 'CMS', size: 9216, certificates }] });
 * for await (const chunk of emitXar(layout, [cms])) out.write(chunk);
 */
export function resignXar(
  archive: XarArchive,
  options: { readonly signatures: readonly SignatureReservation[]; readonly checksum?: ChecksumStyle },
): XarLayout {
  const { signatures, checksum = archive.checksum.style } = options;
  const pieces = [archive.checksum.range, ...archive.signatures.map((signature) => signature.range)];
  const reservedEnd = Math.max(...pieces.map(({ offset, size }) => offset + size));
  const shift = (node: XmlElement): XmlElement => shiftData(node, reservedEnd, reservedSize(checksum, signatures));
  const children = (parent: XmlElement): XmlNode[] =>
    parent.children.flatMap((child): XmlNode[] => {
      if (typeof child === 'string') return [child];
      if (child.name === 'file') return [{ ...child, children: children(child) }];
      if (parent.name === 'file') return child.name === 'data' || child.name === 'ea' ? [shift(child)] : [child];
      if (child.name === 'checksum') return [...reservedElements(checksum, signatures)];
      return SIGNATURE_ELEMENTS.has(child.name) ? [] : [child];
    });
  const toc = childElements(archive.root, 'toc')[0] as XmlElement;
  const kept: ByteRange = { offset: archive.heapStart + reservedEnd, size: archive.heapSize - reservedEnd };
  const newToc = { ...toc, children: children(toc) };
  const others = archive.root.children.map((child) => (child === toc ? newToc : child));
  return finishLayout(
    { ...archive.root, children: others },
    { checksum, signatures, heap: [fromRange(archive.access, kept)] },
  );
}

/** Returns a `data` or `ea` element whose offset counts from the new end of the signatures. */
function shiftData(node: XmlElement, oldEnd: number, newEnd: number): XmlElement {
  const children = node.children.map((child): XmlNode => {
    if (typeof child === 'string' || child.name !== 'offset') return child;
    const offset = Number(textOf(child));
    if (offset < oldEnd) {
      const problem = `expected data behind the signatures, from ${oldEnd} on, found some at ${offset}`;
      throw new FormatError('XAR_RESIGN_HEAP', 'XarToc', child.offset ?? 0, problem);
    }
    return element('offset', {}, [String(offset - oldEnd + newEnd)]);
  });
  return { ...node, children };
}
