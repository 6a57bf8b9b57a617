import type { ByteSource } from '../base/bytes.ts';
import { UsageError } from '../base/errors.ts';

/** What every entry of a payload has. */
interface EntryFacts {
  /** `.` for the root, else `./a/b`: the name as it stands in the archive, its UTF-8 bytes kept as they are (NFC or NFD). */
  readonly path: string;
  /** Permission bits with setuid, setgid and sticky, 0 to 0o7777; no file type. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtimeSeconds: number;
}

export interface DirectoryEntry extends EntryFacts {
  readonly kind: 'directory';
}

export interface FileEntry extends EntryFacts {
  readonly kind: 'file';
  /** Contents; read once. */
  readonly source: ByteSource;
}

export interface SymlinkEntry extends EntryFacts {
  readonly kind: 'symlink';
  /** What the link says, taken as it is and never followed. */
  readonly target: string;
}

/** One thing that a payload lays down. */
export type PayloadEntry = DirectoryEntry | FileEntry | SymlinkEntry;

/** File type bits of st_mode by kind, and the number Bom records use. Source: sys/stat.h. */
export const FILE_TYPE_BITS = { file: 0o100000, directory: 0o040000, symlink: 0o120000 } as const;

/**
 * Returns the entries parent-first, siblings by the bytes of their names, each folder followed by what it holds.
 *
 * @throws UsageError `ENTRY_INVALID`, naming the path, when the entries are not a tree: `.` missing, a parent missing or no
 *   directory, the same path twice, a name that is empty, `.`, `..`, absolute, holds NUL or is not valid Unicode, a number out of
 *   range, or a link without target. Names that differ only in Unicode normalisation are different names.
 * @example checkEntries([{ kind: 'directory', path: '.', mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 1700000000 }])
 */
export function checkEntries(entries: readonly PayloadEntry[]): PayloadEntry[] {
  for (const entry of entries) {
    const problem = factProblem(entry);
    if (problem !== undefined) throw invalidEntry(entry.path, problem);
  }
  return sortTree(entries);
}

/** Returns the items in the order of `checkEntries`; throws as it does unless their paths are those of one tree. */
export function sortTree<T extends Pick<PayloadEntry, 'path' | 'kind'>>(items: readonly T[]): T[] {
  for (const { path } of items) {
    const problem = pathProblem(path);
    if (problem !== undefined) throw invalidEntry(path, problem);
  }
  const sorted = sortByPath(items);
  if (sorted[0]?.path !== '.' || sorted[0].kind !== 'directory')
    throw invalidEntry('.', 'the root directory is missing');
  // The folders that lead to the item before; that of the next one is among them.
  const open = ['.'];
  let before = '.';
  for (let index = 1; index < sorted.length; index++) {
    const { path, kind } = sorted[index] as T;
    if (path === before) throw invalidEntry(path, 'it is there twice');
    before = path;
    const parent = parentPath(path);
    while (open.length > 0 && open.at(-1) !== parent) open.pop();
    if (open.length === 0) {
      const found = items.find((item) => item.path === parent)?.kind ?? 'missing';
      throw invalidEntry(path, `its parent ${JSON.stringify(parent)} is ${found}`);
    }
    if (kind === 'directory') open.push(path);
  }
  return sorted;
}

function sortByPath<T extends Pick<PayloadEntry, 'path'>>(items: readonly T[]): T[] {
  // Mostly they have been sorted before, and a key for each would take more time and memory than all else here.
  const isSorted = items.every(({ path }, index) => index === 0 || isAfter(path, (items[index - 1] as T).path));
  if (isSorted) return [...items];
  const keyed = items.map((item) => ({ item, key: sortKey(item.path) }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key))).map(({ item }) => item);
}

/** Siblings differ in their names alone; a name in ASCII sorts beside any other as it is. */
function isAfter(path: string, before: string): boolean {
  const start = path.lastIndexOf('/');
  const areSiblings = start === before.lastIndexOf('/') && before.startsWith(path.slice(0, start + 1));
  if (areSiblings && !NOT_ASCII.test(path)) return path > before;
  return sortKey(path) > sortKey(before);
}

/**
 * Returns text that sorts as the bytes of `path` do, one character a byte. A separator below every other byte keeps a folder's content
 * together and before siblings such as "./a b" after "./a".
 */
function sortKey(path: string): string {
  return Buffer.from(path.replaceAll('/', '\0')).toString('latin1');
}

const NOT_ASCII = /[^\0-\x7f]/;

/** Returns how many entries each directory holds directly; directories that hold none are left out. */
export function countChildren(items: readonly { readonly path: string }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { path } of items) {
    if (path === '.') continue;
    const parent = parentPath(path);
    counts.set(parent, (counts.get(parent) ?? 0) + 1);
  }
  return counts;
}

/** Returns the path of the directory that holds `path`; the root has none and gives itself. */
export function parentPath(path: string): string {
  return path === '.' ? '.' : path.slice(0, path.lastIndexOf('/'));
}

/** Returns the last component of `path`, `.` for the root. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/**
 * Returns what is wrong with a path of an entry, or undefined.
 *
 * @param path expected as `.` or `./a/b`
 */
export function pathProblem(path: string): string | undefined {
  if (path === '.') return undefined;
  if (!path.startsWith('./')) return 'a path must be "." or begin with "./"';
  if (path.includes('\0')) return 'a path must not hold NUL';
  if (LONE_SURROGATE.test(path)) return 'a path must be valid Unicode';
  const component = NO_COMPONENT.exec(path.slice(2))?.[2];
  if (component === '') return 'a path must not have an empty component';
  return component && `a path must not have the component "${component}"`;
}

/** Nothing, `.` or `..` where a component should be. */
const NO_COMPONENT = /(^|\/)(\.{0,2})(?=\/|$)/;

/** Half of a character beyond U+FFFF: text with one has no UTF-8 form. */
const LONE_SURROGATE = /\p{Surrogate}/u;
/** 18 bits: what an odc header's six octal digits hold. */
const ID_MAX = 0o777777;
/** Bom records hold unsigned 32 bits. */
const MTIME_MAX = 0xffffffff;

function factProblem(entry: PayloadEntry): string | undefined {
  const problem =
    numberProblem('mode', entry.mode, 0o7777) ??
    numberProblem('uid', entry.uid, ID_MAX) ??
    numberProblem('gid', entry.gid, ID_MAX) ??
    numberProblem('mtimeSeconds', entry.mtimeSeconds, MTIME_MAX);
  if (problem !== undefined || entry.kind !== 'symlink') return problem;
  if (entry.target === '') return 'a symbolic link must have a target';
  if (entry.target.includes('\0') || LONE_SURROGATE.test(entry.target))
    return 'a target must be valid Unicode without NUL';
  return undefined;
}

function numberProblem(name: string, value: number, max: number): string | undefined {
  if (Number.isInteger(value) && value >= 0 && value <= max) return undefined;
  return `${name} must be 0 to ${max}, not ${value}`;
}

/** Returns the error for one bad entry. */
export function invalidEntry(path: string, problem: string): UsageError {
  return new UsageError('ENTRY_INVALID', `payload entry ${JSON.stringify(path)}: ${problem}`);
}
