import { inflateSync } from 'node:zlib';
import type { CheckList } from '../../src/base/check.ts';
import type { OpenPackage } from '../../src/package/open-package.ts';
import { bytesAt, firstDifference, textDifference } from '../../src/verify/own-form/difference.ts';
import { reservationOf } from '../../src/verify/own-form/own-archive.ts';
import { readHeap } from '../../src/xar/read.ts';
import { resignXar } from '../../src/xar/resign.ts';
import type { SignatureReservation } from '../../src/xar/toc-render.ts';
import { emitXar } from '../../src/xar/write.ts';

/**
 * Checks the file that the sources make, with the signatures in their places, against the finished one up to its ticket.
 *
 * @param list gets `rebuilt-toc` and `rebuilt-whole`
 * @param otherZlib why compressed streams may differ; null: they may not
 */
export async function checkWhole(
  list: CheckList,
  found: OpenPackage,
  own: OpenPackage,
  otherZlib: string | null,
): Promise<void> {
  const { archive } = found;
  const rooms = archive.signatures.map(reservationOf);
  const strange = rooms.find((room) => typeof room === 'string');
  if (strange !== undefined) return list.fail('rebuilt-toc', strange as string);
  const layout = resignXar(own.archive, { signatures: rooms as SignatureReservation[] });
  const { headerSize, tocCompressedSize } = archive.header;
  const toc = inflateSync(await archive.access.read(headerSize, tocCompressedSize));
  const difference = textDifference('table of contents', toc, inflateSync(layout.compressedToc));
  list.check('rebuilt-toc', [difference]);
  if (difference !== undefined) return list.skip('rebuilt-whole', 'the table of contents differs');
  const signatures = await Promise.all(archive.signatures.map(({ range }) => readHeap(archive, range)));
  const parts: Buffer[] = [];
  for await (const chunk of emitXar(layout, signatures)) parts.push(Buffer.from(chunk));
  const [expected, there] = [Buffer.concat(parts), await archive.access.read(0, archive.trailing.offset)];
  const at = firstDifference(there, expected);
  const firstByte = at !== undefined && `byte ${at}: expected ${bytesAt(expected, at)}, found ${bytesAt(there, at)}`;
  list.check(
    'rebuilt-whole',
    [otherZlib === null && firstByte],
    [otherZlib !== null && firstByte && `${firstByte}: ${otherZlib}`],
  );
}
