import type { BomRecord } from '../bom/bom.ts';
import { baseName } from '../tree/entry.ts';

/** The two numbers of PackageInfo's `payload` element. */
export interface PayloadCounters {
  /** Entries of the payload with its root. */
  readonly numberOfFiles: number;
  /** Space it takes, in KiB. */
  readonly installKBytes: number;
}

/** Bytes that sizes are rounded up to. */
const BLOCK_SIZE = 512;

/**
 * Returns the counters as `pkgbuild --root` writes them.
 *
 * Every record but the root and AppleDouble files (`._name`, path only) counts with its size rounded up to 512 bytes; the sum is rounded up
 * to KiB.
 *
 * @see observed in 18 packages made by pkgbuild from macOS 10.12 to 15
 * @example payloadCounters([root, folder, file]) // { numberOfFiles: 3, installKBytes: 1 }
 */
export function payloadCounters(records: readonly BomRecord[]): PayloadCounters {
  let blocks = 0;
  for (const { path, size, pathOnly } of records) {
    if (path === '.' || (pathOnly && baseName(path).startsWith('._'))) continue;
    blocks += Math.ceil(size / BLOCK_SIZE);
  }
  return { numberOfFiles: records.length, installKBytes: Math.ceil((blocks * BLOCK_SIZE) / 1024) };
}
