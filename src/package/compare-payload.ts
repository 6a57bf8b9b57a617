import type { BomRecord } from '../bom/bom.ts';
import type { CpioEntry } from '../cpio/read.ts';
import { FactGatherer, type FileFacts } from '../tree/file-facts.ts';

/** What a payload holds, as found by reading it whole. */
export interface PayloadFacts {
  readonly entries: number;
  /** Bytes of all files. */
  readonly bytes: number;
  /** In how many ways it differs from its Bom; each names the path, what the Bom says and what the payload holds. */
  readonly differences: readonly string[];
}

/**
 * Reads a payload whole and compares every entry with its Bom record: kind, mode, owner, time, size, checksum, link target.
 *
 * Path-only records (AppleDouble files, the root of `pkgbuild --component`) are compared by their path alone.
 *
 * @param records of the Bom; without any only counts are returned
 */
export async function comparePayload(
  payload: AsyncIterable<CpioEntry>,
  records: readonly BomRecord[] | undefined,
): Promise<PayloadFacts> {
  const expected = new Map(records?.map((record) => [record.path, record]));
  const differences: string[] = [];
  let entries = 0;
  let bytes = 0;
  for await (const entry of payload) {
    entries++;
    const gatherer = new FactGatherer(entry.header.fileSize);
    const parts: Buffer[] = [];
    for await (const chunk of entry.data) {
      gatherer.update(chunk);
      if (entry.kind === 'symlink') parts.push(Buffer.from(chunk));
    }
    const facts = gatherer.finish();
    if (entry.kind === 'file') bytes += facts.size;
    if (!records) continue;
    const record = expected.get(entry.path);
    expected.delete(entry.path);
    if (!record) differences.push(`${entry.path}: in the payload, not in the Bom`);
    else if (!record.pathOnly)
      differences.push(...differencesOf(entry, facts, Buffer.concat(parts).toString(), record));
  }
  for (const path of expected.keys()) differences.push(`${path}: in the Bom, not in the payload`);
  return { entries, bytes, differences };
}

function differencesOf(entry: CpioEntry, facts: FileFacts, target: string, record: BomRecord): string[] {
  const pairs: (readonly [string, unknown, unknown])[] = [
    ['kind', record.kind, entry.kind],
    ['mode', octal(record.mode), octal(entry.mode)],
    ['uid', record.uid, entry.header.uid],
    ['gid', record.gid, entry.header.gid],
    ['mtime', record.mtimeSeconds, entry.header.mtimeSeconds],
  ];
  // The size of a directory is that of the builder's file system; cpio has none.
  if (entry.kind !== 'directory') {
    pairs.push(['size', record.size, facts.size], ['cksum', record.cksum, facts.cksum]);
  }
  if (entry.kind === 'symlink') pairs.push(['target', record.linkTarget, target]);
  if (entry.kind === 'file' && record.architectures) {
    pairs.push([
      'architectures',
      JSON.stringify(record.architectures),
      JSON.stringify(facts.macho?.architectures ?? []),
    ]);
  }
  return pairs
    .filter(([, inBom, inPayload]) => inBom !== inPayload)
    .map(([what, inBom, inPayload]) => `${entry.path}: ${what} ${inBom} in the Bom, ${inPayload} in the payload`);
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
