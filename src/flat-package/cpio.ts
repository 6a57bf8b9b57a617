import { UsageError } from '../base/errors.ts';
import {
  CPIO_BLOCK_SIZE,
  CPIO_FILE_SIZE_MAX,
  ODC_HEADER,
  ODC_MAGIC,
  ODC_SHORT_MAX,
  TRAILER_NAME,
} from './cpio-header.ts';
import { checkEntries, countChildren, FILE_TYPE_BITS, type FileEntry, type PayloadEntry } from './entry.ts';
import { FactGatherer, type FileFacts } from './file-facts.ts';

/** Told the facts of each file once its data has gone by. */
export type FileObserver = (entry: FileEntry, facts: FileFacts) => void;

/**
 * Yields the entries as an odc cpio archive, padded to 512 bytes, as pkgbuild writes Payload and Scripts.
 *
 * Every file is read once; what its Bom record needs is gathered from that reading. Symbolic links have their target as data. Order is
 * that of `checkEntries`.
 *
 * @param entries a tree with its root; see `checkEntries`
 * @param observe called for every file, in archive order
 * @throws UsageError `ENTRY_INVALID` for a broken tree, `ENTRY_TOO_LARGE` from 8 GiB on or for a name beyond 262,142 bytes, before
 *   anything is yielded; whatever a source throws
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
  for (const [index, entry] of sorted.entries()) {
    const nlink = entry.kind === 'directory' ? 2 + (children.get(entry.path) ?? 0) : 1;
    yield* staging.add(encodeEntry(entry, index, nlink));
    if (entry.kind === 'file') yield* copyFile(entry, staging, observe);
  }
  yield* staging.add(encodeTrailer(sorted.length));
  yield* staging.add(Buffer.alloc((CPIO_BLOCK_SIZE - (staging.total % CPIO_BLOCK_SIZE)) % CPIO_BLOCK_SIZE));
  yield* staging.flush();
}

async function* copyFile(entry: FileEntry, staging: Staging, observe: FileObserver): AsyncGenerator<Buffer> {
  const gatherer = new FactGatherer(entry.source.size);
  for await (const chunk of entry.source.chunks()) {
    gatherer.update(chunk);
    yield* staging.add(chunk);
  }
  const facts = gatherer.finish();
  if (facts.size !== entry.source.size) {
    const problem = `payload entry ${JSON.stringify(entry.path)}: expected ${entry.source.size} bytes, found ${facts.size}`;
    throw new UsageError('ENTRY_CHANGED', problem, { hint: 'The file changed while it was packaged. Run again.' });
  }
  observe(entry, facts);
}

/** Bytes of an entry's data. */
function dataSize(entry: PayloadEntry): number {
  if (entry.kind === 'directory') return 0;
  return entry.kind === 'file' ? entry.source.size : Buffer.byteLength(entry.target);
}

function checkLimits(entry: PayloadEntry): void {
  const limits = [
    ['file', dataSize(entry), CPIO_FILE_SIZE_MAX],
    ['name', Buffer.byteLength(entry.path) + 1, ODC_SHORT_MAX],
  ] as const;
  for (const [what, size, max] of limits) {
    if (size <= max) continue;
    const problem = `payload entry ${JSON.stringify(entry.path.slice(0, 200))}: expected a ${what} of at most ${max} bytes, found ${size}`;
    throw new UsageError('ENTRY_TOO_LARGE', problem);
  }
}

function encodeEntry(entry: PayloadEntry, index: number, nlink: number): Buffer {
  const name = Buffer.from(`${entry.path}\0`);
  const header = ODC_HEADER.encode({
    magic: ODC_MAGIC,
    dev: 0,
    ino: index & ODC_SHORT_MAX,
    mode: FILE_TYPE_BITS[entry.kind] | entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    nlink: Math.min(nlink, ODC_SHORT_MAX),
    rdev: 0,
    mtime: entry.mtimeSeconds,
    nameSize: name.length,
    fileSize: dataSize(entry),
  });
  return Buffer.concat(entry.kind === 'symlink' ? [header, name, Buffer.from(entry.target)] : [header, name]);
}

/** The trailer's ino goes on counting; everything else is zero but nlink. Observed in every archive made by pkgbuild. */
function encodeTrailer(index: number): Buffer {
  const name = Buffer.from(`${TRAILER_NAME}\0`);
  const zero = { dev: 0, mode: 0, uid: 0, gid: 0, rdev: 0, mtime: 0, fileSize: 0 };
  const ino = index & ODC_SHORT_MAX;
  return Buffer.concat([ODC_HEADER.encode({ ...zero, magic: ODC_MAGIC, ino, nlink: 1, nameSize: name.length }), name]);
}

/** Joins small pieces into larger buffers; large ones pass through uncopied. */
class Staging {
  static readonly SIZE = 64 * 1024;
  static readonly SMALL = 8 * 1024;
  #buffer = Buffer.allocUnsafe(Staging.SIZE);
  #used = 0;
  /** Bytes added so far. */
  total = 0;

  *add(piece: Buffer): Generator<Buffer> {
    this.total += piece.length;
    if (this.#used + piece.length > Staging.SIZE || piece.length > Staging.SMALL) yield* this.flush();
    if (piece.length > Staging.SMALL) yield piece;
    else this.#used += piece.copy(this.#buffer, this.#used);
  }

  *flush(): Generator<Buffer> {
    if (this.#used === 0) return;
    yield this.#buffer.subarray(0, this.#used);
    this.#buffer = Buffer.allocUnsafe(Staging.SIZE);
    this.#used = 0;
  }
}
