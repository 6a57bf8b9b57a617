import { FormatError, InterruptedError } from '../base/errors.ts';
import type { PayloadEntry } from '../tree/entry.ts';

/** What a package may be unpacked to. */
export interface ExpandLimits {
  /** Most bytes on the disk, each entry counted in whole blocks; `defaultMaxBytes` unless told. */
  readonly maxBytes?: number | undefined;
  /** The disk tells names apart that differ in capitals or in Unicode normalisation only, as Linux does; no unless told. */
  readonly caseSensitive?: boolean | undefined;
}

/** Receives the content of a package, entry by entry. */
export interface TreeVisitor {
  directory(path: string, mode: number, mtime?: number): Promise<void>;
  file(path: string, mode: number, content: AsyncIterable<Buffer>, mtime?: number): Promise<void>;
  symlink(path: string, target: string, mtime?: number): Promise<void>;
}

/** Space that an entry takes at least, in bytes: one block of most file systems. */
const BLOCK_SIZE = 4096;
/** Unpacked size that needs no excuse, in bytes. */
const SMALL = 4 * 2 ** 30;
/** Deflate reaches 1,032 to 1 (RFC 1951); programs, pictures and texts stay below a tenth of this. */
const RATIO_MAX = 100;

/** Returns the most bytes that a package of `packageSize` bytes may take when unpacked: 4 GiB, or 100 times its size if that is more. */
export function defaultMaxBytes(packageSize: number): number {
  return Math.max(SMALL, packageSize * RATIO_MAX);
}

/**
 * Goes through a package as if it unpacked it, so that what must be refused is found before anything is written.
 *
 * Its methods throw FormatError `EXPAND_UNSAFE` for a path that is taken or lies below what is no folder, `EXPAND_COLLISION` for
 * names that a Mac's usual file system takes for one, `EXPAND_TOO_LARGE`.
 */
export class Surveyor implements TreeVisitor {
  /** Bytes that the entries seen so far take on a disk. */
  bytes = 0;
  readonly #maxBytes: number;
  readonly #key: (path: string) => string;
  readonly #signal: AbortSignal;
  readonly #seen = new Map<string, { readonly path: string; readonly kind: PayloadEntry['kind'] }>();

  constructor(maxBytes: number, caseSensitive: boolean, signal: AbortSignal) {
    this.#maxBytes = maxBytes;
    this.#key = caseSensitive ? (path) => path : foldedName;
    this.#signal = signal;
  }

  async directory(path: string): Promise<void> {
    this.#claim(path, 'directory');
  }

  async file(path: string, _mode: number, content: AsyncIterable<Buffer>): Promise<void> {
    this.#claim(path, 'file');
    let size = 0;
    for await (const chunk of content) {
      if (this.#signal.aborted) throw new InterruptedError();
      size += chunk.length;
      if (size > BLOCK_SIZE) this.#checkSize(size);
    }
    this.bytes += Math.max(0, Math.ceil(size / BLOCK_SIZE) - 1) * BLOCK_SIZE;
  }

  async symlink(path: string): Promise<void> {
    this.#claim(path, 'symlink');
  }

  #claim(path: string, kind: PayloadEntry['kind']): void {
    if (this.#signal.aborted) throw new InterruptedError();
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (parent !== '') this.#claimFolder(parent, path);
    const key = this.#key(path);
    const found = this.#seen.get(key);
    if (found && found.path !== path) throw collision(found.path, path);
    if (found && !(found.kind === 'directory' && kind === 'directory')) throw unsafe(path);
    if (found) return;
    this.#seen.set(key, { path, kind });
    this.bytes += BLOCK_SIZE;
    this.#checkSize(0);
  }

  /** The folder of an entry need not be listed itself; the usual one was seen already. */
  #claimFolder(folder: string, path: string): void {
    const found = this.#seen.get(this.#key(folder));
    if (found?.path === folder && found.kind !== 'directory') throw unsafe(path);
    if (found?.path !== folder) this.#claim(folder, 'directory');
  }

  #checkSize(more: number): void {
    if (this.bytes + more <= this.#maxBytes) return;
    const problem = `expected at most ${this.#maxBytes} bytes when unpacked, found more`;
    throw new FormatError('EXPAND_TOO_LARGE', 'flat package', 0, problem, {
      hint: 'It may be made to fill disks. If it is honest, run again with a --max-size that is large enough, such as 50G.',
    });
  }
}

/**
 * Returns the same text for paths that name one file on a Mac: its file systems do not tell Unicode normalisations apart, and
 * only those formatted as case-sensitive tell capitals.
 *
 * Case is folded character by character, as HFS Plus and APFS do: `ß` is not `ss`.
 */
export function foldedName(path: string): string {
  if (/^[\x00-\x7f]*$/.test(path)) return path.toLowerCase();
  return Array.from(path.normalize('NFD'), foldedCharacter).join('');
}

function foldedCharacter(character: string): string {
  const capital = character.toUpperCase();
  return (Array.from(capital).length === 1 ? capital : character).toLowerCase();
}

function collision(first: string, second: string): FormatError {
  const problem = `expected names that differ on every Mac, found ${JSON.stringify(first)} and ${JSON.stringify(second)}`;
  return new FormatError('EXPAND_COLLISION', 'flat package', 0, problem, {
    hint: 'On a Mac the second would replace the first. To look at both on a disk that keeps them apart: --case-sensitive.',
  });
}

/** Returns the error for an entry at a path that is taken, or below what is no folder. */
export function unsafe(path: string, cause?: unknown): FormatError {
  const problem = `expected a free place for ${JSON.stringify(path)}, found another entry there or above it`;
  return new FormatError('EXPAND_UNSAFE', 'flat package', 0, problem, {
    cause,
    hint: 'The package names a path twice, or puts something below what is no folder. Do not install it.',
  });
}
