import { buildProduct } from '../../package/product.ts';
import type { PackageBuilder } from '../toolchain.ts';

/** Returns the package builder of machines without pkgbuild and productbuild: this project's own writers. */
export function portablePackageBuilder(): PackageBuilder {
  return { build: (plan, path, { signal }) => buildProduct(plan, path, signal ?? new AbortController().signal) };
}
