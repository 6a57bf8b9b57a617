import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { appleTrust } from '../../src/pki/x509/apple-roots.ts';
import { openRehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { selectToolchain } from '../../src/toolchain/select.ts';
import type { Toolchain } from '../../src/toolchain/toolchain.ts';
import {
  type CommandContext,
  type CommandResult,
  type CommonOptions,
  type Execute,
  example,
  maxWait,
  outOption,
  toolchainOption,
} from '../command.ts';
import { connectToNotary, type NotaryConnection, namesNotaryKey } from '../notary/connection.ts';
import { preflight } from '../notary/preflight.ts';
import { compiledEarlier, readCompiledRecord } from '../parts/parts.ts';
import type { Manifest } from '../plan/manifest.ts';
import { makePlan, type Plan } from '../plan/plan.ts';
import { manifestToResume, unusableReason } from '../plan/resume.ts';
import { type Beginning, type Finishing, runRelease } from '../release.ts';
import { renderSummary } from '../report/summary.ts';
import { Run, SIGNING_STAGES, STAGES, type StageName } from '../run.ts';
import { REHEARSAL_FOLDER, type ReleaseSigning, resolveSigning } from '../signing/identities.ts';
import { compileCache } from '../stages/compile-cache.ts';

/** Options of `release` and `build` as the command line gives them. */
export interface ReleaseOptions {
  readonly toolchain?: 'portable' | 'apple' | 'auto';
  /** Whose client submits and staples, where that is not to be the toolchain's. */
  readonly notary?: 'portable' | 'apple';
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

/** Adds the options of `release`. */
export function configureRelease(command: Command, execute: Execute): void {
  command
    .addOption(toolchainOption('whose tools build the package'))
    .addOption(
      new Option('--notary <name>', "whose client submits and staples (default: the toolchain's)").choices([
        'portable',
        'apple',
      ]),
    )
    .addOption(outOption())
    .addOption(new Option('--until <stage>', 'stop after this stage').choices([...STAGES]))
    .option('--resume', 'resume what out/<version>/release.json records')
    .option('--compiled <folder>', 'compile nothing: take what `parts` put into this folder')
    .option('--submit-only', 'end once the notary has the package; a later --resume waits for its verdict')
    .addOption(maxWait('how long to wait for the notary, such as 30m (default: 1h); then exit 5'))
    .addHelpText('after', example('npm start -- --out /tmp/release --until build-package'))
    .action((options: ReleaseOptions & CommonOptions) => execute((context) => release(context, options), options));
}

/** Adds the options of `build`. */
export function configureBuild(command: Command, execute: Execute): void {
  command
    .addOption(toolchainOption('whose tools build the package'))
    .addOption(outOption())
    .addHelpText('after', example('npm run -s cli -- build --json'))
    .action((options: ReleaseOptions & CommonOptions) => execute((context) => build(context, options), options));
}

/** Runs every stage, from source to the package. */
export async function release(context: CommandContext, options: ReleaseOptions): Promise<CommandResult> {
  return runStages(context, options, 'release');
}

/** Runs the stages up to the unsigned package. */
export async function build(context: CommandContext, options: ReleaseOptions): Promise<CommandResult> {
  return runStages(context, options, 'build');
}

async function runStages(
  context: CommandContext,
  options: ReleaseOptions,
  command: 'release' | 'build',
): Promise<CommandResult> {
  const prepared = await prepare(context, options);
  const { plan } = prepared;
  if (command === 'build')
    return finish(
      context,
      plan,
      beginAnew(context, prepared, null, prepared.toolchainFor(null)),
      null,
      'build-package',
    );
  const earlier = options.resume ? await earlierRun(context, plan) : undefined;
  const signing = earlier?.signing ?? (await resolveSigning({ env: context.env, plan, ...trustOf(context) }));
  refuseHalfSetUp(signing.mode, context.env);
  const toolchain = prepared.toolchainFor(signing);
  // Whoever only signs has no key of the notary.
  const connection = endsBeforeNotary(options.until)
    ? null
    : await connectToNotary({
        env: context.env,
        plan,
        mode: signing.mode,
        ...trustOf(context),
        maxWaitMs: options.submitOnly ? 0 : options.maxWait,
      });
  try {
    // A key, an agreement or a clock that is not right shows here, not after the build.
    if (connection?.mode === 'release') await checkOutside(toolchain, connection, context, plan);
    const begun = earlier?.begun ?? beginAnew(context, prepared, signing as ReleaseSigning, toolchain);
    return await finish(context, plan, begun, connection && { signing, connection, toolchain }, options.until);
  } finally {
    await connection?.close();
  }
}

const trustOf = ({ trust }: CommandContext) => (trust ? { trust } : {});

async function checkOutside(
  toolchain: Toolchain,
  { access }: NotaryConnection,
  { signal }: CommandContext,
  { config }: Plan,
): Promise<void> {
  const { timestamp: timestampUrl } = config.services;
  await preflight({ notary: toolchain.notary(access), ticketUrl: access.ticketUrl, timestampUrl, signal });
}

/** Returns the plan and the tools; with --compiled, both as the machine that compiled had them. */
async function prepare(
  { root, env }: CommandContext,
  { compiled, out, toolchain: choice, notary, resume }: ReleaseOptions,
): Promise<Prepared> {
  if (compiled === undefined) {
    const outFolder = resolve(out ?? resolve(root, 'out'));
    const plan = await makePlan({ root, outFolder, sourceDateEpoch: env.SOURCE_DATE_EPOCH });
    const toolchainFor = (signing: Signing | null) =>
      toolchainOf(choice ?? plan.config.signing.toolchain, signing, notary);
    return { plan, compilesHere: true, toolchainFor };
  }
  const folder = resolve(compiled);
  const record = await readCompiledRecord(folder);
  const outFolder = resolve(out ?? resolve(folder, 'out'));
  const plan = await makePlan({ root: folder, outFolder, sourceDateEpoch: String(record.sourceDateEpoch) });
  // What is left to do once a package is signed can be done on any machine, so that a Mac that is gone stops nobody.
  const recorded = resume && record.toolchain === 'apple' ? 'auto' : record.toolchain;
  const toolchainFor = (signing: Signing | null) => {
    const here = toolchainOf(choice ?? recorded, signing, notary);
    return { ...here, compiler: compiledEarlier(folder, record, here.compiler) };
  };
  return { plan: { ...plan, commit: record.commit }, compilesHere: false, toolchainFor };
}

const endsBeforeNotary = (until: StageName | undefined) => until !== undefined && SIGNING_STAGES.includes(until);

/** Who signs or signed: whose timestamps are asked for is known only before. */
type Signing = Pick<ReleaseSigning, 'mode'> & Partial<Pick<ReleaseSigning, 'timestamp'>>;

interface Prepared {
  readonly plan: Plan;
  /** False where slices come from a folder of parts. */
  readonly compilesHere: boolean;
  /** Who signs decides whose timestamps are asked for, and whether Apple's tools can sign at all. */
  toolchainFor(signing: Signing | null): Toolchain;
}

/** Apple's tools believe only what leads to Apple and ask only its services, so a rehearsal has them compile and build, no more. */
function toolchainOf(
  choice: 'portable' | 'apple' | 'auto',
  signing: Signing | null,
  client: ReleaseOptions['notary'],
): Toolchain {
  const toolchain = selectToolchain(choice, signing?.timestamp);
  if (signing?.mode !== 'rehearsal') {
    const { notary, stapler } = client === undefined ? toolchain : selectToolchain(client);
    return { ...toolchain, notary, stapler };
  }
  if (toolchain.name === 'portable') return toolchain;
  const { compiler, packageBuilder } = toolchain;
  const portable = selectToolchain('portable', signing.timestamp);
  return { ...portable, name: toolchain.name, compiler, packageBuilder };
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
  const run = new Run({ plan, progress, signal, manifest, until });
  const result = await runRelease(run, beginning, finishing);
  return { document: result, text: renderSummary(result, plan) };
}

function beginAnew(
  { progress, env, root }: CommandContext,
  { plan, compilesHere }: Prepared,
  signing: ReleaseSigning | null,
  toolchain: Toolchain,
): Begun {
  for (const warning of signing?.warnings ?? []) progress.note('warning', warning);
  const tools = { node: process.versions.node, zlib: process.versions.zlib };
  const manifest = newManifest(plan, toolchain.name, tools, signing?.mode ?? 'build');
  // What is released, and whatever runs in CI, is compiled in the same run.
  const mayReuse = compilesHere && manifest.mode !== 'release' && (env.CI ?? '') === '';
  const cache = mayReuse ? compileCache(join(root, '.build/compiled')) : null;
  return { manifest, beginning: { kind: 'build', toolchain, signing, cache } };
}

/** Returns the earlier run that is to be gone on with; undefined, after saying why, when all stages must run again. */
async function earlierRun(
  { env, progress, trust: told }: CommandContext,
  plan: Plan,
): Promise<{ begun: Begun; signing: Finishing['signing'] } | undefined> {
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
  const trust = mode === 'release' ? (told ?? appleTrust()) : await trustOfRehearsal(plan);
  const { teamIdentifier } = manifest.package;
  return {
    begun: { manifest, beginning: { kind: 'resume' } },
    signing: { mode, trust, teamIdentifier: teamIdentifier ?? '' },
  };
}

async function trustOfRehearsal(plan: Plan): Promise<ReleaseSigning['trust']> {
  return (await openRehearsalAuthority(join(plan.root, REHEARSAL_FOLDER))).trust;
}

/** A notary key without signing identities is no rehearsal: somebody forgot the identities. */
function refuseHalfSetUp(mode: 'release' | 'rehearsal', env: CommandContext['env']): void {
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
    timeFrom: plan.timeFrom,
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
