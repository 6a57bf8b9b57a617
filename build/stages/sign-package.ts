import { relative } from 'node:path';
import type { SignedProduct } from '../../src/package/sign-product.ts';
import type { PackageSigner } from '../../src/toolchain/toolchain.ts';
import type { Manifest } from '../plan/manifest.ts';
import type { StageContext, StageResult } from '../run.ts';
import type { ReleaseSigning } from '../signing/identities.ts';
import type { UnsignedPackages } from './build-package.ts';
import { SCRIPT_PACKAGES, type ScriptPackage } from './generate-scripts.ts';

/** The signed packages; each took the place of the unsigned one. */
export type SignedPackages = Readonly<Record<ScriptPackage, SignedProduct>>;

/** Signs the product and the extra packages: RSA and CMS over the table of contents, with timestamp and full chain. */
export async function signPackages(
  unsigned: UnsignedPackages,
  signing: ReleaseSigning,
  signer: PackageSigner,
  { plan, signal }: Pick<StageContext, 'plan' | 'signal'>,
  files: Manifest['files'],
): Promise<StageResult<SignedPackages>> {
  const sign = ({ path }: { readonly path: string }) =>
    signer.sign({ path }, signing.identities.installer, path, { signal });
  // One after the other: a key in a token or a service may take one request at a time.
  const signed: [ScriptPackage, SignedProduct][] = [];
  for (const name of SCRIPT_PACKAGES) signed.push([name, await sign(unsigned[name])]);
  const value = Object.fromEntries(signed) as SignedPackages;
  const written = new Map(
    Object.values(value).map(({ path, size, sha256 }) => [relative(plan.outFolder, path), { size, sha256 }]),
  );
  return {
    value,
    summary:
      signing.mode === 'rehearsal'
        ? 'rehearsal identity: trusted by no Mac'
        : signing.identities.installer.identity.certificate.commonName,
    facts: {
      files: files.map((file) => ({ ...file, ...written.get(file.path) })),
      package: {
        identifier: plan.config.package.identifier,
        tocDigest: value.product.tocDigest,
        signer: signing.identities.installer.identity.certificate.commonName,
        teamIdentifier: signing.teamIdentifier,
        timestamp: null,
      },
    },
  };
}
