import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { digestFile, unfinishedName } from '../../base/files.ts';
import { withFile } from '../../base/with-file.ts';
import { readXar } from '../../xar/read.ts';
import type { PackageSigner } from '../toolchain.ts';
import { withKeychain } from './keychain/keychain.ts';
import { runAppleTool } from './run-apple-tool.ts';

/** productsign waits for the timestamp service, and for ever on a keychain that asks. */
const SIGN_TIMEOUT_MS = 300_000;
/** productsign signs with a helper that may be any of these. */
const TOOLS = ['productsign', 'productbuild', 'pkgbuild'];

/** Returns the package signer that runs productsign, its key in a keychain made for this one call. */
export function applePackageSigner(): PackageSigner {
  return {
    async sign(product, identity, path, options) {
      // A folder beside the place, so that productsign writes a file of the right name and renaming it stays on one disk.
      const beside = unfinishedName(path);
      const made = join(beside, basename(path));
      // By name, as productsign(1) has it; whether it takes a digest is not documented.
      const { commonName } = identity.identity.certificate;
      try {
        await mkdir(beside);
        await withKeychain([{ ...identity, tools: TOOLS }], options, (keychain) =>
          runAppleTool(
            'productsign',
            ['--timestamp', '--keychain', keychain, '--sign', commonName, product.path, made],
            { ...options, timeoutMs: SIGN_TIMEOUT_MS },
          ),
        );
        await rename(made, path);
      } finally {
        await rm(beside, { recursive: true, force: true });
      }
      return { kind: 'signed-product', ...(await digestFile(path)), tocDigest: await tocDigestOf(path) };
    },
  };
}

async function tocDigestOf(path: string): Promise<string> {
  return (await withFile(path, readXar)).checksum.value.toString('hex');
}
