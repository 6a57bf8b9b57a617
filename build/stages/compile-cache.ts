import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { writeWhole } from '../../src/base/files.ts';
import { makeFolder } from '../../src/base/place/folder.ts';
import { ARCHITECTURES, type BundleSource, type MachOSlice } from '../../src/toolchain/toolchain.ts';

/** How many compilations are kept; the oldest goes first. */
const KEPT = 4;
const DIGEST_SIZE = 32;
/** To be changed whenever a toolchain calls its tools in another way: what was made before is then not taken. */
const CALLS = 'lld in one thread';

/**
 * Slices that were compiled before, each set under a name that only its content decides: every file of the sources' folder, every
 * argument, and the tools with their versions. A release never asks it: what is signed was compiled in the same run.
 */
export interface CompileCache {
  /** Returns the slices of these very sources and tools, or undefined. */
  read(source: BundleSource, tools: Readonly<Record<string, string>>): Promise<readonly MachOSlice[] | undefined>;
  /** Keeps the slices. A folder that cannot be written to keeps nothing. */
  write(source: BundleSource, tools: Readonly<Record<string, string>>, slices: readonly MachOSlice[]): Promise<void>;
}

/** Returns the cache in `folder`, which is made when there is something to keep. */
export function compileCache(folder: string): CompileCache {
  return {
    async read(source, tools) {
      const path = join(folder, await keyOf(source, tools));
      const slices = await Promise.all(ARCHITECTURES.map((architecture) => readSlice(join(path, architecture))));
      if (slices.some((data) => data === undefined)) return undefined;
      const now = new Date();
      await utimes(path, now, now).catch(() => undefined);
      return ARCHITECTURES.map((architecture, index) => ({ architecture, data: slices[index] as Buffer }));
    },
    async write(source, tools, slices) {
      try {
        const path = join(folder, await keyOf(source, tools));
        await makeFolder(path);
        for (const { architecture, data } of slices) {
          await writeWhole(join(path, architecture), Buffer.concat([digestOf(data), data]));
        }
        await removeOldest(folder);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      }
    },
  };
}

/** A slice lies behind its own digest, so that one that was damaged since is compiled again. */
async function readSlice(path: string): Promise<Buffer | undefined> {
  const file = await readFile(path).catch(() => undefined);
  if (!file) return undefined;
  const data = file.subarray(DIGEST_SIZE);
  return digestOf(data).equals(file.subarray(0, DIGEST_SIZE)) ? data : undefined;
}

async function keyOf(source: BundleSource, tools: Readonly<Record<string, string>>): Promise<string> {
  const { folder, ...rest } = source;
  const hash = createHash('sha256').update(JSON.stringify([rest, tools, CALLS]));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of files.sort()) {
    const data = await readFile(path);
    hash.update(`\0${relative(folder, path)}\0${data.length}\0`).update(data);
  }
  return hash.digest('hex').slice(0, 32);
}

async function removeOldest(folder: string): Promise<void> {
  const names = await readdir(folder);
  const aged = await Promise.all(names.map(async (name) => ({ name, age: (await stat(join(folder, name))).mtimeMs })));
  const old = aged.sort((a, b) => b.age - a.age).slice(KEPT);
  // Another build may have removed it meanwhile.
  for (const { name } of old) await rm(join(folder, name), { recursive: true, force: true });
}

const digestOf = (data: Buffer) => createHash('sha256').update(data).digest();
