import { buildFat } from '../../src/code-signature/fat.ts';
import { type BundleSigner, signBundle } from '../../src/code-signature/sign-bundle.ts';
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

/** Seals the resources and signs both slices. */
export async function signCode(
  compiled: CompiledPlugin,
  scripts: GeneratedScripts,
  signer: BundleSigner,
  { plan }: Pick<StageContext, 'plan'>,
): Promise<StageResult<SignedBundle>> {
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
  const who =
    signer.kind === 'ad-hoc' ? 'ad-hoc: for development, loads on no other Mac' : `team ${signer.teamIdentifier}`;
  return { value: { kind: 'signed-bundle', files }, words: who, facts: { code } };
}
