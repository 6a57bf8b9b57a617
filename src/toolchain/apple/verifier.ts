import type { Check } from '../../base/check.ts';
import { InterruptedError, PipelineError } from '../../base/errors.ts';
import type { Verifier } from '../toolchain.ts';
import { checkSignature } from './pkgutil.ts';
import { assessPackage } from './spctl.ts';
import { runStapler } from './stapler.ts';

/**
 * Returns the verifier that asks the Mac itself: pkgutil, Gatekeeper and stapler. Each is needed: pkgutil knows nothing of revoked
 * tickets, spctl was seen to accept a file cut short, and stapler looks only at the ticket.
 */
export function appleVerifier(): Verifier {
  return {
    async verify(path, options) {
      return [
        await check('apple.signature', async () => {
          const { trusted, timestamp, status } = await checkSignature(path, options);
          if (!trusted) return `pkgutil: ${status}`;
          return timestamp === null ? 'pkgutil: no trusted timestamp' : undefined;
        }),
        await check('apple.gatekeeper', async () => {
          const { accepted, source } = await assessPackage(path, options);
          if (!accepted) return `spctl: rejected, source=${source}`;
          return source === 'Notarized Developer ID' ? undefined : `spctl: source=${source}`;
        }),
        await check('apple.ticket', async () => {
          await runStapler('validate', path, options);
          return undefined;
        }),
      ];
    },
  };
}

/** A tool that fails has not vouched for the file. */
async function check(id: string, problemOf: () => Promise<string | undefined>): Promise<Check> {
  try {
    const reason = await problemOf();
    return reason === undefined ? { id, status: 'pass' } : { id, status: 'fail', reason };
  } catch (error) {
    if (!(error instanceof PipelineError) || error instanceof InterruptedError) throw error;
    return { id, status: 'fail', reason: error.message };
  }
}
