import { fromBuffer } from '../../src/base/bytes.ts';
import { gunzipMember } from '../../src/cpio/gunzip.ts';
import { readCpio } from '../../src/cpio/read.ts';
import type { OpenPackage } from '../../src/package/open-package.ts';
import { memberData } from '../../src/package/open-package.ts';
import { TREE_LIMIT } from '../../src/verify/own-form/own-tree.ts';
import type { XarMember } from '../../src/xar/toc.ts';

/** One member of a package, as it lies there and as it is read. */
export interface MemberContent {
  readonly path: string;
  readonly kind: XarMember['kind'];
  /** The bytes in the archive. */
  readonly archived: Buffer;
  /** What they stand for: decoded, and for Payload and Scripts inflated. */
  readonly content: Buffer;
  /** Files of a tree; undefined for a document. */
  readonly files: readonly TreeFile[] | undefined;
}

/** One entry of a cpio archive. */
export interface TreeFile {
  readonly path: string;
  /** Bytes from the start of the archive. */
  readonly offset: number;
  /** The header's fields in plain words, all but those that follow from the order of entries. */
  readonly facts: Readonly<Record<string, string>>;
  readonly content: Buffer;
}

/** Returns every member of a package with its content. */
export async function contentsOf({ archive }: OpenPackage): Promise<MemberContent[]> {
  const found: MemberContent[] = [];
  for (const member of archive.members) {
    const { path, kind, data } = member;
    const archived = data ? await archive.access.read(archive.heapStart + data.offset, data.length) : Buffer.alloc(0);
    const decoded = kind === 'file' ? await memberData(archive, member) : Buffer.alloc(0);
    const isTree = /\/(Payload|Scripts)$/.test(path);
    const content = isTree ? await inflated(decoded) : decoded;
    found.push({ path, kind, archived, content, files: isTree ? await filesIn(content) : undefined });
  }
  return found;
}

async function inflated(data: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of gunzipMember(fromBuffer(data).chunks(), { maxBytes: TREE_LIMIT })) parts.push(chunk);
  return Buffer.concat(parts);
}

async function filesIn(archive: Buffer): Promise<TreeFile[]> {
  const files: TreeFile[] = [];
  for await (const { path, kind, offset, mode, header, data } of readCpio(fromBuffer(archive).chunks())) {
    const parts: Buffer[] = [];
    for await (const chunk of data) parts.push(Buffer.from(chunk));
    const { uid, gid, mtimeSeconds } = header;
    const facts = {
      kind,
      mode: mode.toString(8).padStart(4, '0'),
      owner: `${uid}:${gid}`,
      time: String(mtimeSeconds),
    };
    files.push({ path, offset, facts, content: Buffer.concat(parts) });
  }
  return files;
}
