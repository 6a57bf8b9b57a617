import { FormatError } from '../base/errors.ts';
import { FILE_TYPE_BITS, type PayloadEntry, pathProblem } from '../tree/entry.ts';
import { ChunkReader } from './chunk-reader.ts';
import {
  addToChecksum,
  CPIO_BLOCK_SIZE,
  CPIO_MAGIC_SIZE,
  CPIO_SHAPES,
  type CpioFormat,
  type CpioHeader,
  cpioFormat,
  decodeCpioHeader,
  TRAILER_NAME,
} from './header.ts';

/** One entry of an archive being read. */
export interface CpioEntry {
  readonly header: CpioHeader;
  /** Name as the archive has it. */
  readonly name: string;
  /** The name as `.` or `./a/b`; archives made by GNU cpio lack the `./`. */
  readonly path: string;
  readonly kind: PayloadEntry['kind'];
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  /** Where the header lies, in bytes from the start of the archive. */
  readonly offset: number;
  /** The data, to be read once and before the next entry is asked for; what is not read is skipped. */
  readonly data: AsyncIterable<Buffer>;
}

/** Longest name or link target accepted, in bytes; PATH_MAX of macOS is 1,024 (sys/syslimits.h). */
export const CPIO_NAME_MAX = 4096;

/**
 * Yields the entries of a cpio archive, without its trailer: odc as packages have it, and newc with or without checksums.
 *
 * @param chunks the archive in pieces of any size
 * @throws FormatError with offsets in the archive: `CPIO_MAGIC`, `CPIO_MIXED`, `CPIO_FIELD`, `CPIO_NAME` (not NUL-terminated, not UTF-8,
 *   absolute, with `..` or an empty component, too long), `CPIO_MODE` (neither file, directory nor symbolic link), `CPIO_SIZE`,
 *   `CPIO_HARD_LINK`, `CPIO_CHECKSUM`, `CPIO_TRAILER`, `CPIO_PADDING`, `FORMAT_TRUNCATED`
 * @example for await (const { path, kind, data } of readCpio(gunzipMember(payload))) ...
 */
export async function* readCpio(chunks: AsyncIterable<Buffer>): AsyncGenerator<CpioEntry> {
  const reader = new ChunkReader(chunks);
  let archive: CpioFormat | undefined;
  try {
    for (;;) {
      const offset = reader.offset;
      const header = await readHeader(reader);
      archive ??= header.format;
      if (header.format !== archive) {
        throw new FormatError('CPIO_MIXED', 'CpioHeader', offset, `expected ${archive}, found ${header.format}`);
      }
      const name = await readName(reader, header, offset);
      if (name === TRAILER_NAME) return await checkEnd(reader, header, offset);
      const entry = describe(header, name, offset);
      const data = new EntryData(reader, header, entry.kind);
      yield { ...entry, data };
      await data.finish();
    }
  } finally {
    await reader.close();
  }
}

async function readHeader(reader: ChunkReader): Promise<CpioHeader> {
  const offset = reader.offset;
  const magic = await reader.read(CPIO_MAGIC_SIZE, 'CpioHeader');
  const format = cpioFormat(magic, offset);
  const rest = await reader.read(CPIO_SHAPES[format].headerSize - CPIO_MAGIC_SIZE, 'CpioHeader');
  return decodeCpioHeader(Buffer.concat([magic, rest]), format, offset);
}

async function readName(reader: ChunkReader, header: CpioHeader, offset: number): Promise<string> {
  const { nameSize, format } = header;
  if (nameSize < 2 || nameSize > CPIO_NAME_MAX) {
    throw nameError(offset, `expected a name of 2 to ${CPIO_NAME_MAX} bytes with its NUL, found ${nameSize}`);
  }
  const data = await reader.read(nameSize, 'CpioName');
  await skipPadding(reader, CPIO_SHAPES[format].headerSize + nameSize, CPIO_SHAPES[format].alignment);
  if (data.indexOf(0) !== nameSize - 1) throw nameError(offset, 'expected one NUL, at the end of the name');
  return decodeUtf8(data.subarray(0, -1)) ?? fail(nameError(offset, 'expected a name in UTF-8'));
}

/** Returns what a header and a name say, or throws. */
function describe(header: CpioHeader, name: string, offset: number): Omit<CpioEntry, 'data'> {
  const path = name === '.' || name.startsWith('./') ? name : `./${name}`;
  const problem = name.startsWith('/') ? 'a path must not be absolute' : pathProblem(path);
  if (problem) throw nameError(offset, `${problem}, found ${JSON.stringify(name)}`);
  const kind = kindOf(header.mode);
  if (!kind) {
    const problem = `expected a file, directory or symbolic link, found mode ${header.mode.toString(8)} of ${JSON.stringify(name)}`;
    throw new FormatError('CPIO_MODE', 'CpioHeader', offset, problem);
  }
  const [least, most] = SIZE_RANGE[kind];
  if (header.fileSize < least || header.fileSize > most) {
    const problem = `expected ${least} to ${most} bytes in the ${kind} ${JSON.stringify(name)}, found ${header.fileSize}`;
    throw new FormatError('CPIO_SIZE', 'CpioHeader', offset, problem);
  }
  checkHardLink(header, kind, name, offset);
  return { header, name, path, kind, mode: header.mode & 0o7777, offset };
}

/**
 * Throws for a name whose data follows at another name: newc writers give that of a hard-linked file once, with its last name,
 * so the file would come out empty. The rare empty file with two names is refused with them; odc repeats the data.
 */
function checkHardLink(
  { format, nlink, fileSize }: CpioHeader,
  kind: PayloadEntry['kind'],
  name: string,
  offset: number,
) {
  if (format === 'odc' || kind !== 'file' || nlink < 2 || fileSize > 0) return;
  const problem = `expected a file with its data, found ${JSON.stringify(name)}, one of ${nlink} hard links`;
  throw new FormatError('CPIO_HARD_LINK', 'CpioHeader', offset, problem);
}

/**
 * Returns where the symbolic link `entry` leads; reads its data.
 *
 * @throws FormatError `CPIO_LINK` when the target is not UTF-8 or holds NUL, with the offset of the entry
 */
export async function readLinkTarget(entry: CpioEntry): Promise<string> {
  const parts: Buffer[] = [];
  for await (const chunk of entry.data) parts.push(Buffer.from(chunk));
  const target = decodeUtf8(Buffer.concat(parts));
  if (target !== undefined && !target.includes('\0')) return target;
  const problem = `expected a target in UTF-8 without NUL of the link ${JSON.stringify(entry.name)}`;
  throw new FormatError('CPIO_LINK', 'CpioLink', entry.offset, problem);
}

const SIZE_RANGE = { file: [0, Number.MAX_SAFE_INTEGER], directory: [0, 0], symlink: [1, CPIO_NAME_MAX] } as const;

function kindOf(mode: number): PayloadEntry['kind'] | undefined {
  const bits = mode & ~0o7777;
  return (['file', 'directory', 'symlink'] as const).find((kind) => FILE_TYPE_BITS[kind] === bits);
}

/** The data of one entry; whatever its reader leaves is skipped, so that the next header is where it should be. */
class EntryData implements AsyncIterable<Buffer> {
  readonly #reader: ChunkReader;
  readonly #header: CpioHeader;
  readonly #start: number;
  /** GNU cpio sums only files. */
  readonly #summed: boolean;
  #sum = 0;

  constructor(reader: ChunkReader, header: CpioHeader, kind: PayloadEntry['kind']) {
    this.#reader = reader;
    this.#header = header;
    this.#start = reader.offset;
    this.#summed = header.format === 'crc' && kind === 'file';
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    const { fileSize, checksum } = this.#header;
    for await (const chunk of this.#reader.take(this.#start + fileSize - this.#reader.offset)) {
      if (this.#summed) this.#sum = addToChecksum(this.#sum, chunk);
      yield chunk;
    }
    const got = this.#reader.offset - this.#start;
    if (got < fileSize) {
      const problem = `expected ${fileSize} bytes, found ${got}`;
      throw new FormatError('FORMAT_TRUNCATED', 'CpioData', this.#reader.offset, problem);
    }
    if (this.#summed && this.#sum !== checksum) {
      throw new FormatError('CPIO_CHECKSUM', 'CpioData', this.#start, `expected sum ${checksum}, found ${this.#sum}`);
    }
  }

  async finish(): Promise<void> {
    for await (const _ of this);
    await skipPadding(this.#reader, this.#header.fileSize, CPIO_SHAPES[this.#header.format].alignment);
  }
}

async function skipPadding(reader: ChunkReader, size: number, alignment: number): Promise<void> {
  const padding = await reader.read((alignment - (size % alignment)) % alignment, 'CpioPadding');
  if (padding.some((byte) => byte !== 0)) throw paddingError(reader.offset - padding.length);
}

/** Behind the trailer only zeros may follow, up to a multiple of 512 bytes. */
async function checkEnd(reader: ChunkReader, header: CpioHeader, offset: number): Promise<void> {
  if (header.fileSize !== 0) {
    throw new FormatError(
      'CPIO_TRAILER',
      'CpioHeader',
      offset,
      `expected a trailer without data, found ${header.fileSize} bytes`,
    );
  }
  for await (const chunk of reader.rest()) {
    const at = chunk.findIndex((byte) => byte !== 0);
    if (at >= 0) throw paddingError(reader.offset - chunk.length + at);
  }
  if (reader.offset % CPIO_BLOCK_SIZE !== 0) {
    const problem = `expected zeros up to a multiple of ${CPIO_BLOCK_SIZE} bytes, found the end`;
    throw new FormatError('FORMAT_TRUNCATED', 'CpioPadding', reader.offset, problem);
  }
}

function paddingError(offset: number): FormatError {
  return new FormatError('CPIO_PADDING', 'CpioPadding', offset, 'expected zeros, found something else');
}

function nameError(offset: number, problem: string): FormatError {
  return new FormatError('CPIO_NAME', 'CpioName', offset, problem);
}

function fail(error: Error): never {
  throw error;
}

function decodeUtf8(data: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    return undefined;
  }
}
