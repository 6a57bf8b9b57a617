import { withFile } from '../../base/with-file.ts';
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

/** Opens a finished package afresh and returns its report. */
export function verifyPackageFile(path: string, expectations: PackageExpectations): Promise<PackageReport> {
  return withFile(path, (access) => verifyPackage(access, expectations));
}
