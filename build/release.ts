import { mkdir } from 'node:fs/promises';
import { removeUnfinished } from '../src/base/files.ts';
import type { Toolchain } from '../src/toolchain/select.ts';
import type { ReleaseSigning } from './identities.ts';
import type { Manifest } from './manifest.ts';
import { ReachedStage, type Run } from './run.ts';
import { assemblePayload } from './stages/assemble-payload.ts';
import { buildPackages } from './stages/build-package.ts';
import { compile } from './stages/compile.ts';
import { generateScripts } from './stages/generate-scripts.ts';
import { publish } from './stages/publish.ts';
import { signCode } from './stages/sign-code.ts';
import { signPackages } from './stages/sign-package.ts';
import { verifyPackages } from './stages/verify.ts';

/**
 * Runs the stages of a release in order and returns what the manifest says at the end.
 *
 * Each stage takes what the one before made. When --until names a stage, the run ends after it.
 *
 * @param signing null signs the code ad-hoc and leaves the package unsigned; the run must end with build-package
 */
export async function runRelease(run: Run, toolchain: Toolchain, signing: ReleaseSigning | null): Promise<Manifest> {
  const { outFolder } = run.plan;
  await mkdir(outFolder, { recursive: true });
  await removeUnfinished(outFolder);
  const told = { codeSigned: signing !== null, teamIdentifier: signing?.teamIdentifier ?? null };
  try {
    const compiled = await run.stage('compile', (context) => compile(toolchain.compiler, context));
    const scripts = await run.stage('generate-scripts', (context) => generateScripts(told, context));
    const bundle = await run.stage('sign-code', (context) => signCode(compiled, scripts, signing, context));
    const trees = await run.stage('assemble-payload', (context) =>
      assemblePayload(bundle.files, scripts.installer, context),
    );
    const unsigned = await run.stage('build-package', (context) => buildPackages(trees, context));
    if (!signing) return run.manifest;
    await run.stage('sign-package', (context) => signPackages(unsigned, signing, context, run.manifest.files));
    await run.stage('verify', (context) => verifyPackages(signing, context, run.manifest));
    await run.stage('publish', (context) => publish(run.manifest.files, context));
  } catch (error) {
    if (!(error instanceof ReachedStage)) throw error;
  }
  return run.manifest;
}
