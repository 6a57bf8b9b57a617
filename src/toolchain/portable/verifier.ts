import { open } from 'node:fs/promises';
import { accessFile } from '../../base/random-access.ts';
import type { Trust } from '../../pki/x509/apple-roots.ts';
import type { PackageExpectations, PackageReport } from '../../verify/expectations.ts';
import { verifyPackage } from '../../verify/verify-package.ts';
import type { Verifier } from '../toolchain.ts';

/** Returns the verifier that needs neither a Mac nor the network. */
export function portableVerifier(trust: Trust): Verifier {
  return {
    verify: async (path) => (await verifyPackageFile(path, { trust, now: new Date(), ours: null })).checks,
  };
}

/** Opens a finished package afresh and returns what is to be said of it. */
export async function verifyPackageFile(path: string, expectations: PackageExpectations): Promise<PackageReport> {
  const handle = await open(path);
  try {
    return await verifyPackage(await accessFile(handle), expectations);
  } finally {
    await handle.close();
  }
}
