import { open } from 'node:fs/promises';
import { accessFile } from '../../../src/base/random-access.ts';
import { extractMember, readXar, type XarArchive } from '../../../src/xar/read.ts';
import { ToolFailure } from './machine.ts';

/** Opens an archive, hands it on and closes it. */
export async function withArchive<T>(path: string, use: (archive: XarArchive) => Promise<T>): Promise<T> {
  const handle = await open(path).catch(() => {
    throw new ToolFailure(1, `Could not open package: ${path}`);
  });
  try {
    return await use(await readXar(await accessFile(handle)));
  } finally {
    await handle.close();
  }
}

/** Returns a member's decoded bytes. */
export async function memberBytes(archive: XarArchive, path: string): Promise<Buffer | undefined> {
  const member = archive.members.find((one) => one.path === path);
  if (!member) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of extractMember(archive, member)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
