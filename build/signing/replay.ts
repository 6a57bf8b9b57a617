import { VerificationError } from '../../src/base/errors.ts';
import { checkIdentityPair, type Identity, loadIdentity } from '../../src/pki/identity/identity.ts';
import type { IdentityRole } from '../../src/pki/identity/identity-problem.ts';
import type { Signer, SignRequest } from '../../src/pki/identity/signer.ts';
import { askingSigner, replayingSigner } from '../../src/pki/identity/tape.ts';
import { verifyTimestampToken } from '../../src/pki/timestamp/timestamp-token.ts';
import { appleTrust, type Trust } from '../../src/pki/x509/apple-roots.ts';
import { parseCertificate } from '../../src/pki/x509/certificate.ts';
import type { TimestampSource } from '../../src/toolchain/portable/code-signer.ts';
import type { SigningIdentity } from '../../src/toolchain/toolchain.ts';
import type { Config } from '../plan/config.ts';
import type { Plan } from '../plan/plan.ts';
import { CERTIFICATES, readChain } from './external.ts';
import { checkTeam, isRehearsalProject, type ReleaseSigning } from './identities.ts';
import type { SignedRole, SigningRecord, StampedRole } from './record.ts';

/** An identity whose key is elsewhere: recorded signatures stand for it. */
export interface Replayed {
  readonly identity: Identity;
  /** Throws when a signature was never asked for. */
  end(): void;
}

/** Returns an identity that signs with what a key made elsewhere, after all checks of an identity. */
export async function replayIdentity(
  role: IdentityRole,
  { certificate, signatures }: SignedRole,
  { trust, config }: { readonly trust: Trust; readonly config: Config },
): Promise<Replayed> {
  const signer = replayingSigner(parseCertificate(certificate), signatures, hashesOf(role, config));
  const identity = await loadIdentity(role, { certificateChain: [certificate], signer, proof: 'later' }, { trust });
  checkTeam(identity, config);
  return { identity, end: () => signer.end() };
}

/**
 * Returns an identity whose key is elsewhere and is not asked: what it would sign is kept in `asked`.
 *
 * @throws UsageError `IDENTITY_FILE` without its certificate in the project, and as `resolveSigning`
 */
export async function askingIdentity(
  role: IdentityRole,
  { root, config }: Pick<Plan, 'root' | 'config'>,
  { trust, asked }: { readonly trust: Trust; readonly asked: SignRequest[] },
): Promise<Identity> {
  const path = config.signing.externalSigner?.[role].certificates ?? CERTIFICATES[role];
  const certificateChain = await readChain(path, root);
  const signer = askingSigner(parseCertificate(certificateChain[0]), asked, hashesOf(role, config));
  const identity = await loadIdentity(role, { certificateChain, signer, proof: 'later' }, { trust });
  checkTeam(identity, config);
  return identity;
}

/**
 * Holds the certificates of a project to what is asked of them once their keys are approved: role, issuer, term, team, both of one.
 *
 * Whom a rehearsal trusts is known only where it signs: its certificates need only be there.
 *
 * @throws UsageError `IDENTITY_FILE`, and as `resolveSigning`
 */
export async function checkCertificates(
  project: Pick<Plan, 'root' | 'config'>,
  trust: Trust = appleTrust(),
): Promise<void> {
  for (const path of Object.values(CERTIFICATES)) await readChain(path, project.root);
  if (isRehearsalProject(project.config)) return;
  const application = await askingIdentity('application', project, { trust, asked: [] });
  const installer = await askingIdentity('installer', project, { trust, asked: [] });
  checkIdentityPair(application, installer);
}

/** Digests that a role's key signs: what is asked for and what is replayed must be the same. */
function hashesOf(role: IdentityRole, { signing }: Config): Signer['hashes'] {
  return new Set(signing.externalSigner?.[role].hashes ?? (['sha1', 'sha256'] as const));
}

/**
 * Returns the recorded timestamps, one after the other; behind the last one what `further` gives, none without it.
 *
 * @param further its tokens are kept in `added`
 */
export function replayTimestamps(
  tokens: readonly Buffer[],
  trust: Trust,
  further?: { readonly source: TimestampSource; readonly added: Buffer[] },
): TimestampSource {
  let next = 0;
  return async (signature, signal) => {
    const recorded = tokens[next++];
    if (recorded) return checkedToken(recorded, signature, trust);
    const token = await further?.source(signature, signal);
    if (token) further?.added.push(token);
    return token;
  };
}

function checkedToken(token: Buffer, signature: Buffer, trust: Trust): Buffer {
  if (verifyTimestampToken(token, signature, trust).trusted) return token;
  throw new VerificationError(
    'TIMESTAMP_WRONG',
    'a recorded timestamp is not over the signature that it stands beside',
    {
      hint: 'Run `timestamp` again with the same signatures.',
    },
  );
}

/** What stands for an identity that a run does not come to use. */
const UNUSED = {
  hashes: new Set(['sha1', 'sha256'] as const),
  sign: async () => {
    throw new TypeError('this run has no key for that');
  },
};

/** Returns who signs in a run of one role's step: the other one is not reached, or recorded already. */
export function signingOf(
  { mode, signingTime }: Pick<SigningRecord, 'mode' | 'signingTime'>,
  application: Identity,
  installer: Identity | undefined,
  { trust, timestamp }: Pick<ReleaseSigning, 'trust' | 'timestamp'>,
): ReleaseSigning {
  const pair = { application, installer: installer ?? { ...application, signer: UNUSED } };
  const warnings = installer ? checkIdentityPair(application, installer) : [];
  const identityOf = (identity: Identity): SigningIdentity => ({ kind: 'identity', identity });
  return {
    mode,
    identities: { application: identityOf(pair.application), installer: identityOf(pair.installer) },
    teamIdentifier: application.teamIdentifier,
    trust,
    timestamp,
    signingTime: () => new Date(signingTime * 1000),
    warnings: warnings.map(({ message }) => message),
  };
}

/** A record of both roles, complete. */
export type CompleteRecord = SigningRecord & { readonly application: StampedRole; readonly installer: StampedRole };

/** Returns who signed a release whose signatures and timestamps are all recorded; no key and no network is needed. */
export async function replaySigning(
  record: CompleteRecord,
  trusted: { readonly trust: Trust; readonly config: Config },
): Promise<ReleaseSigning> {
  const application = await replayIdentity('application', record.application, trusted);
  const installer = await replayIdentity('installer', record.installer, trusted);
  const { trust } = trusted;
  const timestamp = replayTimestamps([...record.application.tokens, ...record.installer.tokens], trust);
  return signingOf(record, application.identity, installer.identity, { trust, timestamp });
}
