import { inflateSync } from 'node:zlib';
import { fromBuffer } from '../../base/bytes.ts';
import type { CheckList } from '../../base/check.ts';
import { FOLDER_ATTRIBUTES } from '../../package/product.ts';
import { cmsRoom } from '../../package/sign-product.ts';
import { CHECKSUM_ALGORITHMS, DEFLATED, STORED, XAR_HEADER } from '../../xar/layout.ts';
import { findMember, readHeap, type XarArchive } from '../../xar/read.ts';
import type { XarSignature } from '../../xar/toc.ts';
import type { SignatureReservation } from '../../xar/toc-render.ts';
import { directory, layoutXar, type XarFileEntry } from '../../xar/write.ts';
import type { OurForm } from '../expectations.ts';
import { readAbout } from '../read-about.ts';
import { bytesAt, firstDifference, textDifference } from './difference.ts';
import { cmsDifference } from './own-cms.ts';

/** First bytes of a zlib stream as `deflateSync` writes it at level 9: window of 32 KiB, strongest compression. Source: RFC 1950. */
const ZLIB_HEADER = Buffer.from('78da', 'hex');

/**
 * Checks header and table of contents: given the sizes and digests of the members, the certificates and the time, our writer makes
 * these very bytes. The deflate streams alone are left to the version of zlib; that each is one whole stream is known from reading it.
 */
export async function checkOwnArchive(list: CheckList, archive: XarArchive, ours: OurForm): Promise<void> {
  const { headerSize, tocCompressedSize } = archive.header;
  const header = await archive.access.read(0, headerSize);
  const compressed = await archive.access.read(headerSize, tocCompressedSize);
  await checkOwnSignature(list, archive);
  list.check('form-header', [headerProblem(header, archive)]);
  const expected = expectedToc(archive, ours);
  list.check('form-toc', [
    typeof expected === 'string' ? expected : textDifference('table of contents', inflateSync(compressed), expected),
    zlibProblem('the table of contents', compressed),
    ...(await memberProblems(archive)),
  ]);
}

/** The CMS over the digest, with the signature value that it has, is the one that our signer makes. */
async function checkOwnSignature(list: CheckList, archive: XarArchive): Promise<void> {
  const signature = archive.signatures.find(({ style }) => style === 'CMS');
  if (!signature) return;
  const slot = await readHeap(archive, signature.range);
  const difference = await readAbout(list, 'form-signature', async () => ({
    found: await cmsDifference(slot, archive.checksum.value),
  }));
  if (difference) list.check('form-signature', [difference.found]);
}

function headerProblem(header: Buffer, { header: { tocCompressedSize, tocSize } }: XarArchive): string | undefined {
  const expected = XAR_HEADER.encode({
    magic: 'xar!',
    headerSize: XAR_HEADER.size,
    version: 1,
    tocCompressedSize: BigInt(tocCompressedSize),
    tocSize: BigInt(tocSize),
    checksumAlgorithm: CHECKSUM_ALGORITHMS.sha1.id,
  });
  const at = firstDifference(header, expected);
  if (at === undefined) return undefined;
  const field = XAR_HEADER.fields.find(({ offset, width }) => at >= offset && at < offset + width)?.name ?? 'end';
  const sizes = header.length === expected.length ? '' : `; the header has ${header.length} bytes, expected 28`;
  return `xar header, byte ${at} (${field}): expected ${bytesAt(expected, at)}, found ${bytesAt(header, at)}${sizes}`;
}

/** Returns the XML that our writer makes of the archive's values, or why it would make none. */
function expectedToc(archive: XarArchive, ours: OurForm): Buffer | string {
  const { creationTime } = archive;
  if (creationTime === undefined) return 'the table of contents has no creation time';
  const rooms = archive.signatures.map(reservationOf);
  const inside = ['Bom', 'Payload', ...(ours.scripts.length > 0 ? ['Scripts'] : []), 'PackageInfo'];
  const folder = `${ours.identifier}.pkg`;
  const distribution = fileEntry(archive, 'Distribution');
  const members = inside.map((name) => fileEntry(archive, `${folder}/${name}`));
  const problem = [...rooms, distribution, ...members].find((part) => typeof part === 'string');
  if (problem !== undefined) return problem as string;
  const attributes = { ...FOLDER_ATTRIBUTES, mtime: creationTime };
  const entries = [distribution as XarFileEntry, directory(folder, members as XarFileEntry[], attributes)];
  return inflateSync(layoutXar(entries, { creationTime, signatures: rooms as SignatureReservation[] }).compressedToc);
}

/** Room for signatures follows from the certificates: `signPackage` sets it aside before there is any signature. */
export function reservationOf({ element, style, range, certificates }: XarSignature): SignatureReservation | string {
  if (element === 'signature' && style === 'RSA') return { style, size: range.size, certificates };
  if (element === 'x-signature' && style === 'CMS') return { style, size: cmsRoom(certificates), certificates };
  return `a signature of style ${style} in the element ${element}`;
}

/** A member as it was found, but stored or deflated as our writer does it. Its digests have been compared with its bytes before. */
function fileEntry(archive: XarArchive, path: string): XarFileEntry | string {
  const data = findMember(archive, path)?.data;
  if (!data) return `${path} is missing or empty`;
  const stored = /\/(Payload|Scripts)$/.test(path);
  const { archivedChecksum, extractedChecksum } = data;
  if (!archivedChecksum || !extractedChecksum) return `${path} has not both digests`;
  return {
    kind: 'file',
    name: path.slice(path.lastIndexOf('/') + 1),
    attributes: undefined,
    heap: { ...fromBuffer(Buffer.alloc(0)), size: data.length },
    size: data.size,
    encoding: stored ? STORED : DEFLATED,
    archivedChecksum: archivedChecksum.value,
    extractedChecksum: extractedChecksum.value,
  };
}

async function memberProblems(archive: XarArchive): Promise<(string | undefined)[]> {
  return Promise.all(
    archive.members.map(async ({ path, data }) => {
      if (data?.encoding !== DEFLATED) return undefined;
      const size = Math.min(data.length, ZLIB_HEADER.length);
      return zlibProblem(path, await archive.access.read(archive.heapStart + data.offset, size));
    }),
  );
}

function zlibProblem(name: string, stream: Buffer): string | undefined {
  if (stream.subarray(0, ZLIB_HEADER.length).equals(ZLIB_HEADER)) return undefined;
  return `the zlib stream of ${name} begins with ${bytesAt(stream, 0, 2)}, expected ${bytesAt(ZLIB_HEADER, 0, 2)}`;
}
