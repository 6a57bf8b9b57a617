import { resolve } from 'node:path';
import { Option } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { readWhole } from '../../src/base/with-file.ts';
import { pathOption } from '../command.ts';
import type { AttestationTrust } from './attestation.ts';

/** The option --trusted-root. */
export function trustedRootOption(): Option {
  return pathOption('--trusted-root <file>', "Sigstore's trusted_root.json, by which attestations are checked");
}

/** The option --signer. */
export function signerOption(): Option {
  return new Option(
    '--signer <uri>',
    'workflow and ref that must have attested the package, as its certificate names them',
  );
}

/**
 * Returns whose attestations are believed; null when the options say nothing of it.
 *
 * @param areGiven whether there are attestations to check
 * @throws UsageError `ATTESTATION_TRUST` when they say half of it: anybody can have Sigstore attest anything
 */
export async function attestationTrust(
  { trustedRoot, signer }: { readonly trustedRoot?: string; readonly signer?: string },
  areGiven: boolean,
): Promise<AttestationTrust | null> {
  if (trustedRoot === undefined && signer === undefined) return null;
  if (!areGiven) {
    throw new UsageError('ATTESTATION_MISSING', '--trusted-root and --signer check attestations, and none is given', {
      hint: 'Give them too: verify --evidence ZIP, or prove --attestation FILE.',
    });
  }
  if (trustedRoot !== undefined && signer !== undefined) {
    return { trustedRoot: await readWhole(resolve(trustedRoot)), signer };
  }
  throw new UsageError('ATTESTATION_TRUST', 'attestations are checked with both --trusted-root and --signer', {
    hint: 'The signer is like https://github.com/OWNER/NAME/.github/workflows/release.yml@refs/heads/main',
  });
}
