import { randomBytes } from 'node:crypto';
import { rootRequirement } from '../../src/code-signature/requirement/requirement.ts';
import type { BundleSigner } from '../../src/code-signature/sign/sign-bundle.ts';
import type { CodeExpectations } from '../../src/code-signature/verify/code-expectations.ts';
import { codeCmsVerifier } from '../../src/code-signature/verify/verify-cms.ts';
import { signCms } from '../../src/pki/cms/cms.ts';
import { encodeTimestampRequest, parseTimestampResponse } from '../../src/pki/timestamp/timestamp-token.ts';
import { parseCertificate } from '../../src/pki/x509/certificate.ts';
import { REHEARSAL_TEAM, type RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { rehearsalTimestampAuthority } from '../../src/rehearsal/timestamp-authority.ts';
import { standingClock } from '../support/standing-clock.ts';
import { keptAuthority } from '../support/test-authority.ts';

/** A fixed moment: November 2023. */
export const NOW = new Date(1700000000 * 1000);

export const AD_HOC: CodeExpectations = { verifyCms: null, ours: true, allowAdHoc: true };

/** Returns a signer with a throw-away identity in Apple's shape, and how to check what it signs; the same one for all tests of a file. */
export function rehearsalSigner(): Promise<Rehearsal> {
  shared ??= signerOf('signer');
  return shared;
}

/** Returns another one. */
export const otherRehearsalSigner = (): Promise<Rehearsal> => signerOf('other signer');

let shared: Promise<Rehearsal> | undefined;

interface Rehearsal {
  readonly authority: RehearsalAuthority;
  readonly signer: BundleSigner;
  readonly expectations: CodeExpectations;
}

async function signerOf(name: string): Promise<Rehearsal> {
  const authority = await keptAuthority(name, NOW);
  const { certificateChain, signer: key } = authority.identitySource('application');
  const chain = certificateChain.map(parseCertificate);
  const timestamps = rehearsalTimestampAuthority(authority, standingClock(NOW));
  const timestamp = async (signature: Buffer) => {
    const response = timestamps.issueToken(encodeTimestampRequest(signature, randomBytes(8)));
    return parseTimestampResponse(response).token as Buffer;
  };
  const root = chain.at(-1)!;
  const signer: BundleSigner = {
    kind: 'identity',
    teamIdentifier: REHEARSAL_TEAM,
    requirement: (identifier) => rootRequirement(identifier, Buffer.from(root.sha1, 'hex')),
    signCms: ({ content, extraSignedAttributes }) =>
      signCms({
        content,
        attributes: extraSignedAttributes,
        identity: { certificate: chain[0]!, chain, signer: key },
        signingTime: NOW,
        timestamp,
      }),
  };
  const expectations = { verifyCms: codeCmsVerifier(authority.trust, NOW), ours: true, allowAdHoc: false };
  return { authority, signer, expectations };
}
