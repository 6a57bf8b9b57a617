import { resolve } from 'node:path';
import { UsageError } from '../../src/base/errors.ts';
import { selectToolchain, type Toolchain } from '../../src/toolchain/select.ts';
import type { CommandContext, CommandResult } from '../cli.ts';
import { resolveSigning } from '../identities.ts';
import { type Manifest, readManifest } from '../manifest.ts';
import { compiledEarlier, readCompiledRecord } from '../parts.ts';
import { makePlan, type Plan } from '../plan.ts';
import { runRelease } from '../release.ts';
import { renderSummary } from '../report/summary.ts';
import { Run, type StageName } from '../run.ts';

/** Options of `release` and `build` as the command line gives them. */
export interface ReleaseOptions {
  readonly toolchain?: 'portable' | 'apple' | 'auto';
  readonly out?: string;
  readonly until?: StageName;
  readonly resume?: boolean;
  /** Folder that `parts` made: its slices are taken, and all else that a release reads. */
  readonly compiled?: string;
}

/** Runs every stage, from source to the package. */
export async function release(context: CommandContext, options: ReleaseOptions): Promise<CommandResult> {
  return execute(context, options, 'release');
}

/** Runs the stages up to the unsigned package. */
export async function build(context: CommandContext, options: ReleaseOptions): Promise<CommandResult> {
  return execute(context, options, 'build');
}

async function execute(
  context: CommandContext,
  options: ReleaseOptions,
  command: 'release' | 'build',
): Promise<CommandResult> {
  const { plan, toolchain } = await prepare(context, options);
  const signing = command === 'build' ? null : await resolveSigning({ env: context.env, plan });
  for (const warning of signing?.warnings ?? []) context.progress.note('warning', warning);
  const tools = { node: process.versions.node, zlib: process.versions.zlib, ...(await toolchain.compiler.versions()) };
  const before = options.resume ? await manifestToResume(plan) : undefined;
  const manifest = before ?? newManifest(plan, toolchain.name, tools, signing?.mode ?? 'build');
  const until = command === 'build' ? 'build-package' : options.until;
  const run = new Run({ plan, progress: context.progress, signal: context.signal, manifest, until });
  const result = await runRelease(run, toolchain, signing);
  return { document: result, text: renderSummary(result, plan) };
}

/** Returns the plan and the tools; with --compiled, both as the machine that compiled had them. */
async function prepare(
  { root, env }: CommandContext,
  { compiled, out, toolchain: choice }: ReleaseOptions,
): Promise<{ plan: Plan; toolchain: Toolchain }> {
  if (compiled === undefined) {
    const outFolder = resolve(out ?? resolve(root, 'out'));
    const plan = await makePlan({ root, outFolder, sourceDateEpoch: env.SOURCE_DATE_EPOCH });
    return { plan, toolchain: selectToolchain(choice ?? plan.config.signing.toolchain) };
  }
  const folder = resolve(compiled);
  const record = await readCompiledRecord(folder);
  const outFolder = resolve(out ?? resolve(folder, 'out'));
  const plan = await makePlan({ root: folder, outFolder, sourceDateEpoch: String(record.sourceDateEpoch) });
  const toolchain = { ...selectToolchain(choice ?? record.toolchain), compiler: compiledEarlier(folder, record) };
  return { plan: { ...plan, commit: record.commit }, toolchain };
}

async function manifestToResume(plan: Plan): Promise<Manifest> {
  const manifest = await readManifest(plan.outFolder);
  if (manifest) return manifest;
  throw new UsageError(
    'NOTHING_TO_RESUME',
    `${plan.outFolder} holds no release.json, so there is nothing to go on from`,
    {
      hint: 'Run without --resume, or name the folder with --out.',
    },
  );
}

function newManifest(
  plan: Plan,
  toolchain: Manifest['toolchain'],
  tools: Manifest['tools'],
  mode: Manifest['mode'],
): Manifest {
  return {
    schema: 1,
    product: plan.config.product.title,
    version: plan.version,
    mode,
    toolchain,
    sourceDateEpoch: plan.sourceDateEpoch,
    commit: plan.commit,
    tools,
    stages: [],
    files: [],
    package: null,
    code: [],
    submission: null,
    ticket: null,
  };
}
