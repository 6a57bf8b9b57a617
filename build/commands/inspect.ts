import type { Command } from 'commander';
import { FormatError } from '../../src/base/errors.ts';
import { u32be, u32le } from '../../src/base/layout.ts';
import type { RandomAccess } from '../../src/base/random-access.ts';
import { withFile } from '../../src/base/with-file.ts';
import { FAT_MAGIC, MH_MAGIC_64 } from '../../src/macho/layout.ts';
import { type CommandContext, type CommandResult, type CommonOptions, type Execute, example } from '../command.ts';
import { inspectBom } from '../report/inspect-bom.ts';
import { inspectCode } from '../report/inspect-code.ts';
import { inspectPackage } from '../report/inspect-package.ts';
import type { Inspection } from '../report/inspection.ts';
import { printable } from '../report/printable.ts';

/** What a file is, by its first four bytes. */
const KINDS: readonly (readonly [kind: FileKind, is: (head: Buffer) => boolean])[] = [
  ['package', (head) => head.toString('latin1') === 'xar!'],
  ['bom', (head) => head.toString('latin1') === 'BOMS'], // of BOMStore
  ['macho', (head) => u32le.get(head, 0) === MH_MAGIC_64 || u32be.get(head, 0) === FAT_MAGIC],
];
/** Largest Bom or Mach-O file that is looked at, in bytes: it is read into memory. */
const SIZE_LIMIT = 512 * 1024 * 1024;
type FileKind = 'package' | 'bom' | 'macho';

/** Adds the options of `inspect`. */
export function configureInspect(command: Command, execute: Execute): void {
  command
    .argument('<file>', 'package, Bom or Mach-O file')
    .addHelpText('after', example('npm run -s cli -- inspect out/1.1.0/Escrow.Buddy-1.1.0.pkg'))
    .action((file: string, options: CommonOptions) => execute((context) => inspect(context, file), options));
}

/** Shows what a flat package, Bom or Mach-O file holds. */
export async function inspect(_context: CommandContext, file: string): Promise<CommandResult> {
  return withFile(file, async (access) => {
    const kind = await kindOf(access, file);
    const { document, lines } = await inspectAs(kind, access);
    return {
      document: { schema: 1, file, kind, size: access.size, ...document },
      text: `${lines.map(printable).join('\n')}\n`,
    };
  });
}

async function inspectAs(kind: FileKind, access: RandomAccess): Promise<Inspection> {
  if (kind === 'package') return inspectPackage(access);
  if (access.size > SIZE_LIMIT) {
    throw new FormatError('SIZE_LIMIT', kind, 0, `expected at most ${SIZE_LIMIT} bytes, found ${access.size}`);
  }
  const data = await access.read(0, access.size);
  if (kind === 'bom') return inspectBom(data);
  return inspectCode(data);
}

async function kindOf(access: RandomAccess, file: string): Promise<FileKind> {
  const head = await access.read(0, Math.min(4, access.size));
  const kind = head.length === 4 && KINDS.find(([, is]) => is(head))?.[0];
  if (kind) return kind;
  throw new FormatError(
    'KIND_UNKNOWN',
    file,
    0,
    `expected a flat package, Bom or 64-bit Mach-O file, found bytes ${head.toString('hex') || 'none'}`,
    {
      hint: 'An installer that is a folder (bundle package) or a disk image is not read; unpack it first.',
    },
  );
}
