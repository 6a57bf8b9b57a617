import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UsageError } from '../../src/base/errors.ts';
import { openForReading } from '../../src/base/random-access.ts';
import { type StapleOptions, stapleBundle, staplePackage } from '../../src/notary/ticket/staple.ts';
import { appleTrust } from '../../src/pki/x509/apple-roots.ts';
import type { NotaryAccess } from '../../src/toolchain/toolchain.ts';
import type { CommandContext, CommandResult } from '../cli.ts';
import type { NotaryConnection } from '../notary/connection.ts';
import { readConfig } from '../plan/config.ts';
import { openConnection } from './notarize.ts';

/** Options of `staple`. */
export interface StapleCommandOptions {
  /** Whose tickets count, and who is asked for them. */
  readonly trust: 'apple' | 'rehearsal';
  /** Longest wait for a ticket that is not there yet, in milliseconds. */
  readonly maxWait?: number;
}

/** Staples the notary's ticket to a package, or to a bundle. Asking Apple for a ticket needs no key. */
export async function staple(
  context: CommandContext,
  file: string,
  options: StapleCommandOptions,
): Promise<CommandResult> {
  if (file === '') throw new UsageError('TARGET_INVALID', 'the file to staple has an empty name');
  const path = resolve(file);
  const isBundle = (await stat(path)).isDirectory();
  // Refuses a named pipe, whose opening would wait for a writer and could not be interrupted.
  if (!isBundle) await (await openForReading(path)).close();
  const source = await ticketSource(context, options);
  const stage = context.progress.begin('staple');
  const stapling: StapleOptions = {
    url: source.ticketUrl,
    trust: source.trust,
    tell: stage.update,
    goOn: `When it was accepted a moment ago, run again: npm run -s cli -- staple ${quote(file)}`,
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

function quote(path: string): string {
  return /^[\w./+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
