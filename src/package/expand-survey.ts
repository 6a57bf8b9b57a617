import { FormatError, InterruptedError } from '../base/errors.ts';
import type { PayloadEntry } from '../tree/entry.ts';
import { PathSurvey } from './path-survey.ts';

/** What a package may be unpacked to. */
export interface ExpandLimits {
  /** Most bytes on the disk, each entry counted in whole blocks; `defaultMaxBytes` by default. */
  readonly maxBytes?: number | undefined;
  /** The disk tells names apart that differ in capitals or in Unicode normalisation only, as Linux does; no by default. */
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
 * Its methods throw FormatError `EXPAND_UNSAFE` for a path that is taken or lies below what is not a folder, `EXPAND_COLLISION` for
 * names that a Mac's usual file system takes for one, `EXPAND_TOO_LARGE`.
 */
export class Surveyor implements TreeVisitor {
  /** Bytes that the entries seen so far take on a disk. */
  bytes = 0;
  readonly #maxBytes: number;
  readonly #paths: PathSurvey;
  readonly #signal: AbortSignal;

  constructor(maxBytes: number, caseSensitive: boolean, signal: AbortSignal) {
    this.#maxBytes = maxBytes;
    this.#paths = new PathSurvey(caseSensitive);
    this.#signal = signal;
  }

  async directory(path: string): Promise<void> {
    this.#claim(path, 'directory');
  }

  async file(path: string, _mode: number, content: AsyncIterable<Buffer>): Promise<void> {
    this.#claim(path, 'file');
    // Its first block was counted with its name.
    let size = 0;
    let more = 0;
    for await (const chunk of content) {
      if (this.#signal.aborted) throw new InterruptedError();
      size += chunk.length;
      more = Math.max(0, Math.ceil(size / BLOCK_SIZE) - 1) * BLOCK_SIZE;
      this.#checkSize(more);
    }
    this.bytes += more;
  }

  async symlink(path: string): Promise<void> {
    this.#claim(path, 'symlink');
  }

  #claim(path: string, kind: PayloadEntry['kind']): void {
    if (this.#signal.aborted) throw new InterruptedError();
    const added = this.#paths.claim(path, kind);
    this.bytes += added * BLOCK_SIZE;
    this.#checkSize(0);
  }

  #checkSize(more: number): void {
    if (this.bytes + more <= this.#maxBytes) return;
    const problem = `expected at most ${this.#maxBytes} bytes when unpacked, found more`;
    throw new FormatError('EXPAND_TOO_LARGE', 'flat package', 0, problem, {
      hint: 'It may be made to fill disks. If it is honest, run again with a --max-size that is large enough, such as 50G.',
    });
  }
}
