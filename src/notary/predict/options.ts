import type { Trust } from '../../pki/x509/apple-roots.ts';

/** How a package is checked. */
export interface PredictOptions {
  /** Name of the archive, with which every path begins. */
  readonly archiveName: string;
  /** Whose Developer ID certificates and timestamps count. */
  readonly trust: Trust;
  /** Checks certificates of signatures without a trusted timestamp. */
  readonly now: Date;
}
