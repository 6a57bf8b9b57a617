import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, createReadStream, lstatSync, readdirSync, rmSync } from 'node:fs';
import { lstat, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UsageError } from './errors.ts';
import { shownPath } from './place/shown.ts';
import { targetOf } from './place/target.ts';
import { readWhole } from './with-file.ts';

/** Where a file is being written, and how large and what it has become. */
export interface WrittenFile {
  readonly path: string;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
}

/**
 * Writes a file whole or not at all: into a hidden file beside it, flushed to the disk, then renamed.
 *
 * An error or an interruption leaves what was at `path` before, and no half-written file.
 *
 * @param path file to make or replace; of a link, the file that it leads to
 * @param content bytes, or a stream of them
 * @param mode permission bits, whatever the umask is
 * @throws UsageError `TARGET_NOT_A_FILE` when a folder, device, pipe or socket has that name: it stays
 */
export async function writeWhole(
  path: string,
  content: AsyncIterable<Buffer> | Buffer | string,
  mode = 0o644,
): Promise<WrittenFile> {
  const target = await targetOf(path);
  const beside = unfinishedName(target);
  const hash = createHash('sha256');
  let size = 0;
  const file = await open(beside, 'wx', mode);
  try {
    try {
      for await (const chunk of chunksOf(content)) {
        const written = file.writeFile(chunk);
        hash.update(chunk); // beside the writing
        size += chunk.length;
        await written;
      }
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, target);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  return { path, size, sha256: hash.digest('hex') };
}

/**
 * Writes a file as `writeWhole` does, but takes the place of no file with other contents unless that was asked for.
 *
 * @returns also whether it took the place of one
 * @throws UsageError `TARGET_EXISTS`, its hint the option that says the file may go
 */
export async function writeUnlessOther(
  path: string,
  content: AsyncIterable<Buffer> | Buffer | string,
  replace: boolean,
): Promise<WrittenFile & { readonly replaced: boolean }> {
  const parts: Buffer[] = [];
  for await (const part of chunksOf(content)) parts.push(part);
  const data = Buffer.concat(parts);
  const there = await lstat(path).catch(() => undefined);
  const before = there && (await readWhole(await targetOf(path)));
  // An empty file, such as mktemp makes, holds nothing that somebody may want to keep.
  const replaced = before !== undefined && before.length > 0 && !before.equals(data);
  if (replaced && !replace) {
    throw new UsageError('TARGET_EXISTS', `${shownPath(path)} is there already, with different contents`, {
      hint: 'Name another file, or add --replace.',
    });
  }
  return { ...(await writeWhole(path, data)), replaced };
}

/**
 * Makes sure that `writeWhole` could write a file of this name, for a command whose work takes long.
 *
 * @throws as `writeWhole`
 */
export async function demandWritable(path: string): Promise<void> {
  const beside = unfinishedName(await targetOf(path));
  await (await open(beside, 'wx', 0o600)).close();
  await rm(beside, { force: true });
}

const unfinished = new Set<string>();

/**
 * Returns the name under which `path` is written before it is whole: hidden, beside it, never used twice.
 *
 * Whoever uses it for a file or folder need not remove it when the process ends early: see `removeOwnUnfinished`.
 */
export function unfinishedName(path: string): string {
  const name = join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.unfinished`);
  unfinished.add(name);
  return name;
}

/** Removes what this process has begun and not finished; for the last moment before it ends, which nothing may keep from coming. */
export function removeOwnUnfinished(): void {
  for (const path of unfinished) {
    try {
      removeTree(path);
    } catch {
      // It stays under its hidden name.
    }
  }
  unfinished.clear();
}

/** Removes a file, or a folder with all in it, also folders that their owner may not write to; nothing when nothing is there. */
export function removeTree(path: string): void {
  try {
    rmSync(path, { force: true, recursive: true });
  } catch {
    openFolders(path);
    rmSync(path, { force: true, recursive: true });
  }
}

function openFolders(path: string): void {
  if (!lstatSync(path).isDirectory()) return;
  chmodSync(path, 0o700);
  for (const name of readdirSync(path)) openFolders(join(path, name));
}

/** Removes what writers that were killed left in a folder: hidden files whose process is gone. */
export async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    const match = /^\..+\.(\d+)\.[0-9a-f]{8}\.unfinished$/.exec(name);
    if (match && !isRunning(Number(match[1]))) await rm(join(folder, name), { force: true, recursive: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Returns size and SHA-256 (hex) of a file. */
export async function digestFile(path: string): Promise<WrittenFile> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  return { path, size, sha256: hash.digest('hex') };
}

async function* chunksOf(content: AsyncIterable<Buffer> | Buffer | string): AsyncIterable<Buffer> {
  if (typeof content === 'string') yield Buffer.from(content);
  else if (Buffer.isBuffer(content)) yield content;
  else yield* content;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
