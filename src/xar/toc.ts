import { FormatError } from '../base/errors.ts';
import { beyond, LIMITS } from '../base/input/limits.ts';
import type { ByteRange } from '../base/random-access.ts';
import { childElements, textOf, type XmlElement } from '../xml/xml.ts';
import { CHECKSUM_ALGORITHMS, type ChecksumStyle, isMemberName } from './layout.ts';

/** Digest of a member's data as the TOC states it. */
export interface XarChecksum {
  readonly style: ChecksumStyle;
  /** lower-case hex */
  readonly value: string;
}

/** A piece of data in the heap. Its offset counts from the start of the heap. */
export interface XarData {
  readonly offset: number;
  /** Bytes in the heap. */
  readonly length: number;
  /** Bytes once decoded. */
  readonly size: number;
  /** MIME type, such as `application/x-gzip`. */
  readonly encoding: string;
  /** Over the bytes in the heap; makers of before 2014 leave out the one or the other. */
  readonly archivedChecksum: XarChecksum | undefined;
  /** Over the decoded bytes. */
  readonly extractedChecksum: XarChecksum | undefined;
}

/** A file, folder or symbolic link in the archive. */
export interface XarMember {
  readonly id: number;
  /** Names from the top, joined with `/`. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink';
  /** Absent in folders, links and empty files. */
  readonly data: XarData | undefined;
  /** Where a symbolic link points. */
  readonly target: string | undefined;
  /** Permission bits. */
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** Seconds since 1970. */
  readonly mtime: number | undefined;
  readonly extendedAttributes: readonly { readonly name: string; readonly data: XarData }[];
}

/** A signature's place in the heap, and the certificates that go with it. */
export interface XarSignature {
  readonly element: 'signature' | 'x-signature';
  /** `RSA` or `CMS`; others are kept as they are. */
  readonly style: string;
  /** Bytes from the start of the heap; the size includes padding. */
  readonly range: ByteRange;
  /** DER, in the order of the TOC: leaf first in all packages seen. */
  readonly certificates: readonly Buffer[];
}

/** What a TOC says, found free of contradictions. */
export interface XarToc {
  /** Seconds since 1970. */
  readonly creationTime: number | undefined;
  readonly checksum: { readonly style: ChecksumStyle; readonly range: ByteRange };
  readonly signatures: readonly XarSignature[];
  /** In the order of the TOC, folders before what they hold. */
  readonly members: readonly XarMember[];
  /** Bytes of the heap that the TOC knows of: the end of its last piece. */
  readonly heapSize: number;
  /** The document, for what is not looked at here. */
  readonly root: XmlElement;
}

const FORMAT = 'XarToc';

/** Kinds of entries that a package has no use for are refused: hard links, devices, pipes, sockets. */
const KINDS = ['file', 'directory', 'symlink'] as const;

/**
 * Returns what a TOC says.
 *
 * Throws FormatError, each fault with its own code (`XAR_...`) and the offset of the element at fault in bytes of the XML.
 * Elements that are not known are let pass. Sources: xar/lib of Apple's and mackyle's xar, packages of 2017 to 2025.
 *
 * @param root the document's root
 * @param heapLimit bytes from the start of the heap to the end of the file
 */
export function parseXarToc(root: XmlElement, heapLimit: number): XarToc {
  if (root.name !== 'xar') fail('XAR_TOC_ROOT', root, `expected element xar, found ${root.name}`);
  const toc = only(root, 'toc');
  const checksumNode = only(toc, 'checksum');
  const style = checksumStyle(checksumNode);
  const checksum = { style, range: range(checksumNode, 'size') };
  const { size } = CHECKSUM_ALGORITHMS[style];
  if (checksum.range.size !== size) {
    fail('XAR_CHECKSUM_SIZE', checksumNode, `expected ${size} bytes of ${style}, found ${checksum.range.size}`);
  }
  const signatures = (['signature', 'x-signature'] as const).flatMap((name) => {
    const node = optional(toc, name);
    return node ? [parseSignature(name, node)] : [];
  });
  const members: XarMember[] = [];
  collectMembers(toc, '', members, new Set());
  const pieces = [
    { node: checksumNode, range: checksum.range },
    ...signatures.map(({ element, range }) => ({ node: only(toc, element), range })),
    ...dataElements(toc).map((node) => ({ node, range: range(node, 'length') })),
  ];
  const heapSize = checkPieces(pieces, heapLimit);
  return { creationTime: time(toc, 'creation-time'), checksum, signatures, members, heapSize, root };
}

/** Returns every element of a TOC that has a place in the heap for content: `data` and `ea` of each file, at any depth. */
export function dataElements(parent: XmlElement): XmlElement[] {
  return childElements(parent, 'file').flatMap((file) => [
    ...childElements(file).filter(({ name }) => name === 'data' || name === 'ea'),
    ...dataElements(file),
  ]);
}

function collectMembers(parent: XmlElement, prefix: string, members: XarMember[], ids: Set<number>): void {
  const siblings = new Set<string>();
  for (const node of childElements(parent, 'file')) {
    const id = parseCount(node.attributes.id ?? '', node, 'id');
    if (ids.has(id)) fail('XAR_ID_REPEATED', node, `expected an id of its own, found ${id} again`);
    ids.add(id);
    const name = memberName(node);
    const path = prefix + name;
    if (Buffer.byteLength(path) > LIMITS.memberPathBytes)
      throw beyond(FORMAT, 'bytes of a path', LIMITS.memberPathBytes);
    // The file systems of macOS take both normal forms of a name for the same file.
    if (siblings.has(name.normalize('NFC'))) fail('XAR_NAME_REPEATED', node, `expected one ${name}, found two`);
    siblings.add(name.normalize('NFC'));
    const member = parseMember(node, id, path);
    members.push(member);
    if (member.kind === 'directory') collectMembers(node, `${path}/`, members, ids);
    else if (childElements(node, 'file').length > 0) {
      fail('XAR_FILE_INSIDE_FILE', node, `expected no file inside the ${member.kind} ${path}, found one`);
    }
  }
}

function parseMember(node: XmlElement, id: number, path: string): XarMember {
  const type = leafText(only(node, 'type'));
  const kind = KINDS.find((candidate) => candidate === type);
  if (!kind) fail('XAR_KIND', node, `expected ${path} to be ${KINDS.join(', ')}, found ${JSON.stringify(type)}`);
  const data = optional(node, 'data');
  if (data && kind !== 'file') fail('XAR_DATA_UNEXPECTED', data, `expected no data in the ${kind} ${path}, found some`);
  return {
    id,
    path,
    kind,
    data: data && parseData(data),
    target: kind === 'symlink' ? leafText(only(node, 'link')) : undefined,
    mode: mode(node),
    uid: optionalCount(node, 'uid'),
    gid: optionalCount(node, 'gid'),
    mtime: time(node, 'mtime'),
    extendedAttributes: childElements(node, 'ea').map((ea) => ({
      name: leafText(only(ea, 'name')),
      data: parseData(ea),
    })),
  };
}

/** productbuild repeats `name`, up to three times (observed, macOS 12 to 15); readers disagree once the names differ. */
function memberName(node: XmlElement): string {
  const names = childElements(node, 'name');
  const [first] = names;
  if (!first) return fail('XAR_ELEMENT_MISSING', node, 'expected element name in file, found none');
  const name = leafText(first);
  if (names.some((other) => leafText(other) !== name)) {
    fail('XAR_NAMES_DIFFER', node, `expected equal names, found ${names.map(leafText).join(', ')}`);
  }
  // libxar writes names that are not UTF-8 as enctype="base64". No package has such a name.
  for (const encoded of names) {
    const { enctype } = encoded.attributes;
    if (enctype !== undefined) fail('XAR_NAME_ENCODING', encoded, `expected a name as text, found enctype ${enctype}`);
  }
  if (!isMemberName(name)) fail('XAR_NAME', first, `expected the name of one file, found ${JSON.stringify(name)}`);
  return name;
}

function parseData(node: XmlElement): XarData {
  const encoding = only(node, 'encoding').attributes.style;
  if (!encoding) fail('XAR_ENCODING_MISSING', node, 'expected attribute style of encoding, found none');
  const { offset, size: length } = range(node, 'length');
  return {
    offset,
    length,
    size: numberIn(node, 'size'),
    encoding: encoding.toLowerCase(),
    archivedChecksum: optionalChecksum(node, 'archived-checksum'),
    extractedChecksum: extractedChecksum(node),
  };
}

/** Packages.app of 2014 calls it `unarchived-checksum`, as the first versions of xar did. Source: xar/lib/archive.c. */
function extractedChecksum(node: XmlElement): XarChecksum | undefined {
  const [one, other] = [optionalChecksum(node, 'extracted-checksum'), optionalChecksum(node, 'unarchived-checksum')];
  // Digests of two styles differ in length.
  if (one && other && one.value !== other.value) {
    fail('XAR_CHECKSUM_REPEATED', node, 'expected one digest of the decoded bytes, found two that differ');
  }
  return one ?? other;
}

function optionalChecksum(parent: XmlElement, name: string): XarChecksum | undefined {
  const node = optional(parent, name);
  return node && parseChecksum(node);
}

function parseChecksum(node: XmlElement): XarChecksum {
  const style = checksumStyle(node);
  const value = leafText(node).trim().toLowerCase();
  const digits = CHECKSUM_ALGORITHMS[style].size * 2;
  if (!/^[0-9a-f]*$/.test(value) || value.length !== digits) {
    fail('XAR_CHECKSUM_VALUE', node, `expected ${digits} hexadecimal digits, found ${JSON.stringify(value)}`);
  }
  return { style, value };
}

function checksumStyle(node: XmlElement): ChecksumStyle {
  const style = (node.attributes.style ?? '').toLowerCase();
  if (Object.hasOwn(CHECKSUM_ALGORITHMS, style)) return style as ChecksumStyle;
  const expected = Object.keys(CHECKSUM_ALGORITHMS).join(', ');
  return fail('XAR_CHECKSUM_STYLE', node, `expected ${expected}, found ${JSON.stringify(style)}`);
}

function parseSignature(element: XarSignature['element'], node: XmlElement): XarSignature {
  const { style } = node.attributes;
  if (!style) fail('XAR_SIGNATURE_STYLE', node, `expected attribute style of ${element}, found none`);
  const certificates = childElements(node, 'KeyInfo')
    .flatMap((keyInfo) => childElements(keyInfo, 'X509Data'))
    .flatMap((data) => childElements(data, 'X509Certificate'));
  if (certificates.length > LIMITS.certificates) throw beyond(FORMAT, 'certificates', LIMITS.certificates);
  return { element, style, range: range(node, 'size'), certificates: certificates.map(parseCertificate) };
}

function parseCertificate(node: XmlElement): Buffer {
  const base64 = leafText(node).replace(/[ \t\r\n]/g, '');
  const der = Buffer.from(base64, 'base64');
  // Buffer skips what is not base64; only the text of the bytes themselves is taken.
  if (der.length > 0 && der.toString('base64') === base64) return der;
  return fail('XAR_CERTIFICATE', node, 'expected a certificate in base64, found something else');
}

/** Checks that all pieces lie in the heap and none overlaps another; returns where the last one ends. */
function checkPieces(pieces: { node: XmlElement; range: ByteRange }[], heapLimit: number): number {
  let end = 0;
  for (const { node, range } of [...pieces].sort((a, b) => a.range.offset - b.range.offset)) {
    const pieceEnd = range.offset + range.size;
    if (pieceEnd > heapLimit) {
      fail('XAR_RANGE_OUTSIDE', node, `expected an end within the heap's ${heapLimit} bytes, found ${pieceEnd}`);
    }
    if (range.size > 0 && range.offset < end) {
      fail('XAR_RANGE_OVERLAP', node, `expected an offset from ${end} on, found ${range.offset}`);
    }
    end = Math.max(end, pieceEnd);
  }
  return end;
}

function range(node: XmlElement, sizeName: 'size' | 'length'): ByteRange {
  return { offset: numberIn(node, 'offset'), size: numberIn(node, sizeName) };
}

function optional(parent: XmlElement, name: string): XmlElement | undefined {
  const found = childElements(parent, name);
  if (found[1]) fail('XAR_ELEMENT_REPEATED', found[1], `expected one ${name} in ${parent.name}, found ${found.length}`);
  return found[0];
}

function only(parent: XmlElement, name: string): XmlElement {
  return (
    optional(parent, name) ??
    fail('XAR_ELEMENT_MISSING', parent, `expected element ${name} in ${parent.name}, found none`)
  );
}

/** Returns the text of an element that holds nothing else; readers disagree about what an element inside it means. */
function leafText(node: XmlElement): string {
  const [child] = childElements(node);
  if (child) fail('XAR_TEXT', child, `expected text alone in ${node.name}, found element ${child.name}`);
  return textOf(node);
}

function numberIn(parent: XmlElement, name: string): number {
  const node = only(parent, name);
  return parseCount(leafText(node), node, name);
}

function optionalCount(parent: XmlElement, name: string): number | undefined {
  const node = optional(parent, name);
  return node && parseCount(leafText(node), node, name);
}

/** Digits only: no sign, fraction, exponent or blank. 15 digits are exact in a double. */
function parseCount(text: string, node: XmlElement, name: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  return fail('XAR_NUMBER', node, `expected ${name} to be a whole number below 10^15, found ${JSON.stringify(text)}`);
}

function mode(parent: XmlElement): number | undefined {
  const node = optional(parent, 'mode');
  if (!node) return undefined;
  const text = leafText(node);
  // libxar writes permission bits only, but some makers add the bits of the file type, such as 0100644.
  if (!/^[0-7]{1,7}$/.test(text)) fail('XAR_MODE', node, `expected an octal number, found ${JSON.stringify(text)}`);
  return Number.parseInt(text, 8) & 0o7777;
}

/** Apple writes `creation-time` without `Z` and times of files with it; both are UTC. */
function time(parent: XmlElement, name: string): number | undefined {
  const node = optional(parent, name);
  if (!node) return undefined;
  const text = leafText(node);
  const milliseconds = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?$/.test(text)
    ? Date.parse(`${text.slice(0, 19)}Z`)
    : Number.NaN;
  if (Number.isNaN(milliseconds)) {
    fail('XAR_TIME', node, `expected YYYY-MM-DDThh:mm:ss, found ${JSON.stringify(text)}`);
  }
  return milliseconds / 1000;
}

function fail(code: string, node: XmlElement, problem: string): never {
  throw new FormatError(code, FORMAT, node.offset ?? 0, problem);
}
