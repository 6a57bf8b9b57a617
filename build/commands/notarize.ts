import type { Command } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { retry } from '../../src/base/retry.ts';
import { type NotaryLog, renderIssues } from '../../src/notary/log.ts';
import { fetchLog, VERDICTS, waitForVerdict } from '../../src/notary/wait.ts';
import { portableNotary } from '../../src/toolchain/portable/notary.ts';
import {
  type CommandContext,
  type CommandResult,
  type CommonOptions,
  type Execute,
  example,
  maxWait,
} from '../command.ts';
import { connectToNotary, type NotaryConnection, namesNotaryKey, readKey } from '../notary/connection.ts';
import { readConfig } from '../plan/config.ts';
import { lookAlikes } from '../signing/credentials.ts';
import { isRehearsalProject } from '../signing/identities.ts';

/** Options of `notarize`: one of `status` and `wait`, each a submission's id. */
export interface NotarizeCommandOptions {
  readonly status?: string;
  readonly wait?: string;
  /** Milliseconds. */
  readonly maxWait?: number;
}

/** Adds the options of `notarize`. */
export function configureNotarize(command: Command, execute: Execute): void {
  command
    .option('--status <id>', 'say what became of it')
    .option('--wait <id>', 'wait until there is a verdict, and show the log')
    .addOption(maxWait('how long to wait, such as 30m (default: 1h); then exit 5'))
    .addHelpText('after', example('npm run -s cli -- notarize --wait 2efe2717-52ef-43a5-96dc-0797e4ca1041'))
    .action((options: NotarizeCommandOptions & CommonOptions) =>
      execute((context) => notarize(context, options), options),
    );
}

/** Says what became of a submission, or waits until that is known; exit 0 unless it was refused (4) or time ran out (5). */
async function notarize(context: CommandContext, options: NotarizeCommandOptions): Promise<CommandResult> {
  const id = options.status ?? options.wait;
  if (id === undefined || (options.status !== undefined && options.wait !== undefined)) {
    throw new UsageError('USAGE', 'give either --status ID or --wait ID', {
      hint: 'The id is in out/<version>/release.json, and the run that submitted printed it. To submit: npm start',
    });
  }
  await refuseSilentRehearsal(context);
  const connection = await openConnection(context, options.maxWait);
  try {
    return await (options.status === undefined ? wait(id, connection, context) : status(id, connection, context));
  } finally {
    await connection.close();
  }
}

/** Where a team is configured, or a name has a slip, a missing key is a mistake and no rehearsal. */
async function refuseSilentRehearsal({ env, root }: CommandContext): Promise<void> {
  if (namesNotaryKey(env)) return;
  const config = await readConfig(root);
  const mayRehearse = config.signing.teamIdentifier === null || isRehearsalProject(config);
  if (!mayRehearse || lookAlikes(env).length > 0) await readKey(env);
}

/** Without a notary key the rehearsal's notary is asked. */
export async function openConnection(context: CommandContext, maxWaitMs?: number): Promise<NotaryConnection> {
  const plan = { root: context.root, config: await readConfig(context.root) };
  const mode = namesNotaryKey(context.env) ? 'release' : 'rehearsal';
  if (mode === 'rehearsal') {
    context.progress.note('warning', "NOTARY_KEY is not set, so this asks the rehearsal's notary, not Apple's.");
  }
  return connectToNotary({ env: context.env, plan, mode, maxWaitMs });
}

async function status(id: string, { access }: NotaryConnection, { signal }: CommandContext): Promise<CommandResult> {
  const notary = portableNotary(access);
  const state = await retry(() => notary.status(id, signal), { delaysMs: [1000, 2000, 4000, 8000], signal });
  const next = VERDICTS.has(state.status) ? '' : `\nNext: npm run -s cli -- notarize --wait ${state.id}\n`;
  const text = `${state.status}: ${state.name}, submitted ${state.createdDate}\n${next}`;
  return { document: { schema: 1, submission: { ...state } }, text, exitCode: exitCodeFor(state.status) };
}

async function wait(
  id: string,
  { access, waiting }: NotaryConnection,
  context: CommandContext,
): Promise<CommandResult> {
  const { progress, signal } = context;
  const stage = progress.begin('notarize');
  const options = {
    notary: portableNotary(access),
    ...waiting,
    tell: stage.update,
    warn: (text: string) => progress.note('warning', text),
    goOn: (submission: string) => `npm run -s cli -- notarize --wait ${submission}`,
    signal,
  };
  // When it was submitted is not known here; an id that is unknown now was never right.
  const state = await waitForVerdict({ id, submittedAt: new Date(0).toISOString() }, options);
  const log = await fetchLog(id, options);
  const document = { schema: 1, submission: { ...state }, log: log && JSON.parse(log.source.toString('utf8')) };
  return { document, text: verdictText(state.status, log), exitCode: exitCodeFor(state.status) };
}

function verdictText(verdict: string, log: NotaryLog | null): string {
  const issues = log && log.issues.length > 0 ? `${renderIssues(log.issues)}\n` : '';
  const next =
    verdict === 'Accepted'
      ? '\nNext: npm run -s cli -- staple FILE, or npm start -- --resume\n'
      : '\nOnce that is mended: npm start\n';
  return `${verdict}${log?.statusSummary ? `: ${log.statusSummary}` : ''}\n${issues}${next}`;
}

const exitCodeFor = (verdict: string) => (verdict === 'Invalid' || verdict === 'Rejected' ? 4 : 0);
