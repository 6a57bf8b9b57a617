import { open } from 'node:fs/promises';
import { relative } from 'node:path';
import { accessFile } from '../../src/base/random-access.ts';
import { type SignedPackage, signPackage } from '../../src/flat-package/sign-product.ts';
import type { ReleaseSigning } from '../identities.ts';
import type { Manifest } from '../manifest.ts';
import type { StageContext, StageResult } from '../run.ts';
import type { UnsignedPackages } from './build-package.ts';
import type { ScriptPackage } from './generate-scripts.ts';

/** The signed packages; each took the place of the unsigned one. */
export type SignedPackages = Readonly<Record<ScriptPackage, SignedPackage>>;

/** Signs the product and the two extra packages: RSA and CMS over the table of contents, with timestamp and full chain. */
export async function signPackages(
  unsigned: UnsignedPackages,
  signing: ReleaseSigning,
  { plan, signal }: Pick<StageContext, 'plan' | 'signal'>,
  files: Manifest['files'],
): Promise<StageResult<SignedPackages>> {
  const sign = async (name: ScriptPackage): Promise<SignedPackage> => signFile(unsigned[name].path, signing, signal);
  // One after the other: a key in a token or a service may take one request at a time.
  const value = { product: await sign('product'), guard: await sign('guard'), uninstall: await sign('uninstall') };
  const written = new Map(
    Object.values(value).map(({ path, size, sha256 }) => [relative(plan.outFolder, path), { size, sha256 }]),
  );
  return {
    value,
    words:
      signing.mode === 'rehearsal' ? 'rehearsal identity: trusted by no Mac' : signing.installer.certificate.commonName,
    facts: {
      files: files.map((file) => ({ ...file, ...written.get(file.path) })),
      package: {
        identifier: plan.config.package.identifier,
        tocDigest: value.product.tocDigest,
        signer: signing.installer.certificate.commonName,
        teamIdentifier: signing.teamIdentifier,
        timestamp: null,
      },
    },
  };
}

async function signFile(path: string, signing: ReleaseSigning, signal: AbortSignal): Promise<SignedPackage> {
  const handle = await open(path);
  try {
    return await signPackage(await accessFile(handle), path, {
      identity: signing.installer,
      signingTime: new Date(),
      timestamp: (signature) => signing.timestamp(signature, signal),
    });
  } finally {
    await handle.close();
  }
}
