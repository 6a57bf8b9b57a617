import { buildFat } from '../../src/code-signature/fat.ts';
import { developerIdRequirement, type Requirement, rootRequirement } from '../../src/code-signature/requirements.ts';
import { type BundleSigner, signBundle } from '../../src/code-signature/sign-bundle.ts';
import { signCms } from '../../src/pki/cms.ts';
import type { ReleaseSigning } from '../identities.ts';
import type { StageContext, StageResult } from '../run.ts';
import type { BuiltFile } from './assemble-payload.ts';
import type { CompiledPlugin } from './compile.ts';
import type { GeneratedScripts } from './generate-scripts.ts';

/** The complete bundle: executable signed, resources sealed. */
export interface SignedBundle {
  readonly kind: 'signed-bundle';
  /** Files with paths below the bundle. */
  readonly files: readonly BuiltFile[];
}

/**
 * Seals the resources and signs both slices, each with a timestamp of its own.
 *
 * @param signing null signs ad-hoc
 */
export async function signCode(
  compiled: CompiledPlugin,
  scripts: GeneratedScripts,
  signing: ReleaseSigning | null,
  { plan, signal }: Pick<StageContext, 'plan' | 'signal'>,
): Promise<StageResult<SignedBundle>> {
  const signer: BundleSigner = signing ? bundleSigner(signing, signal) : { kind: 'ad-hoc' };
  const executable = `Contents/MacOS/${plan.config.bundle.executable}`;
  const signed = await signBundle(
    [
      { path: 'Contents/Info.plist', mode: 0o644, data: compiled.infoPlist },
      { path: executable, mode: 0o755, data: buildFat(compiled.slices.map((slice) => slice.data)) },
      ...scripts.resources.map((file) => ({ ...file, mode: 0o755 })),
    ],
    signer,
  );
  const files = signed.entries.map((entry) => {
    if (!('data' in entry)) throw new TypeError(`the bundle holds a link: ${entry.path}`);
    return { path: entry.path, data: entry.data };
  });
  const code = signed.slices.map(({ architecture, cdHash, flags }) => ({
    architecture,
    cdhash: cdHash.toString('hex'),
    identifier: signed.identifier,
    flags,
  }));
  return { value: { kind: 'signed-bundle', files }, words: whoSigned(signing), facts: { code } };
}

function bundleSigner(signing: ReleaseSigning, signal: AbortSignal): BundleSigner {
  const { application: identity, teamIdentifier } = signing;
  return {
    kind: 'identity',
    teamIdentifier,
    requirement: requirementOf(signing),
    signCms: ({ content, extraSignedAttributes }) =>
      signCms({
        content,
        attributes: extraSignedAttributes,
        identity,
        signingTime: new Date(),
        timestamp: (signature) => signing.timestamp(signature, signal),
      }),
  };
}

/** What codesign writes for such a certificate: Apple's chain, or where it is another's, that very root. */
function requirementOf({ mode, application, teamIdentifier }: ReleaseSigning): (identifier: string) => Requirement {
  const root = application.chain.at(-1);
  if (mode === 'rehearsal' && root) return (identifier) => rootRequirement(identifier, Buffer.from(root.sha1, 'hex'));
  return (identifier) => developerIdRequirement(identifier, teamIdentifier);
}

function whoSigned(signing: ReleaseSigning | null): string {
  if (!signing) return 'ad-hoc: for development, loads on no other Mac';
  if (signing.mode === 'rehearsal') return 'rehearsal identity: trusted by no Mac';
  return signing.application.certificate.commonName;
}
