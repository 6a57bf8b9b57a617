import { developerIdRequirement, rootRequirement } from '../../code-signature/requirement/requirement.ts';
import { type BundleSigner, signBundle } from '../../code-signature/sign/sign-bundle.ts';
import { signCms } from '../../pki/cms/cms.ts';
import type { Identity } from '../../pki/identity/identity.ts';
import type { AdHoc, CodeSigner, SigningIdentity, WorkOptions } from '../toolchain.ts';

/** Returns a token over a signature value; undefined where the signature is to have none yet. */
export type TimestampSource = (signature: Buffer, signal: AbortSignal | undefined) => Promise<Buffer | undefined>;

/**
 * Returns the code signer of machines without codesign.
 *
 * @param timestamp asked once for each slice
 * @param now the time that signatures state
 */
export function portableCodeSigner(timestamp: TimestampSource, now: () => Date = () => new Date()): CodeSigner {
  return {
    sign: (entries, _name, signer, options) => signBundle(entries, bundleSignerOf(signer, timestamp, now, options)),
  };
}

function bundleSignerOf(
  signer: AdHoc | SigningIdentity,
  timestamp: TimestampSource,
  now: () => Date,
  { signal }: WorkOptions,
): BundleSigner {
  if (signer.kind === 'ad-hoc') return signer;
  const { identity } = signer;
  return {
    kind: 'identity',
    teamIdentifier: identity.teamIdentifier,
    requirement: (identifier) => requirementOf(identifier, identity),
    signCms: ({ content, extraSignedAttributes }) =>
      signCms({
        content,
        attributes: extraSignedAttributes,
        identity,
        signingTime: now(),
        timestamp: (signature) => timestamp(signature, signal),
      }),
  };
}

/** A rehearsal's code must satisfy its own requirement, and can name no root of Apple's. */
export function requirementOf(identifier: string, { rehearsal, chain, teamIdentifier }: Identity) {
  const root = chain.at(-1);
  return rehearsal && root
    ? rootRequirement(identifier, Buffer.from(root.sha1, 'hex'))
    : developerIdRequirement(identifier, teamIdentifier);
}
