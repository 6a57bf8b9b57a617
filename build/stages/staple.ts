import { relative } from 'node:path';
import type { StapledProduct, Stapler } from '../../src/toolchain/toolchain.ts';
import type { NotaryConnection } from '../notary/connection.ts';
import { extrasWith, type Manifest } from '../plan/manifest.ts';
import type { StageContext, StageResult } from '../run.ts';
import type { NotarizedPackages } from './notarize.ts';

/** Packages that carry their tickets: Macs accept them without asking Apple. */
export interface StapledPackages {
  readonly kind: 'stapled-packages';
  /** The product. */
  readonly path: string;
  /** Of the product, hex. */
  readonly sha256: string;
}

/** The stand-in's tickets are there at once, or nearly so. */
const REHEARSAL_PAUSE_MS = 100;

/** Fetches the ticket of each package and appends it. */
export async function staplePackages(
  { paths }: NotarizedPackages,
  stapler: Stapler,
  { mode }: Pick<NotaryConnection, 'mode'>,
  { plan, progress, signal, again }: Pick<StageContext, 'plan' | 'progress' | 'signal' | 'again'>,
  manifest: Pick<Manifest, 'files' | 'extras'>,
): Promise<StageResult<StapledPackages>> {
  const stapled: StapledProduct[] = [];
  for (const path of paths) {
    stapled.push(
      await stapler.staple(
        { path },
        {
          tell: progress.update,
          goOn: `Apple accepted the package; only its ticket is late. To go on: ${again}`,
          signal,
          ...(mode === 'rehearsal' && { pauseMs: REHEARSAL_PAUSE_MS }),
        },
      ),
    );
  }
  const [product, ...extras] = stapled as [StapledProduct, ...StapledProduct[]];
  const nameOf = ({ path }: StapledProduct) => relative(plan.outFolder, path);
  const ticketOf = ({ issuedAt, ticketSha256 }: StapledProduct) => ({
    issuedAt: issuedAt.toISOString(),
    sha256: ticketSha256,
  });
  const written = new Map(stapled.map((one) => [nameOf(one), { size: one.size, sha256: one.sha256 }]));
  return {
    value: { kind: 'stapled-packages', path: product.path, sha256: product.sha256 },
    summary: `${product.unchanged ? 'this ticket was stapled before' : 'ticket'} of ${product.issuedAt.toISOString()}`,
    facts: {
      files: manifest.files.map((file) => ({ ...file, ...written.get(file.path) })),
      ticket: ticketOf(product),
      extras: extras.reduce(
        (all, one) => extrasWith(all, nameOf(one), { ticket: ticketOf(one) }),
        manifest.extras ?? [],
      ),
    },
  };
}
