import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { FormatError } from '../../src/base/errors.ts';
import { accessBuffer } from '../../src/base/random-access.ts';
import { XAR_HEADER } from '../../src/xar/layout.ts';
import { extractMember, readXar, type XarArchive } from '../../src/xar/read.ts';
import type { XarMember } from '../../src/xar/toc.ts';

export const SECONDS = 1700000000;

/** Returns an archive with any TOC, right or wrong; header and SHA-1 digest fit it. `heap` follows the digest. */
export function sealXar(xml: string | Buffer, heap: Buffer = Buffer.alloc(0), tocSize?: number): Buffer {
  const toc = Buffer.from(xml);
  const compressed = deflateSync(toc);
  const header = XAR_HEADER.encode({
    magic: 'xar!',
    headerSize: 28,
    version: 1,
    tocCompressedSize: BigInt(compressed.length),
    tocSize: BigInt(tocSize ?? toc.length),
    checksumAlgorithm: 1,
  });
  return Buffer.concat([header, compressed, createHash('sha1').update(compressed).digest(), heap]);
}

/** Returns all bytes that come. */
export async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

/** Reads an archive and all its members. */
export async function readWhole(data: Buffer): Promise<{ archive: XarArchive; contents: Map<string, Buffer> }> {
  const archive = await readXar(accessBuffer(data));
  const contents = new Map<string, Buffer>();
  for (const member of archive.members) {
    if (member.kind === 'file') contents.set(member.path, await extract(archive, member));
  }
  return { archive, contents };
}

export function extract(archive: XarArchive, member: XarMember): Promise<Buffer> {
  return collect(extractMember(archive, member));
}

/** Returns the FormatError that `action` ends with; anything else fails the test. */
export async function faultOf(action: () => unknown): Promise<FormatError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
  throw new Error('expected a FormatError, but nothing was refused');
}
