import { relative } from 'node:path';
import type { Stapler } from '../../src/toolchain/toolchain.ts';
import type { NotaryConnection } from '../notary/connection.ts';
import type { Manifest } from '../plan/manifest.ts';
import type { StageContext, StageResult } from '../run.ts';
import type { NotarizedPackage } from './notarize.ts';

/** A package that carries its ticket: Macs accept it without asking Apple. */
export interface StapledPackage {
  readonly kind: 'stapled-package';
  readonly path: string;
  /** Hex. */
  readonly sha256: string;
}

/** The stand-in's tickets are there at once, or nearly so. */
const REHEARSAL_PAUSE_MS = 100;

/** Fetches the ticket and appends it to the package. */
export async function staplePackages(
  notarized: NotarizedPackage,
  stapler: Stapler,
  { mode }: Pick<NotaryConnection, 'mode'>,
  { plan, progress, signal }: Pick<StageContext, 'plan' | 'progress' | 'signal'>,
  files: Manifest['files'],
): Promise<StageResult<StapledPackage>> {
  const { path } = notarized;
  const { size, sha256, issuedAt, ticketSha256, unchanged } = await stapler.staple(notarized, {
    tell: progress.update,
    goOn: 'Apple accepted the package; only its ticket is late. To go on: npm start -- --resume',
    signal,
    ...(mode === 'rehearsal' && { pauseMs: REHEARSAL_PAUSE_MS }),
  });
  const name = relative(plan.outFolder, path);
  return {
    value: { kind: 'stapled-package', path, sha256 },
    words: `${unchanged ? 'this ticket was stapled before' : 'ticket'} of ${issuedAt.toISOString()}`,
    facts: {
      files: files.map((file) => (file.path === name ? { ...file, size, sha256 } : file)),
      ticket: { issuedAt: issuedAt.toISOString(), sha256: ticketSha256 },
    },
  };
}
