import { UsageError } from '../base/errors.ts';
import {
  baseName,
  checkEntries,
  countChildren,
  FILE_TYPE_BITS,
  type FileEntry,
  type PayloadEntry,
} from '../tree/entry.ts';
import { FactGatherer, type FileFacts } from '../tree/file-facts.ts';
import {
  COMPONENT_MAX,
  CPIO_BLOCK_SIZE,
  CPIO_FILE_SIZE_MAX,
  ODC_HEADER,
  ODC_MAGIC,
  shortCounts,
  TRAILER_NAME,
  WRITTEN_NAME_MAX,
} from './header.ts';

/** Receives the facts of each file once its data has gone by. */
export type FileObserver = (entry: FileEntry, facts: FileFacts) => void;

/**
 * Yields the entries as an odc cpio archive, padded to 512 bytes, as pkgbuild writes Payload and Scripts.
 *
 * Every file is read once; what its Bom record needs is gathered from that reading. Symbolic links have their target as data. Order is
 * that of `checkEntries`. The memory of a chunk is used again once the next but one is asked for.
 *
 * @param entries a tree with its root; see `checkEntries`
 * @param observe called for every file, in archive order
 * @throws UsageError `ENTRY_INVALID` for a broken tree, `ENTRY_TOO_LARGE` from 8 GiB on for a name or link target
 *   beyond what macOS can lay down (1,023 bytes, 255 units a component), before anything is yielded; whatever a source throws
 * @example for await (const chunk of writeCpio(entries, (entry, facts) => sums.set(entry.path, facts))) ...
 */
export async function* writeCpio(
  entries: readonly PayloadEntry[],
  observe: FileObserver = () => undefined,
): AsyncGenerator<Buffer> {
  const sorted = checkEntries(entries);
  for (const entry of sorted) checkLimits(entry);
  const children = countChildren(sorted);
  const staging = new Staging();
  for (let index = 0; index < sorted.length; index++) {
    const entry = sorted[index] as PayloadEntry;
    const nlink = entry.kind === 'directory' ? 2 + (children.get(entry.path) ?? 0) : 1;
    // No `yield*`: it waits for a promise also where there is nothing to yield.
    for (const full of staging.add(encodeEntry(entry, index, nlink))) yield full;
    if (entry.kind !== 'file') continue;
    const copy = new FileCopy(entry, staging);
    const { source } = entry;
    if (source.chunksNow) for (const chunk of source.chunksNow()) for (const full of copy.add(chunk)) yield full;
    else for await (const chunk of source.chunks()) for (const full of copy.add(chunk)) yield full;
    observe(entry, copy.finish());
  }
  yield* staging.add(encodeTrailer(sorted.length));
  yield* staging.add(Buffer.alloc((CPIO_BLOCK_SIZE - (staging.total % CPIO_BLOCK_SIZE)) % CPIO_BLOCK_SIZE));
  yield* staging.flush();
}

/** Puts the contents of one file into the archive, and gathers its facts on the way. */
class FileCopy {
  readonly #entry: FileEntry;
  readonly #staging: Staging;
  readonly #gatherer: FactGatherer;

  constructor(entry: FileEntry, staging: Staging) {
    this.#entry = entry;
    this.#staging = staging;
    this.#gatherer = new FactGatherer(entry.source.size);
  }

  add(chunk: Buffer): readonly Buffer[] {
    this.#gatherer.update(chunk);
    // A source without an end must not fill the disk before it is noticed.
    if (this.#gatherer.seen > this.#entry.source.size) throw changed(this.#entry, this.#gatherer.seen);
    return this.#staging.add(chunk);
  }

  finish(): FileFacts {
    const facts = this.#gatherer.finish();
    if (facts.size !== this.#entry.source.size) throw changed(this.#entry, facts.size);
    return facts;
  }
}

function changed({ path, source }: FileEntry, found: number): UsageError {
  const problem = `payload entry ${JSON.stringify(path)}: expected ${source.size} bytes, found ${found}`;
  return new UsageError('ENTRY_CHANGED', problem, { hint: 'The file changed while it was packaged. Run again.' });
}

function checkLimits(entry: PayloadEntry): void {
  const demand = (what: string, size: number, max: number, unit: string): void => {
    if (size <= max) return;
    const problem = `payload entry ${JSON.stringify(entry.path.slice(0, 200))}: expected ${what} of at most ${max} ${unit}, found ${size}`;
    throw new UsageError('ENTRY_TOO_LARGE', problem);
  };
  if (entry.kind === 'file') demand('a file', entry.source.size, CPIO_FILE_SIZE_MAX, 'bytes');
  if (entry.kind === 'symlink') demand('a link target', Buffer.byteLength(entry.target), WRITTEN_NAME_MAX, 'bytes');
  demand('a name', Buffer.byteLength(entry.path), WRITTEN_NAME_MAX, 'bytes');
  demand('a last component', baseName(entry.path).length, COMPONENT_MAX, 'UTF-16 units');
}

function encodeEntry(entry: PayloadEntry, index: number, nlink: number): Buffer {
  const target = entry.kind === 'symlink' ? entry.target : '';
  const nameSize = Buffer.byteLength(entry.path) + 1;
  const data = Buffer.allocUnsafe(ODC_HEADER.size + nameSize + Buffer.byteLength(target));
  ODC_HEADER.encodeInto(data, 0, {
    magic: ODC_MAGIC,
    dev: 0,
    ...shortCounts(index, nlink),
    mode: FILE_TYPE_BITS[entry.kind] | entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    rdev: 0,
    mtime: entry.mtimeSeconds,
    nameSize,
    fileSize: entry.kind === 'file' ? entry.source.size : Buffer.byteLength(target),
  });
  data.write(`${entry.path}\0${target}`, ODC_HEADER.size);
  return data;
}

/** The trailer's ino goes on counting; everything else is zero but nlink. Observed in every archive made by pkgbuild. */
function encodeTrailer(index: number): Buffer {
  const name = Buffer.from(`${TRAILER_NAME}\0`);
  const zero = { dev: 0, mode: 0, uid: 0, gid: 0, rdev: 0, mtime: 0, fileSize: 0 };
  const counts = shortCounts(index, 1);
  return Buffer.concat([ODC_HEADER.encode({ ...zero, magic: ODC_MAGIC, ...counts, nameSize: name.length }), name]);
}

const NONE: readonly Buffer[] = [];

/** Joins small pieces into larger buffers; large ones pass through uncopied. */
class Staging {
  static readonly SIZE = 64 * 1024;
  static readonly SMALL = 8 * 1024;
  /** Two in turn: the one that was yielded is read while the other is filled. */
  #buffer = Buffer.allocUnsafeSlow(Staging.SIZE);
  #other = Buffer.allocUnsafeSlow(Staging.SIZE);
  #used = 0;
  /** Bytes added so far. */
  total = 0;

  /** Returns the buffers that are full now, mostly none. */
  add(piece: Buffer): readonly Buffer[] {
    this.total += piece.length;
    if (piece.length > Staging.SMALL) return [...this.flush(), piece];
    const full = this.#used + piece.length > Staging.SIZE ? this.flush() : NONE;
    this.#used += piece.copy(this.#buffer, this.#used);
    return full;
  }

  flush(): readonly Buffer[] {
    if (this.#used === 0) return NONE;
    const full = this.#buffer.subarray(0, this.#used);
    [this.#buffer, this.#other] = [this.#other, this.#buffer];
    this.#used = 0;
    return [full];
  }
}
