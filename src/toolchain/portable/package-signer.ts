import { open } from 'node:fs/promises';
import { accessFile } from '../../base/random-access.ts';
import { signPackage } from '../../package/sign-product.ts';
import type { PackageSigner } from '../toolchain.ts';
import type { TimestampSource } from './code-signer.ts';

/**
 * Returns the package signer of machines without productsign.
 *
 * @param timestamp asked once for each package
 * @param now the time that signatures state
 */
export function portablePackageSigner(timestamp: TimestampSource, now: () => Date): PackageSigner {
  return {
    async sign(product, { identity }, path, { signal }) {
      const handle = await open(product.path);
      try {
        const signing = {
          identity,
          signingTime: now(),
          timestamp: (signature: Buffer) => timestamp(signature, signal),
        };
        return { ...(await signPackage(await accessFile(handle), path, signing)), kind: 'signed-product' };
      } finally {
        await handle.close();
      }
    },
  };
}
