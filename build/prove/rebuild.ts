import type { Requirement } from '../../src/code-signature/requirement/requirement.ts';
import { type BundleSigner, signBundle } from '../../src/code-signature/sign/sign-bundle.ts';
import type { Toolchain } from '../../src/toolchain/toolchain.ts';
import type { Plan } from '../plan/plan.ts';
import { assemblePayload } from '../stages/assemble-payload.ts';
import { buildPackages, packagePaths } from '../stages/build-package.ts';
import { compile } from '../stages/compile.ts';
import { type ScriptPackage, scriptsDemanding } from '../stages/generate-scripts.ts';
import { signCode } from '../stages/sign-code.ts';

/** What only the keyholder can make: the CMS of each slice, and the requirement that follows from who signed. */
export interface TakenSignatures {
  readonly signer: BundleSigner;
  readonly requirement: Requirement;
}

/** The packages, made again from sources. */
export interface Rebuilt {
  readonly paths: Readonly<Record<ScriptPackage, string>>;
  /** Tools that compiled, with their versions. */
  readonly tools: Readonly<Record<string, string>>;
}

/**
 * Makes the unsigned packages again by the stages of a release. Where a release asks for a signature, the one that the finished
 * program already has is put in: over other bytes it is worth nothing, over the same it makes the same file.
 *
 * @param plan its sources are read, its output folder is written to
 */
export async function rebuild(
  plan: Plan,
  { signer, requirement }: TakenSignatures,
  { compiler, packageBuilder }: Pick<Toolchain, 'compiler' | 'packageBuilder'>,
  signal: AbortSignal,
): Promise<Rebuilt> {
  const context = { plan, signal };
  const compiled = await compile(compiler, {}, context, null);
  const scripts = scriptsDemanding(requirement, plan);
  const codeSigner: Toolchain['codeSigner'] = { sign: (entries) => signBundle(entries, signer) };
  const bundle = await signCode(compiled.value, scripts, null, { compiler, codeSigner }, context);
  const trees = await assemblePayload(bundle.value.files, scripts.installer, context);
  await buildPackages(trees.value, packageBuilder, context);
  return { paths: packagePaths(plan), tools: await compiler.versions() };
}
