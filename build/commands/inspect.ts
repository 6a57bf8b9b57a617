import type { Command } from 'commander';
import { FormatError } from '../../src/base/errors.ts';
import type { RandomAccess } from '../../src/base/random-access.ts';
import { withFile } from '../../src/base/with-file.ts';
import { type CommandContext, type CommandResult, type CommonOptions, type Execute, example } from '../command.ts';
import { demandKind, refuseFolder } from '../report/demand-kind.ts';
import { inspectBom } from '../report/inspect-bom.ts';
import { inspectCode } from '../report/inspect-code.ts';
import { inspectPackage } from '../report/inspect-package.ts';
import type { Inspection } from '../report/inspection.ts';
import { printable } from '../report/printable.ts';

/** What `inspect` shows, and the name of each in its document. */
const KINDS = { package: 'package', bom: 'bom', 'mach-o': 'macho' } as const;
const TAKEN = 'a flat package, Bom or Mach-O file';
/** Largest Bom or Mach-O file that is looked at, in bytes: it is read into memory. */
const SIZE_LIMIT = 512 * 1024 * 1024;
type Shown = (typeof KINDS)[keyof typeof KINDS];

/** Adds the options of `inspect`. */
export function configureInspect(command: Command, execute: Execute): void {
  command
    .argument('<file>', 'package, Bom or Mach-O file')
    .addHelpText('after', example('npm run -s cli -- inspect out/1.1.0/Escrow.Buddy-1.1.0.pkg'))
    .action((file: string, options: CommonOptions) => execute((context) => inspect(context, file), options));
}

/** Shows what a flat package, Bom or Mach-O file holds. */
export async function inspect(_context: CommandContext, file: string): Promise<CommandResult> {
  await refuseFolder(file, TAKEN);
  return withFile(file, async (access) => {
    const found = await demandKind(access, file, ['package', 'bom', 'mach-o'], TAKEN);
    const kind = KINDS[found as keyof typeof KINDS];
    const { document, lines } = await inspectAs(kind, access);
    return {
      document: { schema: 1, file, kind, size: access.size, ...document },
      text: `${lines.map(printable).join('\n')}\n`,
    };
  });
}

/**
 * Returns what a file of a kind holds.
 *
 * @throws FormatError `SIZE_LIMIT` for a Bom or Mach-O file that is too large to be read into memory
 */
export async function inspectAs(kind: Shown, access: RandomAccess): Promise<Inspection> {
  if (kind === 'package') return inspectPackage(access);
  if (access.size > SIZE_LIMIT) {
    throw new FormatError('SIZE_LIMIT', kind, 0, `expected at most ${SIZE_LIMIT} bytes, found ${access.size}`);
  }
  const data = await access.read(0, access.size);
  if (kind === 'bom') return inspectBom(data);
  return inspectCode(data);
}
