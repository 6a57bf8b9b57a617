import type { ByteSource } from '../../src/base/bytes.ts';

/** Returns all bytes of a source in one buffer. */
export async function readAll(source: ByteSource): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of source.chunks()) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}
