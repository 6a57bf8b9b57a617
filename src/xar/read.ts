import { createHash, type Hash } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { createInflate, inflateSync, type Zlib } from 'node:zlib';
import { type ByteSource, fromBuffer } from '../base/bytes.ts';
import { FormatError } from '../base/errors.ts';
import { LIMITS, WORK, type WorkBudget } from '../base/input/limits.ts';
import { type ByteRange, fromRange, type RandomAccess } from '../base/random-access.ts';
import { bunzip2 } from '../compression/bunzip2.ts';
import { isXz, unxz } from '../compression/unxz.ts';
import { parseXml } from '../xml/xml.ts';
import { BZIPPED, type ChecksumStyle, DEFLATED, readXarHeader, STORED, type XarHeader, XZIPPED } from './layout.ts';
import { parseXarToc, type XarChecksum, type XarData, type XarMember, type XarToc } from './toc.ts';

/** A xar archive that was opened and found sound, but for the data of its members. */
export interface XarArchive extends Omit<XarToc, 'checksum'> {
  readonly header: XarHeader;
  readonly access: RandomAccess;
  /** The TOC's digest: what signatures sign, and what a ticket names. */
  readonly checksum: { readonly style: ChecksumStyle; readonly range: ByteRange; readonly value: Buffer };
  /** Where the heap begins, in bytes from the start of the file. */
  readonly heapStart: number;
  /** Bytes of the file behind the heap: a staple, or something unknown. */
  readonly trailing: ByteRange;
  /** What decoding its members may cost; without it, whatever it takes. */
  readonly budget: WorkBudget | undefined;
}

/** The one namespace in a TOC: that of the certificates. */
const TOC_FORM = {
  size: LIMITS.tocBytes,
  plain: true,
  namespaces: new Map([['KeyInfo', 'http://www.w3.org/2000/09/xmldsig#']]),
};
/** A character given by its number, which some readers show as it stands; libxar writes it at the end of certificate lines alone. */
const CHARACTER_REFERENCE = /&#/;

const DAMAGED_HINT = 'The archive is damaged, or somebody changed it. Fetch it anew.';

/**
 * Returns an archive whose header, TOC and digest are right and whose members lie in the heap without overlap.
 *
 * The data of members is not read: `extractMember` checks it. Throws FormatError; see `readXarHeader` and `parseXarToc`, and
 * `XAR_TOC_SIZE`, `XAR_TOC_INFLATE`, `XAR_TOC_LENGTH`, `XAR_TOC_TRAILING`, `XAR_CHECKSUM_MISMATCH` (header against TOC),
 * `XAR_TOC_DIGEST`.
 *
 * @example
 * const archive = await readXar(await accessFile(handle));
 * archive.members.map((member) => member.path) // ['Distribution', 'a.pkg', 'a.pkg/Bom', ...]
 */
export async function readXar(access: RandomAccess, budget?: WorkBudget): Promise<XarArchive> {
  const header = await readXarHeader(access);
  const compressedToc = await readCompressedToc(access, header);
  const xml = inflateToc(compressedToc, header.tocSize);
  const root = parseXml(xml, 'XarToc', TOC_FORM);
  demandNoReferences(xml);
  const heapStart = header.headerSize + header.tocCompressedSize;
  const toc = parseXarToc(root, access.size - heapStart);
  const { style, range } = toc.checksum;
  if (style !== header.checksum) {
    const problem = `expected ${header.checksum} as the header says, found ${style}`;
    throw new FormatError('XAR_CHECKSUM_MISMATCH', 'XarToc', 0, problem);
  }
  const value = Buffer.from(await access.read(heapStart + range.offset, range.size));
  const digest = style === 'none' ? Buffer.alloc(0) : createHash(style).update(compressedToc).digest();
  if (!digest.equals(value)) {
    const problem = `expected TOC digest ${value.toString('hex')}, found ${digest.toString('hex')}`;
    throw new FormatError('XAR_TOC_DIGEST', 'xar heap', range.offset, problem, { hint: DAMAGED_HINT });
  }
  const heapEnd = heapStart + toc.heapSize;
  const trailing = { offset: heapEnd, size: access.size - heapEnd };
  return { ...toc, header, access, checksum: { style, range, value }, heapStart, trailing, budget };
}

/** Returns the member at `path`, or undefined. */
export function findMember(archive: XarArchive, path: string): XarMember | undefined {
  return archive.members.find((member) => member.path === path);
}

/** Returns a piece of the heap as it is stored, such as a signature with its padding. */
export function readHeap(archive: XarArchive, range: ByteRange): Promise<Buffer> {
  return archive.access.read(archive.heapStart + range.offset, range.size);
}

/** Returns a member's data as it is stored in the heap, unchecked. */
export function memberSource(archive: XarArchive, member: XarMember): ByteSource {
  const { data } = member;
  if (!data) return fromBuffer(Buffer.alloc(0));
  return fromRange(archive.access, { offset: archive.heapStart + data.offset, size: data.length });
}

/**
 * Yields a file's decoded data.
 *
 * Both checksums and the size are verified while the bytes pass, so what was yielded is right only when no error came. Throws
 * FormatError `XAR_ENCODING`, `XAR_MEMBER_INFLATE`, `XAR_MEMBER_SIZE`, `XAR_MEMBER_TRAILING`, `XAR_ARCHIVED_CHECKSUM`,
 * `XAR_EXTRACTED_CHECKSUM`.
 *
 * @example for await (const chunk of extractMember(archive, member)) out.write(chunk);
 */
export async function* extractMember(archive: XarArchive, member: XarMember): AsyncGenerator<Buffer> {
  const { data } = member;
  if (!data) return;
  const archived = new Digester(data.archivedChecksum);
  const extracted = new Digester(data.extractedChecksum);
  const cost = data.encoding === STORED ? WORK.stored : data.encoding === BZIPPED ? WORK.bzip2 : WORK.gzip;
  const stored = tap(memberSource(archive, member).chunks(), (chunk) => archived.update(chunk));
  let size = 0;
  for await (const chunk of decode(stored, data, member.path)) {
    size += chunk.length;
    archive.budget?.spend(chunk.length, cost);
    if (size > data.size) fail('XAR_MEMBER_SIZE', member.path, data.size, `expected ${data.size} bytes, found more`);
    extracted.update(chunk);
    yield chunk;
  }
  if (size !== data.size) {
    fail('XAR_MEMBER_SIZE', member.path, size, `expected ${data.size} bytes, found ${size}`);
  }
  archived.compare('XAR_ARCHIVED_CHECKSUM', member.path);
  extracted.compare('XAR_EXTRACTED_CHECKSUM', member.path);
}

async function readCompressedToc(access: RandomAccess, header: XarHeader): Promise<Buffer> {
  for (const [size, what] of [
    [header.tocSize, 'TOC'],
    [header.tocCompressedSize, 'deflated TOC'],
  ] as const) {
    if (size > LIMITS.tocBytes) {
      const problem = `expected a ${what} of at most ${LIMITS.tocBytes} bytes, found ${size}`;
      throw new FormatError('XAR_TOC_SIZE', 'XarHeader', 16, problem);
    }
  }
  return access.read(header.headerSize, header.tocCompressedSize);
}

/** Inflates to at most one byte more than was declared, whatever the stream holds. */
function inflateToc(compressed: Buffer, size: number): Buffer {
  const format = 'xar TOC (deflated)';
  let result: { buffer: Buffer; engine: Zlib };
  try {
    // With `info` the result also tells how many bytes were used; the types of Node do not know the option.
    const options = { maxOutputLength: size + 1, info: true };
    result = inflateSync(compressed, options) as unknown as typeof result;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new FormatError('XAR_TOC_LENGTH', format, 0, `expected ${size} bytes of XML, found more`, { cause });
    }
    throw new FormatError('XAR_TOC_INFLATE', format, 0, 'expected one whole zlib stream, found none', { cause });
  }
  const { buffer, engine } = result;
  if (buffer.length !== size) {
    throw new FormatError('XAR_TOC_LENGTH', format, 0, `expected ${size} bytes of XML, found ${buffer.length}`);
  }
  if (engine.bytesWritten !== compressed.length) {
    const problem = `expected the zlib stream to fill ${compressed.length} bytes, found its end before`;
    throw new FormatError('XAR_TOC_TRAILING', format, engine.bytesWritten, problem);
  }
  return buffer;
}

function decode(stored: AsyncIterable<Buffer>, data: XarData, path: string): AsyncIterable<Buffer> {
  if (data.encoding === STORED) return stored;
  if (data.encoding === DEFLATED)
    return data.size <= SMALL && data.length <= SMALL
      ? inflateSmall(stored, data, path)
      : inflate(stored, data.length, path);
  if (data.encoding === BZIPPED) return bunzip2(stored);
  if (XZIPPED.includes(data.encoding)) return unxzMember(stored, path);
  throw new FormatError('XAR_ENCODING', `xar member ${path}`, 0, `the encoding ${data.encoding} is not supported`);
}

/** Under both names libxar writes xz streams; what has no container is told apart from damage. */
async function* unxzMember(stored: AsyncIterable<Buffer>, path: string): AsyncGenerator<Buffer> {
  const iterator = stored[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (!first.done && !isXz(first.value)) {
    throw new FormatError('XAR_ENCODING', `xar member ${path}`, 0, 'LZMA without a container (xz) is not supported');
  }
  yield* unxz(joined(first, iterator));
}

async function* joined(first: IteratorResult<Buffer>, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  for (let next = first; !next.done; next = await rest.next()) yield next.value;
}

/** Bytes up to which a member is inflated in one go: a stream costs more than that, and an archive may have thousands. */
const SMALL = 256 * 1024;

async function* inflateSmall(stored: AsyncIterable<Buffer>, data: XarData, path: string): AsyncGenerator<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of stored) parts.push(Buffer.from(chunk));
  let result: { buffer: Buffer; engine: Zlib };
  try {
    const options = { maxOutputLength: data.size + 1, info: true };
    result = inflateSync(Buffer.concat(parts), options) as unknown as typeof result;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      return fail('XAR_MEMBER_SIZE', path, data.size, `expected ${data.size} bytes, found more`);
    }
    const { message } = cause as Error;
    return fail('XAR_MEMBER_INFLATE', path, 0, `expected a zlib stream, found: ${message}`, cause);
  }
  yield result.buffer;
  demandFilled(result.engine.bytesWritten, data.length, path);
}

function demandFilled(used: number, length: number, path: string): void {
  if (used === length) return;
  fail('XAR_MEMBER_TRAILING', path, used, `expected the zlib stream to fill ${length} bytes, found its end before`);
}

async function* inflate(stored: AsyncIterable<Buffer>, length: number, path: string): AsyncGenerator<Buffer> {
  const inflater = createInflate();
  // Errors of both ends reach the loop below, because pipeline destroys the inflater with them.
  pipeline(Readable.from(stored), inflater, () => {});
  try {
    for await (const chunk of inflater) yield chunk as Buffer;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (!code?.startsWith('Z_')) throw cause;
    fail('XAR_MEMBER_INFLATE', path, inflater.bytesWritten, `expected a zlib stream, found: ${message}`, cause);
  }
  demandFilled(inflater.bytesWritten, length, path);
}

async function* tap(chunks: AsyncIterable<Buffer>, see: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    see(chunk);
    yield chunk;
  }
}

/** Makes the digest that a TOC states, if it states one. */
class Digester {
  readonly #stated: { readonly expected: XarChecksum; readonly hash: Hash } | undefined;

  constructor(expected: XarChecksum | undefined) {
    if (expected && expected.style !== 'none') this.#stated = { expected, hash: createHash(expected.style) };
  }

  update(chunk: Buffer): void {
    this.#stated?.hash.update(chunk);
  }

  compare(code: string, path: string): void {
    if (!this.#stated) return;
    const { expected, hash } = this.#stated;
    const found = hash.digest('hex');
    if (found !== expected.value) fail(code, path, 0, `expected ${expected.style} ${expected.value}, found ${found}`);
  }
}

function demandNoReferences(xml: Buffer): void {
  const text = xml.toString('utf8').replace(/<X509Certificate>[^<]*</g, (found) => found.replaceAll('&', ' '));
  const found = CHARACTER_REFERENCE.exec(text);
  if (!found) return;
  const problem = 'expected characters as they are, found one by its number (&#), which not every reader decodes';
  throw new FormatError('XAR_REFERENCE', 'XarToc', Buffer.byteLength(text.slice(0, found.index)), problem);
}

function fail(code: string, path: string, offset: number, problem: string, cause?: unknown): never {
  throw new FormatError(code, `xar member ${path}`, offset, problem, { hint: DAMAGED_HINT, cause });
}
