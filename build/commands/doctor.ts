import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Check } from '../../src/base/check.ts';
import { UsageError } from '../../src/base/errors.ts';
import { describeRoute } from '../../src/base/network/proxy.ts';
import { compareVersions } from '../../src/base/version.ts';
import { portableNotary } from '../../src/toolchain/portable/notary.ts';
import { selectToolchain } from '../../src/toolchain/select.ts';
import { commandWithOther } from '../again.ts';
import {
  addCommand,
  type CommandContext,
  type CommandResult,
  type CommonOptions,
  type Execute,
  example,
} from '../command.ts';
import { examineSetUp } from '../github/upkeep/set-up.ts';
import { connectToNotary, namesNotaryKey, refuseHalfSetUp } from '../notary/connection.ts';
import { type OutsideCheck, preflightChecks } from '../notary/preflight.ts';
import { type Config, readConfig } from '../plan/config.ts';
import { makePlan, type Plan } from '../plan/plan.ts';
import { demandRoom } from '../plan/standing.ts';
import { type Examination, examinations, examineAll } from '../readiness.ts';
import { renderChecks } from '../report/checks.ts';
import { describeSigning } from '../signing/identities.ts';
import { configureExplain } from './explain.ts';

/** Adds the options of `doctor`, and the command `doctor explain`. */
export function configureDoctor(command: Command, execute: Execute): void {
  command
    .option('--ci', 'check the set-up on GitHub instead: workflows, pins, environments, secrets, rules')
    .addHelpText(
      'after',
      `${example('npm run -s cli -- doctor')}\nExit code 0 when no check failed, else 2; what is skipped has not passed.\n`,
    )
    .action((options: { ci?: boolean } & CommonOptions) => execute((context) => doctor(context, options), options));
  configureExplain(
    addCommand(command, 'explain', "say what a message of Apple's tools or services means"),
    // Options that both commands have are taken by the outer one, wherever they stand.
    (work, options) => execute(work, { ...command.opts(), ...options }),
  );
}

/**
 * Checks that this machine and the configuration can make a release; exit 0 when all is well, 2 otherwise.
 *
 * @param options with `ci`, the set-up of the repository on GitHub is checked instead
 */
export async function doctor(context: CommandContext, options: { readonly ci?: boolean } = {}): Promise<CommandResult> {
  if (options.ci) {
    const found = await examineSetUp(context);
    return verdictOf(found, 'The repository is set up for releases, as far as it could be looked at.');
  }
  const { root, env } = context;
  let found: Promise<Signing> | undefined;
  const signing = () => {
    found ??= examineSigning(root, env);
    return found;
  };
  const local = await examineAll(localExaminations(context, signing));
  const mode = await signing().then(
    (known) => known.mode,
    () => undefined,
  );
  const checks = [...local, ...(await outsideChecks(context, mode))];
  return verdictOf(checks, `npm start can run here, as a ${mode}.`);
}

function verdictOf(checks: readonly Check[], well: string): CommandResult {
  const failed = checks.filter((check) => check.status === 'fail').length;
  const skipped = checks.filter((check) => check.status === 'skipped').length;
  const unseen = skipped === 0 ? '' : ` ${skipped === 1 ? '1 check was' : `${skipped} checks were`} skipped.`;
  const verdict = failed === 0 ? `${well}${unseen}` : `${failed} of ${checks.length} checks failed.${unseen}`;
  return {
    document: { schema: 1, checks, ok: failed === 0 },
    text: `${renderChecks(checks)}\n${verdict}\n`,
    exitCode: failed === 0 ? 0 : 2,
  };
}

type Signing = Awaited<ReturnType<typeof describeSigning>>;

/** Who would sign; half a set-up is refused, as npm start does. */
async function examineSigning(root: string, env: CommandContext['env']): Promise<Signing> {
  const signing = await describeSigning({ env, plan: { root, config: await readConfig(root) } });
  refuseHalfSetUp(signing.mode, env);
  return signing;
}

/** Whether `npm start` would take the place of something. */
async function examineRoom(plan: Plan, mode: Signing['mode'], context: CommandContext): Promise<string> {
  const typed = { ...context, argv: ['release'], cwd: process.cwd() };
  const commandWith = (...options: string[]) => commandWithOther(typed, options);
  const replaced = await demandRoom(plan, { mode, replace: false, commandWith });
  return replaced === undefined ? 'nothing is replaced' : `npm start replaces ${replaced}`;
}

/** The same as `npm start` makes, with what it learns from its environment between them. */
function localExaminations(context: CommandContext, signing: () => Promise<Signing>): Examination[] {
  const { root, env } = context;
  const outFolder = join(root, 'out');
  let made: Promise<Plan> | undefined;
  const plan = () => {
    made ??= makePlan({ root, outFolder, sourceDateEpoch: env.SOURCE_DATE_EPOCH });
    return made;
  };
  const compiler = async () => selectToolchain((await plan()).config.signing.toolchain);
  return [
    { id: 'node', examine: async () => examineNode(process.versions.node) },
    { id: 'configuration', examine: async () => `release.config.json, version ${(await plan()).version}` },
    { id: 'commit', examine: async () => (await plan()).commit ?? 'no repository: release.json will name no commit' },
    ...examinations({ plan, compiler }),
    { id: 'identities', examine: async () => (await signing()).words },
    { id: 'room', examine: async () => examineRoom(await plan(), (await signing()).mode, context) },
    { id: 'network', examine: async () => describeNetwork(env, (await readConfig(root)).services) },
  ];
}

const OUTSIDE = ['notary', 'clock', 'ticket-service', 'timestamp-authority'];

/** For a release, or with a notary key in the environment: whether the key can be used, and whether Apple's services can. */
async function outsideChecks(
  { root, env, signal }: CommandContext,
  mode: Signing['mode'] | undefined,
): Promise<Check[]> {
  if (mode !== 'release' && !namesNotaryKey(env)) {
    const reason = mode === 'rehearsal' ? 'a rehearsal contacts nothing outside this machine' : 'needs identities';
    return OUTSIDE.map((id) => ({ id, status: 'skipped', reason }));
  }
  // One connection, because the clock is compared with the notary's last answer.
  let checks: Promise<OutsideCheck[]> | undefined;
  const outside = () => {
    checks ??= (async () => {
      const plan = { root, config: await readConfig(root) };
      const { access: services } = await connectToNotary({ env, plan, mode: 'release' });
      const { ticketUrl } = services;
      const timestampUrl = plan.config.services.timestamp;
      return preflightChecks({ notary: portableNotary(services), ticketUrl, timestampUrl, signal });
    })();
    return checks;
  };
  const found = async (id: string) => (await outside()).find((check) => check.id === id)?.examine() as Promise<string>;
  return examineAll(OUTSIDE.map((id) => ({ id, examine: () => found(id) })));
}

/** Says which way each service is asked: directly, or through a proxy that the environment names. */
async function describeNetwork(env: CommandContext['env'], services: Config['services']): Promise<string> {
  const asked = [services.timestamp, services.notary, services.tickets];
  const routes = asked.map((url) => `${new URL(url).host} ${describeRoute(url, env)}`);
  const authorities = env.NODE_EXTRA_CA_CERTS;
  if (!authorities) return [...new Set(routes)].join('\n');
  // Node passes over a file that it cannot read, with a warning that is soon out of sight.
  await access(authorities, constants.R_OK).catch((cause) => {
    throw new UsageError('AUTHORITIES_MISSING', `NODE_EXTRA_CA_CERTS: cannot read ${authorities}`, {
      cause,
      hint: 'Name a PEM file with the certificate of the authority, or unset the variable.',
    });
  });
  return [...new Set(routes), `authorities of ${authorities} are accepted too`].join('\n');
}

function examineNode(version: string): string {
  // A version between releases has a word behind it, such as 27.0.0-nightly20261101.
  if (compareVersions(version.replace(/-.*$/, ''), '20.19') >= 0) return version;
  throw new UsageError('NODE_OLD', `Node.js ${version} is too old`, { hint: 'Install Node.js 20.19 or later.' });
}
