import type { Toolchain } from '../../src/toolchain/toolchain.ts';
import type { StageContext, StageResult } from '../run.ts';
import type { ReleaseSigning } from '../signing/identities.ts';
import type { CompiledPlugin } from './compile.ts';
import type { BuiltFile, GeneratedScripts } from './generate-scripts.ts';

/** The complete bundle: executable signed, resources sealed. */
export interface CompleteBundle {
  readonly kind: 'complete-bundle';
  /** Files with paths below the bundle. */
  readonly files: readonly BuiltFile[];
}

/**
 * Joins the slices, seals the resources and signs both slices, each with a timestamp of its own.
 *
 * @param signing null signs ad-hoc
 */
export async function signCode(
  compiled: CompiledPlugin,
  scripts: GeneratedScripts,
  signing: ReleaseSigning | null,
  { compiler, codeSigner }: Pick<Toolchain, 'compiler' | 'codeSigner'>,
  { plan, signal }: Pick<StageContext, 'plan' | 'signal'>,
): Promise<StageResult<CompleteBundle>> {
  const { name, executable } = plan.config.bundle;
  const signed = await codeSigner.sign(
    [
      { path: 'Contents/Info.plist', mode: 0o644, data: compiled.infoPlist },
      { path: `Contents/MacOS/${executable}`, mode: 0o755, data: await compiler.join(compiled.slices, { signal }) },
      ...scripts.resources.map((file) => ({ ...file, mode: 0o755 })),
    ],
    name,
    signing ? signing.identities.application : { kind: 'ad-hoc' },
    { signal },
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
  return { value: { kind: 'complete-bundle', files }, summary: whoSigned(signing), facts: { code } };
}

function whoSigned(signing: ReleaseSigning | null): string {
  if (!signing) return 'ad-hoc: for development, loads on no other Mac';
  if (signing.mode === 'rehearsal') return 'rehearsal identity: trusted by no Mac';
  return signing.identities.application.identity.certificate.commonName;
}
