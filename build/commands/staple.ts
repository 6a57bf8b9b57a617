import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { withFile } from '../../src/base/with-file.ts';
import { type StapleOptions, stapleBundle, staplePackage } from '../../src/notary/ticket/staple.ts';
import { appleTrust } from '../../src/pki/x509/apple-roots.ts';
import type { NotaryAccess } from '../../src/toolchain/toolchain.ts';
import { commandAgain } from '../again.ts';
import {
  type CommandContext,
  type CommandResult,
  type CommonOptions,
  type Execute,
  example,
  maxWait,
  trustOption,
} from '../command.ts';
import type { NotaryConnection } from '../notary/connection.ts';
import { readConfig } from '../plan/config.ts';
import { demandKind, refuseFolder } from '../report/demand-kind.ts';
import { openConnection } from './notarize.ts';

/** Options of `staple`. */
export interface StapleCommandOptions {
  /** Whose tickets count, and who is asked for them. */
  readonly trust: 'apple' | 'rehearsal';
  /** Longest wait for a ticket that is not there yet, in milliseconds. */
  readonly maxWait?: number;
}

/** Adds the options of `staple`. */
export function configureStaple(command: Command, execute: Execute): void {
  command
    .argument('<file>', 'signed flat package, or bundle')
    .addOption(trustOption("whose tickets: Apple's, or the rehearsal's of this checkout"))
    .addOption(maxWait('how long to wait for a ticket that is not there yet (default: 5m); then exit 5'))
    .addHelpText('after', example('npm run -s cli -- staple out/1.1.0/Escrow.Buddy-1.1.0.pkg'))
    .action((file: string, options: StapleCommandOptions & CommonOptions) =>
      execute((context) => staple(context, file, options), options),
    );
}

const TAKEN = 'a signed flat package (.pkg), or a bundle';

/** Staples the notary's ticket to a package, or to a bundle. Asking Apple for a ticket needs no key. */
export async function staple(
  context: CommandContext,
  file: string,
  options: StapleCommandOptions,
): Promise<CommandResult> {
  if (file === '') throw new UsageError('TARGET_INVALID', 'the file to staple has an empty name');
  const path = resolve(file);
  const isBundle = (await stat(path)).isDirectory();
  if (!isBundle) await withFile(path, (access) => demandKind(access, file, ['package'], TAKEN));
  else if (!(await stat(join(path, 'Contents')).catch(() => undefined))) await refuseFolder(file, TAKEN);
  const source = await ticketSource(context, options);
  const stage = context.progress.begin('staple');
  const stapling: StapleOptions = {
    url: source.ticketUrl,
    trust: source.trust,
    tell: stage.update,
    goOn: `If it was accepted a moment ago, run again: ${commandAgain({ ...context, cwd: process.cwd() })}`,
    signal: context.signal,
    ...(options.maxWait !== undefined && { maxWaitMs: options.maxWait }),
  };
  try {
    const { issuedAt, ticketSha256, unchanged } = await (isBundle ? stapleBundle : staplePackage)(path, stapling);
    const ticket = { issuedAt: issuedAt.toISOString(), sha256: ticketSha256 };
    const done = unchanged ? 'bears this ticket already' : 'stapled and verified offline';
    return {
      document: { schema: 1, path, ticket, unchanged },
      text: `${file}: ${done}, issued ${ticket.issuedAt}\n`,
    };
  } finally {
    await source.close();
  }
}

/** Apple's ticket service, or the rehearsal's. */
async function ticketSource(
  context: CommandContext,
  { trust }: StapleCommandOptions,
): Promise<Pick<NotaryAccess, 'ticketUrl' | 'trust'> & Pick<NotaryConnection, 'close'>> {
  if (trust === 'rehearsal') {
    const { access, close } = await openConnection({ ...context, env: {} });
    return { ...access, close };
  }
  const { services } = await readConfig(context.root);
  return { ticketUrl: services.tickets, trust: appleTrust(), close: async () => undefined };
}
