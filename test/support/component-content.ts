import { withFile } from '../../src/base/with-file.ts';
import { cpioEntries, memberData, type OpenPackage, openPackage } from '../../src/package/open-package.ts';
import { findMember } from '../../src/xar/read.ts';
import type { XarMember } from '../../src/xar/toc.ts';

/** What two packages of one product may differ in, and how each difference is taken out before they are compared. */
export const NORMALISATIONS = {
  generator: 'PackageInfo names the tool that wrote it: the attribute generator-version is left out',
  scriptOwner: 'pkgbuild keeps the owner of whoever builds in the archive of scripts: owners there are left out',
  bookkeeping: 'device, inode and link count in cpio headers depend on the disk: they are left out',
  compression: 'levels of compression differ: inflated bytes are compared',
  bomLayout: 'blocks of a Bom may lie in any order: its records are compared',
  archive: 'times, owners and order in the table of contents are left out: members are compared by path',
} as const;

/** Returns every member of a package by its path, normalised: what is equal here installs alike. */
export async function componentContent(path: string): Promise<Record<string, unknown>> {
  return withFile(path, async (access) => {
    const opened = await openPackage(access);
    const content: Record<string, unknown> = {};
    for (const member of opened.archive.members) {
      if (member.kind === 'file') content[member.path] = await memberContent(opened, member);
    }
    return content;
  });
}

async function memberContent(opened: OpenPackage, member: XarMember): Promise<unknown> {
  switch (member.path.slice(member.path.lastIndexOf('/') + 1)) {
    case 'PackageInfo':
      return (await text(opened, member.path)).replace(/ generator-version="[^"]*"/, '');
    case 'Bom':
      return [...(opened.components.find(({ folder }) => member.path === `${folder}/Bom`)?.bom?.records ?? [])];
    case 'Payload':
      return tree(opened, member, true);
    case 'Scripts':
      return tree(opened, member, false);
    default:
      return text(opened, member.path);
  }
}

async function text(opened: OpenPackage, path: string): Promise<string> {
  const member = findMember(opened.archive, path);
  return member ? (await memberData(opened.archive, member)).toString('utf8') : '';
}

async function tree(opened: OpenPackage, member: XarMember, withOwner: boolean): Promise<unknown[]> {
  const entries: unknown[] = [];
  for await (const { path, kind, mode, header, data } of cpioEntries(opened.archive, member)) {
    const chunks: Buffer[] = [];
    for await (const chunk of data) chunks.push(Buffer.from(chunk));
    const content = Buffer.concat(chunks).toString('base64');
    const owner = withOwner ? { uid: header.uid, gid: header.gid } : {};
    entries.push({ path, kind, mode, mtime: header.mtimeSeconds, ...owner, content });
  }
  return entries;
}
