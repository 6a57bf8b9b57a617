import { UsageError } from '../base/errors.ts';
import { countChildren, invalidEntry, type PayloadEntry } from '../tree/entry.ts';
import type { FileFacts } from '../tree/file-facts.ts';
import { type BomRecord, directorySize } from './bom.ts';

/**
 * Returns the Bom records of a payload.
 *
 * @param entries as given to `writeCpio`
 * @param facts of each file, by path, as its observer received them
 * @throws UsageError `ENTRY_INVALID` when a file has no facts
 * @example
 * const facts = new Map();
 * const archive = writeCpio(entries, (entry, found) => facts.set(entry.path, found));
 * // ... once the archive is written:
 * encodeBom(bomRecords(entries, facts))
 */
export function bomRecords(entries: readonly PayloadEntry[], facts: ReadonlyMap<string, FileFacts>): BomRecord[] {
  const children = countChildren(entries);
  return entries.map((entry) => {
    const { path, kind, mode, uid, gid, mtimeSeconds } = entry;
    if (entry.kind === 'directory')
      return { path, kind, mode, uid, gid, mtimeSeconds, size: directorySize(children.get(path) ?? 0) };
    if (entry.kind === 'symlink') {
      const { target: linkTarget } = entry;
      return { path, kind, mode, uid, gid, mtimeSeconds, size: Buffer.byteLength(linkTarget), linkTarget };
    }
    const found = facts.get(path);
    if (!found) throw invalidEntry(path, 'it was not read');
    const { size, cksum, macho } = found;
    const record = { path, kind, mode, uid, gid, mtimeSeconds, size, cksum };
    return macho ? { ...record, architectures: macho.architectures } : record;
  });
}

/**
 * Throws UsageError `ENTRY_TOO_LARGE` for a file that a Bom cannot list, from 4 GiB on (Size64 is not written); asked before the
 * payload is read, which takes minutes then.
 */
export function checkBomSizes(entries: readonly PayloadEntry[]): void {
  for (const entry of entries) {
    if (entry.kind !== 'file' || entry.source.size < 2 ** 32) continue;
    const problem = `payload entry ${JSON.stringify(entry.path)}: expected less than 4 GiB, found ${entry.source.size} bytes`;
    throw new UsageError('ENTRY_TOO_LARGE', problem);
  }
}
