import { withFile } from '../../base/with-file.ts';
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
      const signing = {
        identity,
        signingTime: now(),
        timestamp: (signature: Buffer) => timestamp(signature, signal),
      };
      return withFile(product.path, (access) => signPackage(access, path, signing));
    },
  };
}
