import { UsageError } from '../../../src/base/errors.ts';
import type { Config } from '../../plan/config.ts';
import { CERTIFICATES } from '../../signing/external.ts';

/** Where the signing keys of a release are: in secrets of an environment, used on Linux or in a keychain of a Mac, or in a service. */
export type Keys = 'stored' | 'keychain' | 'aws' | 'azure';

/** The script that asks each service for one signature; `signing.externalSigner` names it. */
const SIGNERS = { aws: 'build/signers/aws-kms.sh', azure: 'build/signers/azure-key-vault.sh' } as const;
/** Addresses of keys as key-service.sh takes them. Sources: AWS KMS key ARNs; Key Vault key identifiers. */
const KEY_ADDRESSES = {
  aws: /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/,
  azure: /^https:\/\/[A-Za-z0-9-]+\.vault\.azure\.net\/keys\/[A-Za-z0-9-]+(\/[0-9a-f]+)?$/,
} as const;

/**
 * Returns where the keys of a release are, as the repository's variable `SIGNING_KEYS` says; unset is `stored`.
 *
 * Exactly one variant is set up: the variable and `signing.externalSigner` must say the same.
 *
 * @throws UsageError `SIGNING_KEYS`
 */
export function keysOf(chosen: string | undefined, { signing }: Config): Keys {
  const keys = chosen || 'stored';
  const external = signing.externalSigner;
  if (keys === 'stored' || keys === 'keychain') {
    if (external)
      throw wrong('release.config.json names keys in a service, and the variable SIGNING_KEYS does not choose one');
    if ((keys === 'keychain') === (signing.toolchain === 'apple')) return keys;
    throw wrong(
      `signing.toolchain is ${signing.toolchain}, and SIGNING_KEYS says ${keys}: keychain goes with apple, and apple with nothing else`,
    );
  }
  if (keys !== 'aws' && keys !== 'azure') throw wrong(`the variable SIGNING_KEYS says ${JSON.stringify(chosen)}`);
  if (!external) throw wrong(`SIGNING_KEYS says ${keys}, and release.config.json has no signing.externalSigner`);
  if (signing.toolchain === 'apple')
    throw wrong(
      `SIGNING_KEYS says ${keys}, and codesign takes only keys in a keychain: set signing.toolchain to portable`,
    );
  for (const role of ['application', 'installer'] as const) {
    const { command, hashes, certificates } = external[role];
    const [shell, script, key, ...more] = command;
    if (shell !== 'sh' || script !== SIGNERS[keys] || !KEY_ADDRESSES[keys].test(key ?? '') || more.length > 0)
      throw wrong(
        `SIGNING_KEYS says ${keys}: externalSigner.${role}.command must be sh, ${SIGNERS[keys]}, and a key of it`,
      );
    if (certificates !== CERTIFICATES[role])
      throw wrong(`externalSigner.${role}.certificates must be ${CERTIFICATES[role]}`);
    if (hashes.join() !== 'sha256') throw wrong(`externalSigner.${role}.hashes must be sha256 alone`);
  }
  return keys;
}

function wrong(problem: string): UsageError {
  return new UsageError('SIGNING_KEYS', problem, {
    hint: 'Unset SIGNING_KEYS for keys in secrets, keychain to use them on a Mac, aws or azure for keys in a service: docs/signing-keys.md.',
  });
}
