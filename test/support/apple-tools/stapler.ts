import { accessSync, appendFileSync, constants, existsSync, truncateSync } from 'node:fs';
import { basename } from 'node:path';
import { buildTrailer } from '../../../src/xar/trailer.ts';
import { withArchive } from './archive.ts';
import { ToolFailure } from './machine.ts';
import type { Printed } from './main.ts';
import { parseOptions, UnknownOption } from './options.ts';
import { digestOf, findTicket, stapleState } from './ticket.ts';

/** stapler(1) on packages; exit codes are those of sysexits that its manual page names. */
export async function stapler(argv: readonly string[]): Promise<Printed> {
  const { rest } = parseOptions(argv.slice(1), { '-q --quiet': 'none', '-v --verbose': 'none' });
  const path = rest.at(-1);
  if (path === undefined || (argv[0] !== 'staple' && argv[0] !== 'validate')) throw new UnknownOption(argv[0] ?? '');
  const processing = `Processing: ${path}\n`;
  if (!existsSync(path)) throw new ToolFailure(66, '', `${processing}${path} does not exist.\n`);
  const facts = await withArchive(path, async (archive) => ({
    signed: archive.signatures.some(({ style }) => style === 'CMS'),
    digest: digestOf(archive),
    end: archive.trailing.offset,
    staple: await stapleState(archive),
  }));
  if (!facts.signed) {
    const words = `Could not find an appropriate "code signature" in the ${basename(path)} installer package.`;
    throw new ToolFailure(66, `${words}\nCannot download ticket. CDHash must be set.`, processing);
  }
  if (argv[0] === 'staple') staple(path, facts, processing);
  else if (facts.staple !== 'valid') {
    throw new ToolFailure(65, '', `${processing}${basename(path)} does not have a ticket stapled to it.\n`);
  }
  return { stdout: `${processing}The ${argv[0] === 'staple' ? 'staple and validate' : 'validate'} action worked!\n` };
}

function staple(path: string, { digest, end }: { digest: string; end: number }, processing: string): void {
  const last = (code: number) => `The staple and validate action failed! Error ${code}.`;
  const ticket = findTicket(digest);
  if (!ticket) {
    const query = `CloudKit query for ${basename(path)} (2/${digest}) failed due to "Record not found".`;
    const second = `Could not find base64 encoded ticket in response for 2/${digest}`;
    throw new ToolFailure(65, `${query}\n${second}\n${last(65)}`, processing);
  }
  try {
    accessSync(path, constants.W_OK);
  } catch {
    throw new ToolFailure(73, last(73), processing);
  }
  truncateSync(path, end);
  appendFileSync(path, buildTrailer(ticket));
}
