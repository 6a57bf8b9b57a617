import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { demandWritable, writeUnlessOther } from '../../src/base/files.ts';
import { readWhole } from '../../src/base/with-file.ts';
import type { IdentityRole } from '../../src/pki/identity/identity-problem.ts';
import type { SignRequest } from '../../src/pki/identity/signer.ts';
import { commandAgain } from '../again.ts';
import {
  type CommandContext,
  type CommandResult,
  type CommonOptions,
  type Execute,
  example,
  insteadOf,
  pathOption,
  replaceFileOption,
} from '../command.ts';
import { newManifest } from '../plan/manifest.ts';
import { type Prepared, prepare } from '../prepare.ts';
import { runRelease } from '../release.ts';
import { githubReport } from '../report/github.ts';
import { Run } from '../run.ts';
import { isRehearsalProject, type ReleaseSigning, timestamping } from '../signing/identities.ts';
import {
  parseSignedRole,
  readRecord,
  renderRecord,
  type SignedRole,
  type SigningRecord,
  writeRecord,
} from '../signing/record.ts';
import { askingIdentity, replayIdentity, replayTimestamps, signingOf } from '../signing/replay.ts';

/** Options of `timestamp` as the command line gives them. */
export interface TimestampOptions {
  readonly compiled: string;
  readonly record: string;
  readonly signed?: string;
  readonly release?: boolean;
}

/** Options of `digests` as the command line gives them. */
export interface DigestsOptions {
  readonly compiled: string;
  readonly record: string;
  readonly out: string;
  /** Take the place of a file with other contents. */
  readonly replace?: boolean;
}

/** Where the run of each role ends: its signatures are made by then. */
const LAST_STAGE = { application: 'sign-code', installer: 'sign-package' } as const;
const RECORD = 'what was signed and stamped so far';

/** Adds the options of `timestamp`. */
export function configureTimestamp(command: Command, execute: Execute): void {
  command
    .addOption(pathOption('--compiled <folder>', 'what `parts` made').makeOptionMandatory())
    .addOption(pathOption('--record <file>', `${RECORD}; without one, begin it`).makeOptionMandatory())
    .addOption(
      pathOption('--signed <file>', 'what check-signatures.sh wrote: check it, stamp it and add it to the record'),
    )
    .option('--release', 'when beginning: refuse to rehearse')
    .addHelpText('after', example('node cli.mjs timestamp --compiled . --record signing.json --signed signed.json'))
    .action((options: TimestampOptions & CommonOptions) => execute((context) => stamp(context, options), options));
}

/** Adds the options of `digests`. */
export function configureDigests(command: Command, execute: Execute): void {
  command
    .addOption(pathOption('--compiled <folder>', 'what `parts` made').makeOptionMandatory())
    .addOption(pathOption('--record <file>', `${RECORD}; only read`).makeOptionMandatory())
    .addOption(pathOption('--out <file>', 'file to make: a digest a line').makeOptionMandatory())
    .addOption(replaceFileOption())
    .addHelpText('after', example('node cli.mjs digests --compiled . --record signing.json --out application.txt'))
    .action((options: DigestsOptions & CommonOptions) => execute((context) => digests(context, options), options));
}

/**
 * Writes what a key elsewhere is asked to sign, a SHA-1 or SHA-256 a line in hexadecimal: of the code, or once that is stamped of
 * the packages. Sees no secret and no key: everything is built with zeros where a signature goes. Outputs of a job of GitHub are
 * `digests`, with blanks between them, and `record`.
 *
 * @throws UsageError `IDENTITY_FILE` without the certificate of that key
 */
export async function digests(context: CommandContext, options: DigestsOptions): Promise<CommandResult> {
  const record = await existingRecord(options.record);
  await demandWritable(options.out);
  const folder = await mkdtemp(join(tmpdir(), 'digests-'));
  try {
    const prepared = await prepareIn(folder, context, options.compiled);
    const { plan } = prepared;
    const { trust } = await timestamping(record.mode, asking(context, plan));
    const asked: SignRequest[] = [];
    const role = record.application ? 'installer' : 'application';
    const own = await askingIdentity(role, plan, { trust, asked });
    const earlier = record.application;
    const application = earlier
      ? (await replayIdentity('application', earlier, { trust, config: plan.config })).identity
      : own;
    const timestamp = replayTimestamps(earlier?.tokens ?? [], trust);
    await runUntil(
      context,
      prepared,
      signingOf(record, application, earlier ? own : undefined, { trust, timestamp }),
      role,
    );
    const lines = asked.map(({ digest }) => digest.toString('hex'));
    const text = lines.map((line) => `${line}\n`).join('');
    const written = await writeUnlessOther(resolve(options.out), text, options.replace === true);
    const github = githubReport(context.env);
    await github.output('digests', lines.join(' '));
    await github.output('record', renderRecord(record));
    return {
      document: { schema: 1, role, digests: asked.length },
      text: `${role}: ${asked.length} digests: ${options.out}${insteadOf(written)}\n`,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Begins a record, or checks what a key made and has it stamped; sees no secret.
 *
 * Everything is built anew from the parts, and each recorded signature must be the one that this certificate's key gives.
 *
 * @throws VerificationError `SIGNED_FORM`, `SIGNATURE_WRONG`, `SIGNATURES_LEFT`
 */
export async function stamp(context: CommandContext, options: TimestampOptions): Promise<CommandResult> {
  await demandWritable(options.record);
  const folder = await mkdtemp(join(tmpdir(), 'timestamp-'));
  try {
    const prepared = await prepareIn(folder, context, options.compiled);
    const earlier = await readRecord(resolve(options.record));
    const record = earlier ?? begun(prepared, options.release === true);
    if (options.signed === undefined) {
      if (earlier) return signedResult(earlier, 'begun before, and left unchanged');
      await writeRecord(resolve(options.record), record);
      return signedResult(record, 'begun');
    }
    const role = record.application ? 'installer' : 'application';
    if (record.installer) throw new UsageError('RECORD_COMPLETE', `${options.record} has both roles already`);
    const signed = parseSignedRole((await readWhole(resolve(options.signed))).toString('utf8'));
    const tokens = await check(context, prepared, record, role, signed);
    const complete = { ...record, [role]: { ...signed, tokens } };
    await writeRecord(resolve(options.record), complete);
    return signedResult(
      complete,
      `${role}: ${signed.signatures.length} signatures are right, ${tokens.length} stamped`,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Returns the timestamps of a role's signatures, after building what they sign anew. */
async function check(
  context: CommandContext,
  prepared: Prepared,
  record: SigningRecord,
  role: IdentityRole,
  signed: SignedRole,
): Promise<Buffer[]> {
  const { config } = prepared.plan;
  const { trust, timestamp: source } = await timestamping(record.mode, asking(context, prepared.plan));
  const checked = await replayIdentity(role, signed, { trust, config });
  const earlier = record.application;
  const application = earlier
    ? (await replayIdentity('application', earlier, { trust, config })).identity
    : checked.identity;
  const added: Buffer[] = [];
  const timestamp = replayTimestamps(earlier?.tokens ?? [], trust, { source, added });
  const installer = earlier ? checked.identity : undefined;
  await runUntil(context, prepared, signingOf(record, application, installer, { trust, timestamp }), role);
  checked.end();
  return added;
}

/** Runs the stages of a release up to the one in which a role signs; what they make is thrown away. */
async function runUntil(
  context: CommandContext,
  { plan, toolchainFor }: Prepared,
  signing: ReleaseSigning,
  role: IdentityRole,
): Promise<void> {
  const toolchain = toolchainFor(signing);
  if (toolchain.name !== 'portable') {
    throw new UsageError('SEALED_PORTABLE', 'codesign and productsign fetch timestamps while the key is open', {
      hint: 'Use signing.toolchain portable, or sign with `release --until sign-package`: docs/signing-keys.md says what differs.',
    });
  }
  const { progress, signal } = context;
  const run = new Run({
    plan,
    progress,
    signal,
    again: commandAgain({ ...context, cwd: process.cwd() }),
    manifest: newManifest(plan, toolchain.name, {}, signing.mode),
    until: LAST_STAGE[role],
  });
  await runRelease(run, { kind: 'build', toolchain, signing, cache: null }, null);
}

function prepareIn(folder: string, context: CommandContext, compiled: string): Promise<Prepared> {
  return prepare(context, { compiled, out: join(folder, 'work') });
}

function begun({ plan }: Prepared, isRelease: boolean): SigningRecord {
  const { teamIdentifier } = plan.config.signing;
  const isExpected = isRelease || teamIdentifier !== null;
  const mode = isExpected && !isRehearsalProject(plan.config) ? 'release' : 'rehearsal';
  return { mode, signingTime: Math.floor(Date.now() / 1000), application: null, installer: null };
}

const signedResult = ({ mode, signingTime }: SigningRecord, summary: string): CommandResult => ({
  document: { schema: 1, mode, signingTime, summary },
  text: `${mode}, signing time ${new Date(signingTime * 1000).toISOString()}; ${summary}\n`,
});

async function existingRecord(path: string): Promise<SigningRecord> {
  const record = await readRecord(resolve(path));
  if (record) return record;
  throw new UsageError('RECORD_MISSING', `cannot read ${path}`, {
    hint: 'Begin one: node cli.mjs timestamp --record FILE',
  });
}

const asking = ({ env, trust }: CommandContext, plan: Prepared['plan']) => ({ env, plan, ...(trust && { trust }) });
