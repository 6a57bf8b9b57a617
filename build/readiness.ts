import { access, constants, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Check } from '../src/base/check.ts';
import { PipelineError, UsageError } from '../src/base/errors.ts';
import { fileProblem } from '../src/base/place/file-problem.ts';
import { demandFolder } from '../src/base/place/folder.ts';
import { shownPath } from '../src/base/place/shown.ts';
import type { Toolchain } from '../src/toolchain/toolchain.ts';
import { hintOf, messageOf } from './exit-code.ts';
import { KIT_SCRIPTS } from './kit/scripts.ts';
import { readVocabulary } from './kit/vocabulary.ts';
import type { Plan } from './plan/plan.ts';
import { readBuildPackages } from './sbom/npm-packages.ts';
import { templateFiles, templateReader } from './scripts/render-script.ts';
import { readPermissions } from './stages/assemble-payload.ts';
import { readBundleSource, renderInfoPlist } from './stages/compile.ts';
import { SCRIPT_FILES } from './stages/generate-scripts.ts';

/** One thing that a release needs, and how to find out. */
export interface Examination {
  readonly id: string;
  /** Returns what was found, for the person. Throws when it is not as it should be. */
  examine(): Promise<string>;
}

/** What is looked at: the plan may be what is wrong, so it is asked for when it is needed. */
export interface Examined {
  readonly plan: () => Promise<Plan>;
  /** Whose tools compile; null where that was done elsewhere. */
  readonly compiler: (() => Promise<{ readonly name: string; readonly compiler: Toolchain['compiler'] }>) | null;
}

/**
 * Returns the checks of everything on this machine that the stages of a release read, run or write. `npm start` makes them before its
 * first stage, `doctor` shows them.
 */
export function examinations({ plan, compiler }: Examined): Examination[] {
  return [
    ...(compiler === null ? [] : [{ id: 'sources', examine: async () => examineSources(await plan()) }]),
    { id: 'info-plist', examine: async () => `${(await renderInfoPlist(await plan())).length} bytes` },
    {
      id: 'permissions',
      examine: async () => `${Object.keys((await readPermissions(await plan())).payload).length} paths`,
    },
    { id: 'scripts', examine: async () => examineScripts((await plan()).root) },
    { id: 'documents', examine: async () => examineDocuments((await plan()).root) },
    ...(compiler === null ? [] : [{ id: 'toolchain', examine: async () => examineTools(await compiler()) }]),
    { id: 'output', examine: async () => examineOutput((await plan()).outFolder) },
  ];
}

/** Makes each check; what it throws is the reason why it failed. */
export async function examineAll(list: readonly Examination[]): Promise<Check[]> {
  const checks: Check[] = [];
  const causes = new Map<string, string>();
  for (const { id, examine } of list) {
    try {
      checks.push({ id, status: 'pass', reason: await examine() });
    } catch (error) {
      const hint = hintOf(refusal(error));
      const reason = `${messageOf(error)}${hint ? `\n${hint}` : ''}`;
      const first = causes.get(reason);
      // One line a cause: what needs the configuration says no more than that it is wrong.
      if (first !== undefined) checks.push({ id, status: 'skipped', reason: `needs ${first}` });
      else checks.push({ id, status: 'fail', reason });
      causes.set(reason, first ?? id);
    }
  }
  return checks;
}

/**
 * Makes all checks before a run.
 *
 * @throws the error of the one that failed; UsageError `NOT_READY` that lists them when several did
 */
export async function demandReady(list: readonly Examination[]): Promise<void> {
  const failures: unknown[] = [];
  for (const { examine } of list) await examine().catch((error: unknown) => failures.push(refusal(error)));
  if (failures.length === 0) return;
  if (failures.length === 1) throw failures[0];
  const lines = failures.map((error) => `  ${messageOf(error)}`);
  throw new UsageError('NOT_READY', `${failures.length} things are not ready for a release:\n${lines.join('\n')}`, {
    cause: failures[0],
    hint: 'Nothing was built. To see all checks: npm run -s cli -- doctor',
  });
}

/** Passes on what somebody can mend; anything else is a bug of ours. */
function refusal(error: unknown): Error {
  if (error instanceof PipelineError) return error;
  if (error instanceof Error && fileProblem(error)) return error;
  throw error;
}

async function examineSources(plan: Plan): Promise<string> {
  const { sources, folder, stubHeaders, stubLibraries } = await readBundleSource(plan);
  for (const path of [...sources, stubHeaders, ...stubLibraries]) await access(join(folder, path), constants.R_OK);
  return `${sources.length} C files`;
}

/** Every template that a package or the kit is made from, with all that it includes. */
async function examineScripts(root: string): Promise<string> {
  const read = templateReader(join(root, 'scripts'));
  const names = [...SCRIPT_FILES.map(({ template }) => template), ...KIT_SCRIPTS.map((name) => `kit/${name}.sh`)];
  const files = new Set(names.flatMap((name) => templateFiles(name, read)));
  return `${files.size} files`;
}

/** What is read when the package is done already, and would be missed late. */
async function examineDocuments(root: string): Promise<string> {
  await readVocabulary(root);
  await access(join(root, 'payload/kit/README.md'), constants.R_OK);
  return `vocabulary, kit, ${(await readBuildPackages(root)).length} packages in package-lock.json`;
}

async function examineTools({ name, compiler }: { name: string; compiler: Toolchain['compiler'] }): Promise<string> {
  const versions = await compiler.versions();
  return `${name}: ${Object.entries(versions)
    .map(([tool, version]) => `${tool} ${version}`)
    .join(', ')}`;
}

/** The nearest folder that is there must take new files. */
async function examineOutput(outFolder: string): Promise<string> {
  let folder = outFolder;
  while (!(await stat(folder).catch(() => undefined)) && folder !== dirname(folder)) folder = dirname(folder);
  await demandFolder(folder);
  await access(folder, constants.W_OK | constants.X_OK).catch((cause) => {
    throw new UsageError('OUT_NOT_WRITABLE', `writing is not allowed in ${shownPath(folder)}`, {
      cause,
      hint: 'Name another folder with --out.',
    });
  });
  return outFolder;
}
