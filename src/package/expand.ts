import { chmod, lutimes, mkdir, open, statfs, symlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { InterruptedError, UsageError } from '../base/errors.ts';
import { type CpioEntry, readLinkTarget } from '../cpio/read.ts';
import { extractMember, type XarArchive } from '../xar/read.ts';
import type { XarMember } from '../xar/toc.ts';
import { defaultMaxBytes, type ExpandLimits, Surveyor, type TreeVisitor } from './expand-survey.ts';
import { cpioEntries, type OpenPackage } from './open-package.ts';
import { unsafe } from './path-survey.ts';

/** How much was unpacked. */
export interface Expanded {
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
}

/** setuid, setgid and sticky are not given to unpacked files: they would belong to whoever unpacks, perhaps root. */
const MODE_MASK = 0o777;

/**
 * Unpacks a flat package: its members, and instead of Payload and Scripts the trees they hold, as `pkgutil --expand-full` does.
 *
 * The package is read twice: what is damaged, unsafe, ambiguous on a Mac or too large is refused before anything is written.
 * Nothing is written outside `folder`: names are checked, nothing that exists is opened or followed, symbolic links are made
 * as they are and never gone through. Owners are not set.
 *
 * @param folder an empty folder
 * @throws FormatError `EXPAND_UNSAFE` for an entry below something that is not a folder, or at a path that is taken;
 *   `EXPAND_COLLISION`, `EXPAND_TOO_LARGE` as `limits` has them; UsageError `DISK_TOO_SMALL`
 */
export async function expandPackage(
  { archive }: OpenPackage,
  folder: string,
  signal: AbortSignal,
  limits: ExpandLimits = {},
): Promise<Expanded> {
  const maxBytes = limits.maxBytes ?? defaultMaxBytes(archive.access.size);
  const surveyor = new Surveyor(maxBytes, limits.caseSensitive ?? false, signal);
  for (const member of archive.members) await expandMember(archive, member, surveyor);
  await checkSpace(folder, surveyor.bytes);
  const writer = new TreeWriter(folder, signal);
  for (const member of archive.members) await expandMember(archive, member, writer);
  await writer.finish();
  return writer.counts;
}

async function checkSpace(folder: string, bytes: number): Promise<void> {
  const { blocks, bavail, bsize } = await statfs(folder);
  // Some network file systems tell nothing.
  if (blocks === 0 || bytes <= bavail * bsize) return;
  const problem = `${folder}: the package takes ${bytes} bytes when unpacked, the disk has ${bavail * bsize} left`;
  throw new UsageError('DISK_TOO_SMALL', problem, { hint: 'Free some space, or name a folder on another disk.' });
}

async function expandMember(archive: XarArchive, member: XarMember, writer: TreeVisitor): Promise<void> {
  if (member.kind === 'directory') return writer.directory(member.path, 0o755);
  if (member.kind === 'symlink') return writer.symlink(member.path, member.target ?? '');
  if (!/(^|\/)(Payload|Scripts)$/.test(member.path))
    return writer.file(member.path, 0o644, extractMember(archive, member));
  await writer.directory(member.path, 0o755);
  for await (const entry of cpioEntries(archive, member)) await expandEntry(member.path, entry, writer);
}

async function expandEntry(tree: string, entry: CpioEntry, writer: TreeVisitor): Promise<void> {
  const path = entry.path === '.' ? tree : `${tree}/${entry.path.slice(2)}`;
  const mtime = entry.header.mtimeSeconds;
  if (entry.kind === 'directory') return writer.directory(path, entry.mode, mtime);
  if (entry.kind === 'file') return writer.file(path, entry.mode, entry.data, mtime);
  return writer.symlink(path, await readLinkTarget(entry), mtime);
}

/** Makes files, folders and links below a folder, each path once, each below a folder it made itself. */
class TreeWriter implements TreeVisitor {
  readonly counts = { files: 0, directories: 0, symlinks: 0 };
  readonly #root: string;
  readonly #signal: AbortSignal;
  /** Folders made so far, with the mode and time they get at the end: a folder may be read-only for its owner. */
  readonly #directories = new Map<string, { mode: number; mtime: number | undefined }>();

  constructor(root: string, signal: AbortSignal) {
    this.#root = root;
    this.#signal = signal;
  }

  async directory(path: string, mode: number, mtime?: number): Promise<void> {
    if (!this.#directories.has(path)) {
      await this.#makeParents(path);
      await this.#claim(path, () => mkdir(join(this.#root, path), 0o700));
      this.counts.directories++;
    }
    this.#directories.set(path, { mode, mtime });
  }

  async file(path: string, mode: number, content: AsyncIterable<Buffer>, mtime?: number): Promise<void> {
    await this.#makeParents(path);
    const target = join(this.#root, path);
    // 'wx' is O_EXCL: it opens nothing that exists, not even through a symbolic link.
    const handle = await this.#claim(path, () => open(target, 'wx', 0o600));
    try {
      for await (const chunk of content) {
        if (this.#signal.aborted) throw new InterruptedError();
        await handle.writeFile(chunk);
      }
      await handle.chmod(mode & MODE_MASK);
    } finally {
      await handle.close();
    }
    if (mtime !== undefined) await utimes(target, mtime, mtime);
    this.counts.files++;
  }

  async symlink(path: string, target: string, mtime?: number): Promise<void> {
    await this.#makeParents(path);
    await this.#claim(path, () => symlink(target, join(this.#root, path)));
    if (mtime !== undefined) await lutimes(join(this.#root, path), mtime, mtime);
    this.counts.symlinks++;
  }

  /** Gives folders their modes and times, the deepest first. */
  async finish(): Promise<void> {
    for (const [path, { mode, mtime }] of [...this.#directories].reverse()) {
      const target = join(this.#root, path);
      if (mtime !== undefined) await utimes(target, mtime, mtime);
      await chmod(target, mode & MODE_MASK);
    }
  }

  async #makeParents(path: string): Promise<void> {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (parent !== '' && !this.#directories.has(parent)) await this.directory(parent, 0o755);
  }

  async #claim<T>(path: string, make: () => Promise<T>): Promise<T> {
    if (this.#signal.aborted) throw new InterruptedError();
    try {
      return await make();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EEXIST' && code !== 'ENOTDIR' && code !== 'ELOOP') throw error;
      throw unsafe(path, error);
    }
  }
}
