import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { type ByteSource, fromBuffer } from '../base/bytes.ts';
import { FormatError } from '../base/errors.ts';
import { element, renderXml, type XmlElement } from '../xml/xml.ts';
import { CHECKSUM_ALGORITHMS, type ChecksumStyle, DEFLATED, isMemberName, STORED, XAR_HEADER } from './layout.ts';

/** Owner, mode and time of an entry. Without them an entry has only data, type and name, as productbuild writes PackageInfo. */
export interface XarAttributes {
  /** Permission bits, such as 0o644. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** A file to write, with its data as the heap will hold it. Made by `storedFile` or `deflatedFile`. */
export interface XarFileEntry {
  readonly kind: 'file';
  readonly name: string;
  readonly attributes: XarAttributes | undefined;
  /** Bytes as they lie in the heap. */
  readonly heap: ByteSource;
  /** Size in bytes once decoded. */
  readonly size: number;
  readonly encoding: typeof STORED | typeof DEFLATED;
  /** SHA-1 over the bytes in the heap, as hex. */
  readonly archivedChecksum: string;
  /** SHA-1 over the decoded bytes, as hex. */
  readonly extractedChecksum: string;
}

/** A folder to write. */
export interface XarDirectoryEntry {
  readonly kind: 'directory';
  readonly name: string;
  readonly attributes: XarAttributes | undefined;
  readonly children: readonly XarEntry[];
}

export type XarEntry = XarFileEntry | XarDirectoryEntry;

/** Room in the heap for a signature that is made once the TOC is final. */
export interface SignatureReservation {
  /** `RSA` becomes a `signature` element, `CMS` an `x-signature` element. */
  readonly style: 'RSA' | 'CMS';
  /** Bytes; an RSA signature must fill them, a CMS is padded with zero bytes. */
  readonly size: number;
  /** DER, leaf first. */
  readonly certificates: readonly Buffer[];
}

export interface XarOptions {
  /** Seconds since 1970. */
  readonly creationTime: number;
  /** SHA-1 unless said otherwise: all of Apple's packages up to 2025 have it, and libarchive 3.6 reads no other. */
  readonly checksum?: ChecksumStyle;
  readonly signatures?: readonly SignatureReservation[];
}

/** An archive of which everything but the signatures is settled. */
export interface XarLayout {
  readonly header: Buffer;
  readonly compressedToc: Buffer;
  readonly checksum: ChecksumStyle;
  /** Digest over the deflated TOC: what signatures sign, and what a ticket names. */
  readonly tocDigest: Buffer;
  readonly signatures: readonly SignatureReservation[];
  /** Data of the members, in heap order, behind digest and signatures. */
  readonly heap: readonly ByteSource[];
  /** Size in bytes of the whole archive. */
  readonly size: number;
}

/**
 * Returns the layout of a new archive.
 *
 * Entries get ids and places in the heap in the order given, depth first, without gaps. The result depends on nothing but the
 * arguments and on the version of zlib. Throws TypeError for names an archive must not hold.
 *
 * @example
 * const layout = layoutXar([deflatedFile('Distribution', xml), directory('a.pkg', [...])], { creationTime: 1700000000 });
 * for await (const chunk of emitXar(layout)) out.write(chunk);
 */
export function layoutXar(entries: readonly XarEntry[], options: XarOptions): XarLayout {
  const { checksum = 'sha1', signatures = [] } = options;
  const heap: ByteSource[] = [];
  let offset = reservedSize(checksum, signatures);
  let nextId = 1;
  const render = (siblings: readonly XarEntry[]): XmlElement[] => {
    checkNames(siblings);
    return siblings.map((entry) => {
      const id = nextId++;
      if (entry.kind === 'directory') return renderDirectory(entry, id, render(entry.children));
      const file = renderFile(entry, id, offset);
      if (entry.heap.size > 0) heap.push(entry.heap);
      offset += entry.heap.size;
      return file;
    });
  };
  const files = render(entries);
  const toc = [
    textElement('creation-time', formatTime(options.creationTime)),
    ...reservedElements(checksum, signatures),
    ...files,
  ];
  return finishLayout(element('xar', {}, [element('toc', {}, toc)]), { checksum, signatures, heap });
}

/**
 * Yields the bytes of an archive: header, TOC, digest, signatures, data.
 *
 * @param signatures one for each reservation of the layout, in its order; a CMS that is shorter than its room is padded
 * with zero bytes
 * Throws FormatError `XAR_SIGNATURE_SIZE` when a signature does not fit and `SOURCE_CHANGED` when a member's data is not as
 * long as it was when the layout was made.
 */
export async function* emitXar(layout: XarLayout, signatures: readonly Buffer[] = []): AsyncGenerator<Buffer> {
  if (signatures.length !== layout.signatures.length) {
    throw new TypeError(`expected ${layout.signatures.length} signatures, got ${signatures.length}`);
  }
  const placed = layout.signatures.map((room, index) => padSignature(room, signatures[index] as Buffer));
  yield Buffer.concat([layout.header, layout.compressedToc, layout.tocDigest, ...placed]);
  for (const source of layout.heap) {
    let seen = 0;
    for await (const chunk of source.chunks()) {
      seen += chunk.length;
      yield chunk;
    }
    if (seen !== source.size) {
      throw new FormatError('SOURCE_CHANGED', 'xar member', seen, `expected ${source.size} bytes, found ${seen}`);
    }
  }
}

/**
 * Returns a file whose bytes are stored as they are.
 *
 * @param content the bytes, or a source of them with the SHA-1 that was computed while they were made
 */
export function storedFile(
  name: string,
  content: Buffer | { readonly source: ByteSource; readonly sha1: string },
  attributes?: XarAttributes,
): XarFileEntry {
  const known = Buffer.isBuffer(content) ? { source: fromBuffer(content), sha1: sha1(content) } : content;
  const { source: heap, sha1: checksum } = known;
  if (!/^[0-9a-f]{40}$/.test(checksum)) throw new TypeError(`expected a SHA-1 in hex, got ${checksum}`);
  const checksums = { archivedChecksum: checksum, extractedChecksum: checksum };
  return { kind: 'file', name, attributes, heap, size: heap.size, encoding: STORED, ...checksums };
}

/** Returns a file whose bytes are deflated at level 9. For members small enough to be in memory. */
export function deflatedFile(name: string, content: Buffer, attributes?: XarAttributes): XarFileEntry {
  const deflated = deflateSync(content, { level: 9 });
  const checksums = { archivedChecksum: sha1(deflated), extractedChecksum: sha1(content) };
  const heap = fromBuffer(deflated);
  return { kind: 'file', name, attributes, heap, size: content.length, encoding: DEFLATED, ...checksums };
}

/** Returns a folder. */
export function directory(name: string, children: readonly XarEntry[], attributes?: XarAttributes): XarDirectoryEntry {
  return { kind: 'directory', name, attributes, children };
}

/** Returns how many bytes digest and signatures take at the start of the heap. */
export function reservedSize(checksum: ChecksumStyle, signatures: readonly SignatureReservation[]): number {
  return signatures.reduce((sum, room) => sum + room.size, CHECKSUM_ALGORITHMS[checksum].size);
}

/** Returns the TOC elements of the digest and the signatures, which lie at the start of the heap in this order. */
export function reservedElements(
  checksum: ChecksumStyle,
  signatures: readonly SignatureReservation[],
): readonly XmlElement[] {
  let offset = CHECKSUM_ALGORITHMS[checksum].size;
  const elements = [element('checksum', { style: checksum }, [number('offset', 0), number('size', offset)])];
  for (const { style, size, certificates } of signatures) {
    const name = style === 'RSA' ? 'signature' : 'x-signature';
    const data = element('X509Data', {}, certificates.map(renderCertificate));
    const keyInfo = element('KeyInfo', { xmlns: 'http://www.w3.org/2000/09/xmldsig#' }, [data]);
    elements.push(element(name, { style }, [number('offset', offset), number('size', size), keyInfo]));
    offset += size;
  }
  return elements;
}

/** Returns the layout of an archive whose TOC is final. */
export function finishLayout(root: XmlElement, parts: Pick<XarLayout, 'checksum' | 'signatures' | 'heap'>): XarLayout {
  const { checksum, signatures, heap } = parts;
  const toc = Buffer.from(renderXml(root, { indent: 1, encodingName: 'UTF-8', finalNewline: true }));
  const compressedToc = deflateSync(toc, { level: 9 });
  const header = XAR_HEADER.encode({
    magic: 'xar!',
    headerSize: XAR_HEADER.size,
    version: 1,
    tocCompressedSize: BigInt(compressedToc.length),
    tocSize: BigInt(toc.length),
    checksumAlgorithm: CHECKSUM_ALGORITHMS[checksum].id,
  });
  const tocDigest = createHash(checksum).update(compressedToc).digest();
  const heapSize = heap.reduce((sum, source) => sum + source.size, reservedSize(checksum, signatures));
  const size = header.length + compressedToc.length + heapSize;
  return { header, compressedToc, checksum, tocDigest, signatures, heap, size };
}

/** Returns a time as the TOC has it, in UTC: `2023-11-14T22:13:20`, with a `Z` behind it in the times of files. */
export function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19);
}

function renderFile(entry: XarFileEntry, id: number, offset: number): XmlElement {
  const data = element('data', {}, [
    number('length', entry.heap.size),
    number('offset', offset),
    number('size', entry.size),
    element('encoding', { style: entry.encoding }),
    element('extracted-checksum', { style: 'sha1' }, [entry.extractedChecksum]),
    element('archived-checksum', { style: 'sha1' }, [entry.archivedChecksum]),
  ]);
  // libxar takes a file without data for an empty one; an element of length 0 would have a place but no bytes.
  const content = entry.heap.size > 0 ? [data] : [];
  return renderEntry(entry, id, [...content, ...attributeElements(entry.attributes), textElement('type', 'file')]);
}

function renderDirectory(entry: XarDirectoryEntry, id: number, children: XmlElement[]): XmlElement {
  return renderEntry(entry, id, [...attributeElements(entry.attributes), textElement('type', 'directory')], children);
}

function renderEntry(entry: XarEntry, id: number, before: XmlElement[], children: XmlElement[] = []): XmlElement {
  return element('file', { id: String(id) }, [...before, textElement('name', entry.name), ...children]);
}

/** Order and spelling as productbuild writes them for a component's files (observed, macOS 11 to 15). */
function attributeElements(attributes: XarAttributes | undefined): XmlElement[] {
  if (attributes === undefined) return [];
  const { mode, uid, gid, mtime } = attributes;
  const time = `${formatTime(mtime)}Z`;
  return [
    ...['ctime', 'mtime', 'atime'].map((name) => textElement(name, time)),
    ...(gid === 0 ? [textElement('group', 'wheel')] : []),
    number('gid', gid),
    ...(uid === 0 ? [textElement('user', 'root')] : []),
    number('uid', uid),
    textElement('mode', `0${mode.toString(8).padStart(3, '0')}`),
    number('deviceno', 0),
    number('inode', 0),
  ];
}

/** Base64 in lines of 72 characters, as libxar writes it (observed in packages of 2021 to 2025). */
function renderCertificate(der: Buffer): XmlElement {
  return textElement('X509Certificate', (der.toString('base64').match(/.{1,72}/g) ?? []).join('\n'));
}

function padSignature(room: SignatureReservation, signature: Buffer): Buffer {
  const fits = room.style === 'RSA' ? signature.length === room.size : signature.length <= room.size;
  if (!fits) {
    const expected = room.style === 'RSA' ? `exactly ${room.size}` : `at most ${room.size}`;
    const problem = `expected ${expected} bytes of ${room.style} signature, found ${signature.length}`;
    throw new FormatError('XAR_SIGNATURE_SIZE', 'xar heap', 0, problem);
  }
  return Buffer.concat([signature], room.size);
}

function checkNames(siblings: readonly XarEntry[]): void {
  const seen = new Set<string>();
  for (const { name } of siblings) {
    if (!isMemberName(name)) throw new TypeError(`no name for a member: ${JSON.stringify(name)}`);
    if (seen.has(name.normalize('NFC'))) throw new TypeError(`two members have the name ${JSON.stringify(name)}`);
    seen.add(name.normalize('NFC'));
  }
}

function sha1(data: Buffer): string {
  return createHash('sha1').update(data).digest('hex');
}

function textElement(name: string, text: string): XmlElement {
  return element(name, {}, [text]);
}

function number(name: string, value: number): XmlElement {
  return textElement(name, String(value));
}
