import { createHash } from 'node:crypto';
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { XAR_HEADER } from '../../src/xar/layout.ts';
import { assemble, type Parts, type Sample } from '../mutation/sample.ts';
import { usualSignature } from '../mutation/signing.ts';

/** Returns a package with one of its two documents changed; fails when the text to change is not there. */
export function withText(
  sample: Sample,
  part: 'distribution' | 'packageInfo',
  from: string | RegExp,
  to: string,
): Promise<Buffer> {
  const text = sample.parts[part].toString();
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`${part} does not hold ${from}`);
  return assemble(sample, { [part]: Buffer.from(changed) });
}

/** Returns a package whose Payload or Scripts holds other bytes once inflated; everything outside of it is made anew. */
export async function withArchive(
  sample: Sample,
  part: 'payload' | 'scripts',
  change: (archive: Buffer) => Buffer,
): Promise<Buffer> {
  return withMember(sample, part, (member) => gzip(change(gunzipSync(member))));
}

/** Returns a package with other bytes in one of its members. */
export function withMember(sample: Sample, part: keyof Parts, change: (member: Buffer) => Buffer): Promise<Buffer> {
  return assemble(sample, { [part]: change(sample.parts[part]) });
}

/** As pkgbuild's: Node's own header names the system it runs on. */
function gzip(data: Buffer): Buffer {
  const member = gzipSync(data, { level: 1 });
  return Buffer.concat([Buffer.from('1f8b0800000000000003', 'hex'), member.subarray(10)]);
}

/** What may be other than usual when a table of contents is changed. */
export interface TocChange {
  readonly toc?: (xml: string) => string;
  readonly deflate?: (xml: Buffer) => Buffer;
  readonly header?: (header: Buffer) => Buffer;
}

/** Returns a package with another header or table of contents, signed again; the heap stays where it was. */
export async function withToc({ archive, file, authority }: Sample, change: TocChange): Promise<Buffer> {
  const { headerSize, tocCompressedSize } = archive.header;
  const xml = inflateSync(file.subarray(headerSize, headerSize + tocCompressedSize));
  const changed = Buffer.from(change.toc?.(xml.toString()) ?? xml);
  if (change.toc && changed.equals(xml)) throw new Error('the table of contents was not changed');
  const compressed = change.deflate?.(changed) ?? deflateSync(changed, { level: 9 });
  const header = XAR_HEADER.encode({
    ...XAR_HEADER.decode(file),
    tocCompressedSize: BigInt(compressed.length),
    tocSize: BigInt(changed.length),
  });
  const digest = createHash('sha1').update(compressed).digest();
  const heap = Buffer.from(file.subarray(archive.heapStart));
  digest.copy(heap, archive.checksum.range.offset);
  const signatures = await usualSignature(authority).sign(digest);
  for (const [index, { range }] of archive.signatures.entries()) {
    heap.fill(0, range.offset, range.offset + range.size);
    signatures[index]?.copy(heap, range.offset);
  }
  return Buffer.concat([change.header?.(header) ?? header, compressed, heap]);
}
