import { join, resolve } from 'node:path';
import { UsageError } from '../../src/base/errors.ts';
import { selectToolchain, type Toolchain } from '../../src/toolchain/select.ts';
import type { CommandContext, CommandResult } from '../cli.ts';
import type { ReleaseSigning } from '../identities.ts';
import type { Manifest } from '../manifest.ts';
import { makePlan, type Plan } from '../plan.ts';
import type { Beginning, Finishing } from '../release.ts';
import { renderSummary } from '../report/summary.ts';
import { Run, SIGNING_STAGES, type StageName } from '../run.ts';

/** Options of `release` and `build` as the command line gives them. */
export interface ReleaseOptions {
  readonly toolchain?: 'portable' | 'apple' | 'auto';
  readonly out?: string;
  readonly until?: StageName;
  readonly resume?: boolean;
  /** Folder that `parts` made: its slices are taken, and all else that a release reads. */
  readonly compiled?: string;
  /** Longest wait for the notary, in milliseconds. */
  readonly maxWait?: number;
  /** End once the package is uploaded; a later run with `resume` waits for the verdict. */
  readonly submitOnly?: boolean;
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
  const prepared = await prepare(context, options);
  const { plan } = prepared;
  if (command === 'build')
    return finish(context, plan, await beginAnew(context, prepared, null), null, 'build-package');
  // Loaded only now: `build` needs nothing of what signs, asks the notary and plays its part in a rehearsal.
  const { resolveSigning } = await import('../identities.ts');
  const { connectToNotary } = await import('../notary-connection.ts');
  const earlier = options.resume ? await earlierRun(context, plan) : undefined;
  const signing = earlier?.signing ?? (await resolveSigning({ env: context.env, plan }));
  await refuseHalfSetUp(signing.mode, context.env);
  // Whoever only signs has no key of the notary.
  const notary = endsBeforeNotary(options.until)
    ? null
    : await connectToNotary({
        env: context.env,
        plan,
        mode: signing.mode,
        maxWaitMs: options.submitOnly ? 0 : options.maxWait,
      });
  try {
    // A key, an agreement or a clock that is not right shows here, not after the build.
    if (notary?.mode === 'release') {
      const { preflight } = await import('../preflight.ts');
      await preflight({ connection: notary, timestampUrl: plan.config.services.timestamp, signal: context.signal });
    }
    const begun = earlier?.begun ?? (await beginAnew(context, prepared, signing as ReleaseSigning));
    return await finish(context, plan, begun, notary && { signing, notary }, options.until);
  } finally {
    await notary?.close();
  }
}

/** Returns the plan and the tools; with --compiled, both as the machine that compiled had them. */
async function prepare(
  { root, env }: CommandContext,
  { compiled, out, toolchain: choice }: ReleaseOptions,
): Promise<Prepared> {
  if (compiled === undefined) {
    const outFolder = resolve(out ?? resolve(root, 'out'));
    // The stages are loaded while git is at work.
    const [plan] = await Promise.all([
      makePlan({ root, outFolder, sourceDateEpoch: env.SOURCE_DATE_EPOCH }),
      import('../release.ts'),
    ]);
    return { plan, toolchainFor: (signing) => toolchainOf(choice ?? plan.config.signing.toolchain, signing) };
  }
  const { compiledEarlier, readCompiledRecord } = await import('../parts.ts');
  const folder = resolve(compiled);
  const record = await readCompiledRecord(folder);
  const outFolder = resolve(out ?? resolve(folder, 'out'));
  const plan = await makePlan({ root: folder, outFolder, sourceDateEpoch: String(record.sourceDateEpoch) });
  const toolchainFor = async (signing: ReleaseSigning | null) => {
    const here = await toolchainOf(choice ?? record.toolchain, signing);
    return { ...here, compiler: compiledEarlier(folder, record, here.compiler) };
  };
  return { plan: { ...plan, commit: record.commit }, toolchainFor };
}

const endsBeforeNotary = (until: StageName | undefined) => until !== undefined && SIGNING_STAGES.includes(until);

interface Prepared {
  readonly plan: Plan;
  /** Who signs decides whose timestamps are asked for, and whether Apple's tools can sign at all. */
  toolchainFor(signing: ReleaseSigning | null): Promise<Toolchain>;
}

/** codesign and productsign refuse a certificate that does not lead to Apple, so a rehearsal is signed by the portable tools. */
async function toolchainOf(choice: 'portable' | 'apple' | 'auto', signing: ReleaseSigning | null): Promise<Toolchain> {
  const parts = signing ? { timestamp: signing.timestamp } : undefined;
  const toolchain = await selectToolchain(choice, parts);
  if (toolchain.name === 'portable' || signing?.mode !== 'rehearsal') return toolchain;
  const { codeSigner, packageSigner } = await selectToolchain('portable', parts);
  return { ...toolchain, codeSigner, packageSigner };
}

interface Begun {
  readonly manifest: Manifest;
  readonly beginning: Beginning;
}

async function finish(
  { progress, signal }: CommandContext,
  plan: Plan,
  { manifest, beginning }: Begun,
  finishing: Finishing | null,
  until: StageName | undefined,
): Promise<CommandResult> {
  const { runRelease } = await import('../release.ts');
  const run = new Run({ plan, progress, signal, manifest, until });
  const result = await runRelease(run, beginning, finishing);
  return { document: result, text: renderSummary(result, plan) };
}

async function beginAnew(
  { progress }: CommandContext,
  { plan, toolchainFor }: Prepared,
  signing: ReleaseSigning | null,
): Promise<Begun> {
  const toolchain = await toolchainFor(signing);
  for (const warning of signing?.warnings ?? []) progress.note('warning', warning);
  const tools = { node: process.versions.node, zlib: process.versions.zlib };
  const manifest = newManifest(plan, toolchain.name, tools, signing?.mode ?? 'build');
  return { manifest, beginning: { kind: 'build', toolchain, signing } };
}

/** Returns the earlier run that is to be gone on with; undefined, after saying why, when all stages must run again. */
async function earlierRun(
  { env, progress }: CommandContext,
  plan: Plan,
): Promise<{ begun: Begun; signing: Finishing['signing'] } | undefined> {
  const { manifestToResume, unusableReason } = await import('../resume.ts');
  const { namesNotaryKey } = await import('../notary-connection.ts');
  const manifest = await manifestToResume(plan);
  const reason = manifest.mode === 'build' ? 'it was no release' : await unusableReason(manifest, plan);
  if (reason !== undefined || manifest.mode === 'build' || !manifest.package) {
    progress.note('warning', `Nothing of the earlier run can be used: ${reason}. All stages run again.`);
    return undefined;
  }
  const { mode } = manifest;
  if (mode === 'rehearsal' && namesNotaryKey(env)) {
    progress.note('warning', 'The earlier run was a rehearsal. All stages run again, as a release.');
    return undefined;
  }
  // Going on needs no identity: nothing is signed again.
  const trust = await trustOf(mode, plan);
  const { teamIdentifier } = manifest.package;
  return {
    begun: { manifest, beginning: { kind: 'resume' } },
    signing: { mode, trust, teamIdentifier: teamIdentifier ?? '' },
  };
}

async function trustOf(mode: 'release' | 'rehearsal', plan: Plan): Promise<ReleaseSigning['trust']> {
  if (mode === 'release') return (await import('../../src/pki/apple-roots.ts')).appleTrust();
  const { REHEARSAL_FOLDER } = await import('../identities.ts');
  const { openRehearsalAuthority } = await import('../../src/rehearsal/authority.ts');
  return (await openRehearsalAuthority(join(plan.root, REHEARSAL_FOLDER))).trust;
}

/** A notary key without signing identities is no rehearsal: somebody forgot the identities. */
async function refuseHalfSetUp(mode: 'release' | 'rehearsal', env: CommandContext['env']): Promise<void> {
  const { namesNotaryKey } = await import('../notary-connection.ts');
  if (mode === 'release' || !namesNotaryKey(env)) return;
  throw new UsageError('IDENTITY_INCOMPLETE', 'a notary key is set, but no signing identity', {
    hint: 'Set APPLICATION_P12_BASE64, INSTALLER_P12_BASE64 and their passwords too, or unset NOTARY_KEY for a rehearsal.',
  });
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
