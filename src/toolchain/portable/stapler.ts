import { digestFile } from '../../base/files.ts';
import { staplePackage } from '../../notary/ticket/staple.ts';
import type { NotaryAccess, Stapler } from '../toolchain.ts';

/** Returns the stapler that asks the ticket service itself and writes the ticket behind the archive. */
export function portableStapler({ ticketUrl, trust }: Pick<NotaryAccess, 'ticketUrl' | 'trust'>): Stapler {
  return {
    async staple({ path }, options) {
      const stapled = await staplePackage(path, { ...options, url: ticketUrl, trust });
      return { ...stapled, kind: 'stapled-product', ...(await digestFile(path)) };
    },
  };
}
