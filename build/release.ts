import { dirname } from 'node:path';
import { removeUnfinished } from '../src/base/files.ts';
import { makeFolder } from '../src/base/place/folder.ts';
import type { Toolchain } from '../src/toolchain/toolchain.ts';
import type { NotaryConnection } from './notary/connection.ts';
import type { Manifest } from './plan/manifest.ts';
import { ReachedStage, type Run, SIGNING_STAGES } from './run.ts';
import type { ReleaseSigning } from './signing/identities.ts';
import { assemblePayload } from './stages/assemble-payload.ts';
import { buildPackages, packagePaths } from './stages/build-package.ts';
import { compile } from './stages/compile.ts';
import type { CompileCache } from './stages/compile-cache.ts';
import { generateScripts } from './stages/generate-scripts.ts';
import { notarizePackages } from './stages/notarize.ts';
import { publish } from './stages/publish.ts';
import { signCode } from './stages/sign-code.ts';
import { signPackages } from './stages/sign-package.ts';
import { staplePackages } from './stages/staple.ts';
import { verifyPackages } from './stages/verify.ts';

/** What the later stages need, whether the package was signed in this run or in an earlier one. */
export interface Finishing {
  readonly signing: Pick<ReleaseSigning, 'trust' | 'teamIdentifier' | 'mode'>;
  readonly connection: NotaryConnection;
  readonly toolchain: Pick<Toolchain, 'name' | 'notary' | 'stapler' | 'verifier'>;
}

/** How a package comes to be signed: by all stages, or by those of an earlier run. */
export type Beginning =
  | {
      readonly kind: 'build';
      readonly toolchain: Toolchain;
      readonly signing: ReleaseSigning | null;
      /** Null: everything is compiled, as in every release. */
      readonly cache: CompileCache | null;
    }
  | { readonly kind: 'resume' };

/**
 * Runs the stages of a release in order and returns what the manifest says at the end.
 *
 * Each stage takes what the one before made. When --until names a stage, the run ends after it.
 *
 * @param finishing null ends the run with the unsigned package
 */
export async function runRelease(run: Run, beginning: Beginning, finishing: Finishing | null): Promise<Manifest> {
  const { outFolder } = run.plan;
  const { guard } = packagePaths(run.plan);
  await makeFolder(outFolder);
  for (const folder of [outFolder, dirname(guard)]) await removeUnfinished(folder);
  // Even a run that is killed in its first stage can be resumed.
  await run.record({});
  try {
    if (beginning.kind === 'build') await makePackages(run, beginning);
    else for (const stage of SIGNING_STAGES) run.skip(stage, 'done in an earlier run');
    if (finishing) await finish(run, finishing);
  } catch (error) {
    if (!(error instanceof ReachedStage)) throw error;
  }
  return run.manifest;
}

/** From source to the signed packages; ad-hoc signed code and unsigned packages without `signing`. */
async function makePackages(
  run: Run,
  { toolchain, signing, cache }: Extract<Beginning, { kind: 'build' }>,
): Promise<void> {
  const compiled = await run.stage('compile', (context) =>
    compile(toolchain.compiler, run.manifest.tools, context, cache),
  );
  const scripts = await run.stage('generate-scripts', (context) => generateScripts(signing, context));
  const bundle = await run.stage('sign-code', (context) => signCode(compiled, scripts, signing, toolchain, context));
  const trees = await run.stage('assemble-payload', (context) =>
    assemblePayload(bundle.files, scripts.installer, context),
  );
  const unsigned = await run.stage('build-package', (context) =>
    buildPackages(trees, toolchain.packageBuilder, context),
  );
  if (!signing) return;
  await run.stage('sign-package', (context) =>
    signPackages(unsigned, signing, toolchain.packageSigner, context, run.manifest.files),
  );
}

/** From the signed packages to what is published. */
async function finish(run: Run, { signing, connection, toolchain }: Finishing): Promise<void> {
  const [notary, stapler] = [toolchain.notary(connection.access), toolchain.stapler(connection.access)];
  const notarized = await run.stage('notarize', (context) =>
    notarizePackages(notary, connection, context, run.manifest),
  );
  const stapled = await run.stage('staple', (context) =>
    staplePackages(notarized, stapler, connection, context, run.manifest),
  );
  const verified = await run.stage('verify', (context) =>
    verifyPackages(stapled, signing, toolchain, context, run.manifest),
  );
  await run.stage('publish', (context) => publish(verified, run.manifest, context));
}
