import { element, renderXml, type XmlElement } from '../xml/xml.ts';
import { CHECKSUM_ALGORITHMS, type ChecksumStyle, type DEFLATED, type STORED } from './layout.ts';

/** Owner, mode and time of an entry. Without them an entry has only data, type and name, as productbuild writes PackageInfo. */
export interface XarAttributes {
  /** Permission bits, such as 0o644. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** What the TOC says of a file to write. */
export interface XarFileFacts {
  readonly name: string;
  readonly attributes: XarAttributes | undefined;
  /** Bytes as they lie in the heap. */
  readonly heap: { readonly size: number };
  /** Size in bytes once decoded. */
  readonly size: number;
  readonly encoding: typeof STORED | typeof DEFLATED;
  /** SHA-1 over the bytes in the heap, as hex. */
  readonly archivedChecksum: string;
  /** SHA-1 over the decoded bytes, as hex. */
  readonly extractedChecksum: string;
}

/** Room in the heap for a signature that is made once the TOC is final. */
export interface SignatureReservation {
  /** `RSA` becomes a `signature` element, `CMS` an `x-signature` element. */
  readonly style: 'RSA' | 'CMS';
  /** Bytes; an RSA signature must fill them, a CMS is padded with zero bytes. */
  readonly size: number;
  /** DER, leaf first. */
  readonly certificates: readonly Buffer[];
}

/** Returns a whole TOC of its three parts; `parseXarToc` reads it. */
export function tocRoot(
  creationTime: number,
  reserved: readonly XmlElement[],
  files: readonly XmlElement[],
): XmlElement {
  const time = textElement('creation-time', formatTime(creationTime));
  return element('xar', {}, [element('toc', {}, [time, ...reserved, ...files])]);
}

/** Returns a TOC as text, as libxar lays it out. */
export function renderXarToc(root: XmlElement): Buffer {
  return Buffer.from(renderXml(root, { indent: 1, encodingName: 'UTF-8', finalNewline: true }));
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

/** Returns the element of a file whose data lies at `offset` of the heap. */
export function fileElement(entry: XarFileFacts, id: number, offset: number): XmlElement {
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

/** Returns the element of a folder with those of what it holds. */
export function directoryElement(
  entry: Pick<XarFileFacts, 'name' | 'attributes'>,
  id: number,
  children: XmlElement[],
): XmlElement {
  return renderEntry(entry, id, [...attributeElements(entry.attributes), textElement('type', 'directory')], children);
}

function renderEntry(
  entry: Pick<XarFileFacts, 'name'>,
  id: number,
  before: XmlElement[],
  children: XmlElement[] = [],
): XmlElement {
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
  return textElement('X509Certificate', der.toString('base64').replace(/.{72}(?=.)/g, '$&\n'));
}

/** Returns a time as the TOC has it, in UTC: `2023-11-14T22:13:20`, with a `Z` behind it in the times of files. */
function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19);
}

function textElement(name: string, text: string): XmlElement {
  return element(name, {}, [text]);
}

function number(name: string, value: number): XmlElement {
  return textElement(name, String(value));
}
