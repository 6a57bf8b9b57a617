import type { PayloadEntry } from '../tree/entry.ts';
import type { BomArchitecture } from '../tree/file-facts.ts';

/** What a Bom says about one path. */
export interface BomRecord {
  /** `.` or `./a/b`, as in the payload. */
  readonly path: string;
  readonly kind: PayloadEntry['kind'];
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeSeconds: number;
  /** Bytes: of a file; of a link's target; for a directory what the file system says (`directorySize`). */
  readonly size: number;
  /** POSIX cksum of a file's contents or of a link's target. */
  readonly cksum?: number;
  readonly linkTarget?: string;
  /** For Mach-O files. One that is as large as the file makes it thin; else it is fat. */
  readonly architectures?: readonly BomArchitecture[];
  /** The path is listed, its metadata are not to be applied (AppleDouble files; the root of `pkgbuild --component`). */
  readonly pathOnly?: boolean;
}

/** Bytes that one architecture takes in all files; cpuType 0 stands for all that is not Mach-O. */
export interface BomTotal {
  readonly cpuType: number;
  /** Modulo 2^32. */
  readonly size: number;
}

/** A Bom file, read. */
export interface Bom {
  /** In the order of the file's tree; sorted by folder and name where `sorted` says so. */
  readonly records: readonly BomRecord[];
  readonly totals: readonly BomTotal[];
  /** Whether keys are in the order that a search through the tree needs. */
  readonly sorted: boolean;
  /** Blocks in use that nothing refers to; Apple's tools leave four a path. */
  readonly orphanBlocks: number;
}

/**
 * Returns the size that APFS reports for a directory, in bytes; Bom and installKBytes both count it.
 *
 * @param children entries directly in it
 * @see observed in Boms made by pkgbuild on macOS 10.13 and later
 * @example directorySize(3) // 160
 */
export function directorySize(children: number): number {
  return 32 * (2 + children);
}
