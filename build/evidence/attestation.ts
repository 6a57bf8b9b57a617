import { bundleFromJSON, type SerializedBundle } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import * as z from 'zod';
import { type Check, CheckList } from '../../src/base/check.ts';
import { documentIn } from '../../src/base/document.ts';
import { UsageError } from '../../src/base/errors.ts';
import { PROVENANCE_TYPE } from './provenance.ts';

/** Whose attestations are believed, known before any is read. */
export interface AttestationTrust {
  /** Sigstore's trusted_root.json: certificate authorities and logs. */
  readonly trustedRoot: Buffer;
  /** Identity that must have signed: the workflow with its ref. */
  readonly signer: string;
}

/** Issuer of the identities of GitHub's workflows. Source: GitHub Docs, "OpenID Connect reference". */
const ISSUER = 'https://token.actions.githubusercontent.com';
/** Source: in-toto attestation framework, spec/v1/envelope.md. */
const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

const STATEMENT = z.looseObject({
  subject: z.array(z.looseObject({ digest: z.looseObject({ sha256: z.string().optional() }) })),
  predicateType: z.string(),
});

/**
 * Checks Sigstore bundles about a file with Sigstore's own library, without the network: certificates and logs come from the trusted
 * root that is given.
 *
 * @param bundles JSON documents, one a line
 * @param sha256 of the file that they must be about, hex
 * @throws UsageError `TRUSTED_ROOT_INVALID`
 */
export function checkAttestation(bundles: Buffer, sha256: string, trust: AttestationTrust): readonly Check[] {
  const list = new CheckList('attestation');
  const verifier = new Verifier(trustMaterialOf(trust.trustedRoot));
  const lines = bundles
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const results = lines.map((line, at) => checkBundle(verifier, line, sha256, trust.signer, `bundle ${at + 1}`));
  list.check('attestation', [
    lines.length === 0 && 'it holds no bundle',
    ...results.map(({ problem }) => problem),
    !results.some(({ predicateType }) => predicateType === PROVENANCE_TYPE) &&
      'no bundle tells where the package comes from',
  ]);
  return list.checks;
}

function trustMaterialOf(source: Buffer) {
  try {
    return toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(source.toString('utf8'))));
  } catch (cause) {
    throw new UsageError('TRUSTED_ROOT_INVALID', `the trusted root cannot be read: ${(cause as Error).message}`, {
      cause,
      hint: 'It is the file trusted_root.json that Sigstore publishes, or a line of `gh attestation trusted-root`.',
    });
  }
}

interface Checked {
  readonly problem?: string;
  readonly predicateType?: string;
}

/** What the library throws about a bundle, whatever it is, speaks against that bundle. */
function checkBundle(verifier: Verifier, line: string, sha256: string, wanted: string, name: string): Checked {
  try {
    const bundle = bundleFromJSON(JSON.parse(line) as SerializedBundle);
    if (bundle.content.$case !== 'dsseEnvelope') return { problem: `${name} holds no statement` };
    const { identity } = verifier.verify(toSignedEntity(bundle));
    const { subjectAlternativeName: signer, extensions } = identity ?? {};
    // The library takes a policy for a pattern; an identity must be the whole one.
    if (signer !== wanted) return { problem: `${name} is signed by ${signer}, expected ${wanted}` };
    if (extensions?.issuer !== ISSUER)
      return { problem: `${name}: ${extensions?.issuer} vouches for its signer, expected ${ISSUER}` };
    const { payloadType, payload } = bundle.content.dsseEnvelope;
    const statement = payloadType === PAYLOAD_TYPE ? documentIn(payload, STATEMENT) : undefined;
    if (!statement) return { problem: `${name} holds no in-toto statement` };
    const about = statement.subject.some(({ digest }) => digest.sha256 === sha256);
    return about ? { predicateType: statement.predicateType } : { problem: `${name} is about another file` };
  } catch (error) {
    return { problem: `${name}: ${(error as Error).message}` };
  }
}
