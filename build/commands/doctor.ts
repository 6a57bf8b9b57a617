import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Check } from '../../src/base/check.ts';
import { PipelineError, UsageError } from '../../src/base/errors.ts';
import { describeRoute } from '../../src/base/network/proxy.ts';
import { compareVersions } from '../../src/base/version.ts';
import { portableNotary } from '../../src/toolchain/portable/notary.ts';
import { selectToolchain } from '../../src/toolchain/select.ts';
import {
  addCommand,
  type CommandContext,
  type CommandResult,
  type CommonOptions,
  type Execute,
  example,
} from '../command.ts';
import { examineSetUp } from '../github/upkeep/set-up.ts';
import { connectToNotary, namesNotaryKey } from '../notary/connection.ts';
import { type OutsideCheck, preflightChecks } from '../notary/preflight.ts';
import { type Config, readConfig } from '../plan/config.ts';
import { makePlan } from '../plan/plan.ts';
import { renderChecks } from '../report/checks.ts';
import { describeSigning } from '../signing/identities.ts';
import { readPermissions } from '../stages/assemble-payload.ts';
import { readBundleSource } from '../stages/compile.ts';
import { configureExplain } from './explain.ts';

/** One thing that a release needs, and how to find out. */
interface Examination {
  readonly id: string;
  /** Returns what was found, for the person. Throws when it is not as it should be. */
  examine(): Promise<string>;
}

/** Adds the options of `doctor`, and the command `doctor explain`. */
export function configureDoctor(command: Command, execute: Execute): void {
  command
    .option('--ci', 'check the set-up on GitHub instead: workflows, pins, environments, secrets, rules')
    .addHelpText('after', example('npm run -s cli -- doctor'))
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
  const checks: Check[] = [];
  for (const { id, examine } of [...examinations(context), ...outsideExaminations(context)]) {
    try {
      checks.push({ id, status: 'pass', reason: await examine() });
    } catch (error) {
      if (!(error instanceof PipelineError) && (error as NodeJS.ErrnoException).code === undefined) throw error;
      const hint = error instanceof PipelineError && error.hint ? `\n${error.hint}` : '';
      checks.push({ id, status: 'fail', reason: `${(error as Error).message}${hint}` });
    }
  }
  return verdictOf(checks, 'This machine can build the package: npm start');
}

function verdictOf(checks: readonly Check[], well: string): CommandResult {
  const failed = checks.filter((check) => check.status === 'fail').length;
  const skipped = checks.filter((check) => check.status === 'skipped').length;
  const unseen = skipped === 0 ? '' : ` ${skipped} could not be looked at.`;
  const verdict = failed === 0 ? `${well}${unseen}` : `${failed} of ${checks.length} checks failed.${unseen}`;
  return {
    document: { schema: 1, checks, ok: failed === 0 },
    text: `${renderChecks(checks)}\n${verdict}\n`,
    exitCode: failed === 0 ? 0 : 2,
  };
}

function examinations({ root, env }: CommandContext): Examination[] {
  const outFolder = join(root, 'out');
  const plan = () => makePlan({ root, outFolder, sourceDateEpoch: env.SOURCE_DATE_EPOCH });
  return [
    { id: 'node', examine: async () => examineNode(process.versions.node) },
    { id: 'configuration', examine: async () => `release.config.json, version ${(await plan()).version}` },
    {
      id: 'sources',
      examine: async () =>
        `${(await readBundleSource({ root, config: await readConfig(root) })).sources.length} C files`,
    },
    {
      id: 'permissions',
      examine: async () => `${Object.keys((await readPermissions({ root })).payload).length} paths`,
    },
    { id: 'commit', examine: async () => (await plan()).commit ?? 'no repository: release.json will name no commit' },
    {
      id: 'toolchain',
      examine: async () => {
        const toolchain = selectToolchain((await readConfig(root)).signing.toolchain);
        const versions = await toolchain.compiler.versions();
        return `${toolchain.name}: ${Object.entries(versions)
          .map(([name, version]) => `${name} ${version}`)
          .join(', ')}`;
      },
    },
    {
      id: 'identities',
      examine: async () => describeSigning({ env, plan: { root, config: await readConfig(root) } }),
    },
    { id: 'network', examine: async () => describeNetwork(env, (await readConfig(root)).services) },
    {
      id: 'output',
      examine: async () => {
        await access(root, constants.W_OK);
        return outFolder;
      },
    },
  ];
}

/** With a notary key in the environment: whether it can be used, and whether Apple's services can. */
function outsideExaminations({ root, env, signal }: CommandContext): Examination[] {
  if (!namesNotaryKey(env)) return [];
  const plan = async () => ({ root, config: await readConfig(root) });
  const connection = async () => connectToNotary({ env, plan: await plan(), mode: 'release' });
  // One connection, because the clock is compared with the notary's last answer.
  let checks: Promise<OutsideCheck[]> | undefined;
  const outside = () => {
    checks ??= (async () => {
      const { timestamp } = (await plan()).config.services;
      const { access: services } = await connection();
      const { ticketUrl } = services;
      return preflightChecks({ notary: portableNotary(services), ticketUrl, timestampUrl: timestamp, signal });
    })();
    return checks;
  };
  const ids = ['notary', 'clock', 'ticket-service', 'timestamp-authority'];
  return ids.map((id) => ({
    id,
    examine: async () => (await outside()).find((check) => check.id === id)?.examine() as Promise<string>,
  }));
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
