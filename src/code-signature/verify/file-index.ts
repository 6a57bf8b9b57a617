import { createHash } from 'node:crypto';
import type { BundleEntry } from '../bundle-entry.ts';

/** A regular file of a tree, by its digests; its bytes are kept only where they are read as a document. */
export interface IndexedFile {
  readonly path: string;
  readonly sha1: Buffer;
  readonly sha256: Buffer;
  /** Whether its first bytes are those of a Mach-O file. */
  readonly code: boolean;
  /** Of property lists, `PkgInfo` and the files of a signature. */
  readonly content?: Buffer | undefined;
}

export interface IndexedLink {
  readonly path: string;
  readonly symlink: string;
}

/** A file or symbolic link of a tree; folders follow from the paths. */
export type IndexedEntry = IndexedFile | IndexedLink;

/** Names whose contents are read when a bundle is checked. */
const DOCUMENT = /(^|\/)(Info\.plist|PkgInfo|CodeResources)$/;

/** Returns whether the content of the file at `path` is read when a bundle is checked. */
export function isDocument(path: string): boolean {
  return DOCUMENT.test(path);
}

/** Files and links by path; what lies below a folder is found without looking at the others. */
export class FileIndex {
  readonly #entries: readonly IndexedEntry[];
  readonly #byPath = new Map<string, IndexedEntry>();

  constructor(entries: readonly IndexedEntry[]) {
    this.#entries = [...entries].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
    for (const entry of this.#entries) if (!this.#byPath.has(entry.path)) this.#byPath.set(entry.path, entry);
  }

  get entries(): readonly IndexedEntry[] {
    return this.#entries;
  }

  get(path: string): IndexedEntry | undefined {
    return this.#byPath.get(path);
  }

  file(path: string): IndexedFile | undefined {
    const entry = this.#byPath.get(path);
    return entry && 'sha256' in entry ? entry : undefined;
  }

  /** Returns the entries below a folder, in the order of their paths; a path that is there twice, twice. */
  below(folder: string): readonly IndexedEntry[] {
    if (folder === '') return this.#entries;
    return this.#entries.slice(this.#first(`${folder}/`), this.#first(`${folder}0`)); // `0` follows `/`
  }

  hasBelow(folder: string): boolean {
    return this.#entries[this.#first(`${folder}/`)]?.path.startsWith(`${folder}/`) ?? false;
  }

  /** Returns the number of the first entry that does not come before `path`. */
  #first(path: string): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle] as IndexedEntry).path < path) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Returns the entries of a bundle in memory, indexed. */
export function indexBundle(entries: readonly BundleEntry[], isCode: (data: Buffer) => boolean): FileIndex {
  return new FileIndex(
    entries.map((entry) => {
      if ('symlink' in entry) return { path: entry.path, symlink: entry.symlink };
      const { path, data } = entry;
      const digest = (name: string) => createHash(name).update(data).digest();
      const content = isDocument(path) ? data : undefined;
      return { path, sha1: digest('sha1'), sha256: digest('sha256'), code: isCode(data), content };
    }),
  );
}

/** Returns the folders above a path, the outermost first: `a/b/c` has `a` and `a/b`. */
export function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let end = path.indexOf('/'); end > 0; end = path.indexOf('/', end + 1)) folders.push(path.slice(0, end));
  return folders;
}
