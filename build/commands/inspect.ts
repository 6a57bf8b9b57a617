import { FormatError } from '../../src/base/errors.ts';
import { accessFile, openForReading, type RandomAccess } from '../../src/base/random-access.ts';
import type { CommandContext, CommandResult } from '../cli.ts';
import { printable } from '../report/printable.ts';

/** What a file is, by its first four bytes. */
const MAGICS: readonly (readonly [kind: FileKind, hex: string])[] = [
  ['package', '78617221'], // xar!
  ['bom', '424f4d53'], // BOMStore
  ['macho', 'cffaedfe'], // MH_MAGIC_64, little-endian
  ['macho', 'cafebabe'], // FAT_MAGIC
];
/** Largest Bom or Mach-O file that is looked at, in bytes: it is read into memory. */
const SIZE_LIMIT = 512 * 1024 * 1024;
type FileKind = 'package' | 'bom' | 'macho';

/** What is shown of a file: a document for programs, lines for a person. */
export interface Inspection {
  readonly document: object;
  readonly lines: readonly string[];
}

/** Shows what a flat package, Bom or Mach-O file holds. */
export async function inspect(_context: CommandContext, file: string): Promise<CommandResult> {
  const handle = await openForReading(file);
  try {
    const access = await accessFile(handle);
    const kind = await kindOf(access, file);
    const { document, lines } = await inspectAs(kind, access);
    return {
      document: { schema: 1, file, kind, size: access.size, ...document },
      text: `${lines.map(printable).join('\n')}\n`,
    };
  } finally {
    await handle.close();
  }
}

async function inspectAs(kind: FileKind, access: RandomAccess): Promise<Inspection> {
  if (kind === 'package') return (await import('../report/inspect-package.ts')).inspectPackage(access);
  if (access.size > SIZE_LIMIT) {
    throw new FormatError('SIZE_LIMIT', kind, 0, `expected at most ${SIZE_LIMIT} bytes, found ${access.size}`);
  }
  const data = await access.read(0, access.size);
  if (kind === 'bom') return (await import('../report/inspect-bom.ts')).inspectBom(data);
  return (await import('../report/inspect-code.ts')).inspectCode(data);
}

async function kindOf(access: RandomAccess, file: string): Promise<FileKind> {
  const head = (await access.read(0, Math.min(4, access.size))).toString('hex');
  const kind = MAGICS.find(([, magic]) => magic === head)?.[0];
  if (kind) return kind;
  throw new FormatError(
    'KIND_UNKNOWN',
    file,
    0,
    `expected a flat package, Bom or 64-bit Mach-O file, found bytes ${head || 'none'}`,
    {
      hint: 'An installer that is a folder (bundle package) or a disk image is not read; unpack it first.',
    },
  );
}
