import * as z from 'zod';
import type { Manifest } from '../plan/manifest.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const subject = z.strictObject({ name: z.string(), digest: z.strictObject({ sha256 }) });

/** Source: in-toto attestation framework, spec/v1/statement.md; SLSA v1.0, provenance. */
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
/** Type of the predicate. Source: SLSA v1.0, provenance. */
export const PROVENANCE_TYPE = 'https://slsa.dev/provenance/v1';

/** Schema of provenance.json: an in-toto statement whose predicate is SLSA's provenance. */
export const PROVENANCE_SCHEMA = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.tuple([subject]),
  predicateType: z.literal(PROVENANCE_TYPE),
  predicate: z.strictObject({
    buildDefinition: z.strictObject({
      buildType: z.string(),
      externalParameters: z.strictObject({
        version: z.string(),
        mode: z.string(),
        toolchain: z.string(),
        sourceDateEpoch: z.number(),
      }),
      internalParameters: z.strictObject({ tools: z.record(z.string(), z.string()) }),
      resolvedDependencies: z.array(
        z.strictObject({ uri: z.string(), digest: z.strictObject({ gitCommit: z.string() }) }),
      ),
    }),
    runDetails: z.strictObject({
      builder: z.strictObject({ id: z.string() }),
      byproducts: z.array(subject),
    }),
  }),
});

/** An in-toto statement about a package of this project. */
export type Provenance = z.infer<typeof PROVENANCE_SCHEMA>;

/** A file by its name and its digest, as in-toto names it. */
export type Subject = z.infer<typeof subject>;

/** What says how the package is made; a name, as SLSA wants it, not an address to fetch. */
const BUILD_TYPE = 'urn:escrow-buddy:release:1';
const BUILDER = 'urn:escrow-buddy:pipeline';

/**
 * Returns the statement about a finished package. Nobody signs it here: whose word it is, an attestation says.
 *
 * @param byproducts the other files of the evidence
 */
export function provenanceOf(
  product: Subject,
  { version, mode, toolchain, sourceDateEpoch, tools, commit }: Manifest,
  byproducts: readonly Subject[],
): Provenance {
  const source = commit === null ? [] : [{ uri: 'git+commit', digest: { gitCommit: commit } }];
  return {
    _type: STATEMENT_TYPE,
    subject: [product],
    predicateType: PROVENANCE_TYPE,
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: { version, mode, toolchain, sourceDateEpoch },
        internalParameters: { tools },
        resolvedDependencies: source,
      },
      runDetails: { builder: { id: BUILDER }, byproducts: [...byproducts] },
    },
  };
}
