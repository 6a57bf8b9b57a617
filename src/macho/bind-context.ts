/** What the tables of an image are held against. */
export interface BindContext {
  readonly segments: readonly MappedSegment[];
  /** Libraries it links: the largest ordinal that names one. */
  readonly dylibCount: number;
  /** Fixups may only be in segments that are writable and not executable: enforced by the SDK it was built with. */
  readonly onlyInData: boolean;
}

/** A segment as dyld maps it. */
export interface MappedSegment {
  readonly name: string;
  /** Bytes in memory. */
  readonly size: bigint;
  readonly vmAddress: bigint;
  readonly writable: boolean;
  readonly executable: boolean;
}
