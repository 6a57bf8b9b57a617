import { open } from 'node:fs/promises';
import { accessFile } from '../../base/random-access.ts';
import type { Trust } from '../../pki/apple-roots.ts';
import { verifyPackage } from '../../verify/verify-package.ts';
import type { Verifier } from '../toolchain.ts';

/** Returns the verifier that needs neither a Mac nor the network. */
export function portableVerifier(trust: Trust): Verifier {
  return {
    async verify(path) {
      const handle = await open(path);
      try {
        return (await verifyPackage(await accessFile(handle), { trust, now: new Date(), ours: null })).checks;
      } finally {
        await handle.close();
      }
    },
  };
}
