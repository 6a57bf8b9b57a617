import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { demandWritable } from '../../src/base/files.ts';
import { makeFolder } from '../../src/base/place/folder.ts';
import { withFile } from '../../src/base/with-file.ts';
import { appleTrust } from '../../src/pki/x509/apple-roots.ts';
import { openRehearsalAuthority, REHEARSAL_FOLDER } from '../../src/rehearsal/authority.ts';
import type { Toolchain } from '../../src/toolchain/toolchain.ts';
import { commandAgain, commandToTheEnd, commandWithOther } from '../again.ts';
import {
  type CommandContext,
  type CommandResult,
  type CommonOptions,
  type Execute,
  example,
  maxWait,
  outOption,
  pathOption,
  toolchainOption,
} from '../command.ts';
import { connectToNotary, type NotaryConnection, namesNotaryKey, refuseHalfSetUp } from '../notary/connection.ts';
import { preflight } from '../notary/preflight.ts';
import { MANIFEST_FILE, type Manifest, newManifest, readManifest } from '../plan/manifest.ts';
import { type Plan, REHEARSAL_SUFFIX } from '../plan/plan.ts';
import { unusableReason } from '../plan/resume.ts';
import { demandRoom } from '../plan/standing.ts';
import { type Prepared, type PrepareOptions, prepare } from '../prepare.ts';
import { demandReady, examinations } from '../readiness.ts';
import { type Beginning, type Finishing, runRelease } from '../release.ts';
import { demandKind, refuseFolder } from '../report/demand-kind.ts';
import { renderSummary } from '../report/summary.ts';
import { Run, SIGNING_STAGES, STAGES, type StageName } from '../run.ts';
import { missingNames, NOTARY_NAMES } from '../signing/credentials.ts';
import {
  isRehearsalProject,
  type ReleaseSigning,
  resolveSigning,
  type SigningInput,
  timestamping,
} from '../signing/identities.ts';
import { readRecord } from '../signing/record.ts';
import { replaySigning } from '../signing/replay.ts';
import { compileCache } from '../stages/compile-cache.ts';

/** Options of `release` and `build` as the command line gives them. */
export interface ReleaseOptions extends PrepareOptions {
  readonly until?: StageName;
  /** Record of signatures and timestamps that were made elsewhere (`timestamp`). */
  readonly signatures?: string;
  /** Longest wait for the notary, in milliseconds. */
  readonly maxWait?: number;
  /** End once the package is uploaded; a later run with `resume` waits for the verdict. */
  readonly submitOnly?: boolean;
  /** Refuse anything less than a release, or ask for a rehearsal whatever is set. */
  readonly release?: boolean;
  readonly rehearsal?: boolean;
  /** Take the place of a finished release, or of a package that the notary has. */
  readonly replace?: boolean;
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
    .addOption(replaceOption())
    .addOption(new Option('--until <stage>', 'stop after this stage').choices([...STAGES]))
    .option('--resume', 'resume what out/<version>/release.json records; without one, begin')
    .addOption(
      new Option('--release', 'refuse to rehearse: every secret that this run needs must be set').conflicts(
        'rehearsal',
      ),
    )
    .option('--rehearsal', 'rehearse, whatever secrets are set and whichever team is configured')
    .addOption(pathOption('--compiled <folder>', 'compile nothing: take what `parts` put into this folder'))
    .addOption(
      pathOption('--signatures <file>', 'sign nothing: take the signatures and timestamps that `timestamp` recorded'),
    )
    .addOption(
      pathOption('--previous <package>', 'package of the release before; the release page says what changed since'),
    )
    .option('--submit-only', 'end once the notary has the package; a later --resume waits for its verdict')
    .addOption(maxWait('how long to wait for the notary, such as 30m (default: 1h); then exit 5'))
    .addHelpText('after', example('npm start -- --out /tmp/release --until build-package'))
    .action((options: ReleaseOptions & CommonOptions) => execute((context) => release(context, options), options));
}

function replaceOption(): Option {
  return new Option('--replace', 'begin anew where a finished release, a submission or a signed package is');
}

/** Adds the options of `build`. */
export function configureBuild(command: Command, execute: Execute): void {
  command
    .addOption(toolchainOption('whose tools build the package'))
    .addOption(outOption())
    .addOption(replaceOption())
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
  if (command === 'build') {
    const { plan } = prepared;
    const toolchain = prepared.toolchainFor(null);
    await examined(plan, prepared.compilesHere ? toolchain : null);
    await takePlace(context, plan, 'build', options);
    const begun = beginAnew(context, prepared, null, toolchain);
    return finish(context, plan, begun, null, 'build-package');
  }
  if (options.previous !== undefined) await demandPackage(options.previous);
  const demand = demandOf(options);
  const earlier = options.resume ? await earlierRun(context, prepared.plan, demand) : undefined;
  const alsoMissing = endsBeforeNotary(options.until) ? [] : missingNames(NOTARY_NAMES, context.env);
  const asked = { env: context.env, plan: prepared.plan, demand, alsoMissing, ...trustOf(context) };
  const signing =
    earlier?.signing ??
    (options.signatures === undefined ? await resolveSigning(asked) : await recordedSigning(options.signatures, asked));
  if (demand !== 'rehearsal') refuseHalfSetUp(signing.mode, context.env);
  const plan = named(prepared.plan, signing.mode);
  const toolchain = prepared.toolchainFor(signing);
  await examined(plan, prepared.compilesHere && !earlier ? toolchain : null);
  if (!earlier) await takePlace(context, plan, signing.mode, options);
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
    const begun = earlier?.begun ?? beginAnew(context, { ...prepared, plan }, signing as ReleaseSigning, toolchain);
    return await finish(context, plan, begun, connection && { signing, connection, toolchain }, options.until);
  } finally {
    await connection?.close();
  }
}

/** What the run is to be, whatever is set. */
type Demand = 'release' | 'rehearsal' | undefined;

function demandOf({ release: isRelease, rehearsal }: ReleaseOptions): Demand {
  if (isRelease) return 'release';
  return rehearsal ? 'rehearsal' : undefined;
}

/** Returns who signed, when the keys were used in steps of their own. */
async function recordedSigning(path: string, asked: SigningInput): Promise<ReleaseSigning> {
  const record = await readRecord(resolve(path));
  if (!record?.application || !record.installer) {
    throw new UsageError('RECORD_INCOMPLETE', `${path} does not hold the signatures of both keys`, {
      hint: 'For each role: sign, then `timestamp --signed`.',
    });
  }
  if (asked.demand === 'release' && record.mode !== 'release' && !isRehearsalProject(asked.plan.config)) {
    throw new UsageError('RECORD_REHEARSAL', `${path} was begun as a rehearsal`, {
      hint: 'Begin it anew: node cli.mjs timestamp --release --record FILE',
    });
  }
  const { application, installer } = record;
  const { trust } = await timestamping(record.mode, asked);
  return replaySigning({ ...record, application, installer }, { trust, config: asked.plan.config });
}

/** What a rehearsal makes says so in its name, but where the configuration itself says that all is a rehearsal. */
function named(plan: Plan, mode: ReleaseSigning['mode']): Plan {
  return mode === 'release' || isRehearsalProject(plan.config) ? plan : { ...plan, nameSuffix: REHEARSAL_SUFFIX };
}

/** Says what the run replaces, or refuses to. */
async function takePlace(
  context: CommandContext,
  plan: Plan,
  mode: Manifest['mode'],
  { replace = false }: ReleaseOptions,
): Promise<void> {
  const typed = { ...context, cwd: process.cwd() };
  const commandWith = (...more: string[]) => commandWithOther(typed, more);
  const replaced = await demandRoom(plan, { mode, replace, commandWith });
  if (replaced !== undefined) context.progress.note('fact', `Replaces ${replaced}.`);
  await makeFolder(plan.outFolder);
  await demandWritable(join(plan.outFolder, MANIFEST_FILE));
}

/** What `doctor` shows is looked at before the first stage, and before anybody outside is asked. */
async function examined(plan: Plan, toolchain: Toolchain | null): Promise<void> {
  const compiler = toolchain && (async () => toolchain);
  await demandReady(examinations({ plan: async () => plan, compiler }));
}

/** The package that the release page compares with is opened last; a wrong one must not end a run that the notary has seen. */
async function demandPackage(file: string): Promise<void> {
  const taken = 'a flat package (.pkg)';
  await refuseFolder(file, taken);
  await withFile(file, (access) => demandKind(access, file, ['package'], taken));
}

const trustOf = ({ trust }: CommandContext) => (trust ? { trust } : {});

async function checkOutside(
  toolchain: Toolchain,
  { access }: NotaryConnection,
  { progress, signal }: CommandContext,
  { config }: Plan,
): Promise<void> {
  const { timestamp: timestampUrl } = config.services;
  // Without a network each is tried again and again, half a minute long.
  progress.begin('services').update('asking whether they are ready');
  await preflight({ notary: toolchain.notary(access), ticketUrl: access.ticketUrl, timestampUrl, signal });
}

const endsBeforeNotary = (until: StageName | undefined) => until !== undefined && SIGNING_STAGES.includes(until);

interface Begun {
  readonly manifest: Manifest;
  readonly beginning: Beginning;
}

async function finish(
  context: CommandContext,
  plan: Plan,
  { manifest, beginning }: Begun,
  finishing: Finishing | null,
  until: StageName | undefined,
): Promise<CommandResult> {
  const { progress, signal } = context;
  const typed = { ...context, cwd: process.cwd() };
  const run = new Run({ plan, progress, signal, manifest, until, again: commandAgain(typed) });
  const result = await runRelease(run, beginning, finishing);
  return { document: result, text: renderSummary(result, plan, commandToTheEnd(typed)) };
}

function beginAnew(
  { progress, env, root }: CommandContext,
  { plan, compilesHere }: Pick<Prepared, 'plan' | 'compilesHere'>,
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

/** Returns the earlier run that is resumed; undefined, after saying why, when all stages must run again. */
async function earlierRun(
  { env, progress, trust: given }: CommandContext,
  plan: Plan,
  demand: Demand,
): Promise<{ begun: Begun; signing: Finishing['signing'] } | undefined> {
  const manifest = await readManifest(plan.outFolder);
  if (!manifest) {
    progress.note('fact', `Nothing to resume: ${plan.outFolder} holds no release.json. All stages will run.`);
    return undefined;
  }
  const reason = manifest.mode === 'build' ? 'it was not a release' : await unusableReason(manifest, plan);
  if (reason !== undefined || manifest.mode === 'build' || !manifest.package) {
    progress.note('warning', `Nothing of the earlier run can be used: ${reason}. All stages will run again.`);
    return undefined;
  }
  const { mode } = manifest;
  const isExpected = namesNotaryKey(env) || plan.config.signing.teamIdentifier !== null;
  const wanted = demand ?? (isExpected ? 'release' : mode);
  if (mode !== wanted && !isRehearsalProject(plan.config)) {
    progress.note('warning', `The earlier run was a ${mode}. All stages will run again, as a ${wanted}.`);
    return undefined;
  }
  // Going on needs no identity: nothing is signed again.
  const trust = mode === 'release' ? (given ?? appleTrust()) : await trustOfRehearsal(plan);
  const { teamIdentifier } = manifest.package;
  return {
    begun: { manifest, beginning: { kind: 'resume' } },
    signing: { mode, trust, teamIdentifier: teamIdentifier ?? '' },
  };
}

async function trustOfRehearsal(plan: Plan): Promise<ReleaseSigning['trust']> {
  return (await openRehearsalAuthority(join(plan.root, REHEARSAL_FOLDER))).trust;
}
