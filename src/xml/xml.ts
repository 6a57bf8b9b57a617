import { SaxesParser } from 'saxes';
import { FormatError } from '../base/errors.ts';
import { LIMITS } from '../base/input/limits.ts';

/** An element of an XML document; comments and processing instructions are not kept. */
export interface XmlElement {
  readonly name: string;
  /** Attributes in document order. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Elements and text in document order. White space between elements is not kept. */
  readonly children: readonly XmlNode[];
  /**
   * Its text came in more than one piece, with a comment, an instruction or an element between: some readers take the first piece
   * alone.
   */
  readonly pieces?: true;
  /** Where its `<` stands, in bytes from the start of the document; absent in elements that were not parsed. */
  readonly offset?: number;
}

export type XmlNode = XmlElement | string;

/** How a document is written. */
export interface XmlStyle {
  /** Blanks a level of nesting; Apple's package tools use 4, libxar 1. */
  readonly indent?: number;
  /** How the declaration spells the encoding: `utf-8` in Apple's package tools, `UTF-8` in libxar. */
  readonly encodingName?: 'utf-8' | 'UTF-8';
  /** Whether the last line ends with a newline. pkgbuild and productbuild write none, libxar does. */
  readonly finalNewline?: boolean;
}

/** What a document may cost and say; beyond it, it is refused. */
export interface XmlLimits {
  /** Bytes of the document. */
  readonly size?: number;
  /** Elements inside each other. */
  readonly depth?: number;
  /** Elements in all: each costs far more memory than its bytes. */
  readonly elements?: number;
  /** Attributes in all. */
  readonly attributes?: number;
  /** Whether comments, instructions and marked sections may stand in it; libxar and the tools that make packages write none. */
  readonly plain?: boolean;
  /**
   * Namespaces that may be declared, by the element that declares them; without this any. Some readers look at the name behind the
   * colon alone.
   */
  readonly namespaces?: ReadonlyMap<string, string> | undefined;
  /** `external`: a document type passes as long as it declares nothing itself; what it refers to is never read. */
  readonly documentType?: 'none' | 'external';
}

const DEFAULT_LIMITS = {
  size: LIMITS.documentBytes,
  depth: LIMITS.xmlDepth,
  elements: LIMITS.xmlElements,
  attributes: LIMITS.xmlAttributes,
  plain: false,
  namespaces: undefined,
  documentType: 'none',
} as const satisfies XmlLimits;
type Bounds = Omit<Required<XmlLimits>, 'namespaces'> & Pick<XmlLimits, 'namespaces'>;

// Source of both: XML 1.0 (fifth edition), productions [2] Char and [4] NameStartChar, [4a] NameChar.
const FORBIDDEN_CHARACTER = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
const START =
  ':A-Z_a-z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u02ff\\u0370-\\u037d\\u037f-\\u1fff\\u200c-\\u200d\\u2070-\\u218f' +
  '\\u2c00-\\u2fef\\u3001-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\ufffd\\u{10000}-\\u{effff}';
const NAME = new RegExp(`^[${START}][${START}.0-9\\u00b7\\u0300-\\u036f\\u203f-\\u2040-]*$`, 'u');
/** Which other characters a name may have depends on the edition of XML that a reader was written for. */
const ASCII_NAME = /^[\x21-\x7e]*$/;
/** Production [28] doctypedecl, without declarations of its own; [13] PubidChar. */
const EXTERNAL_TYPE =
  /^\s+[A-Za-z_][\w.-]*(\s+SYSTEM\s+("[^"]*"|'[^']*')|\s+PUBLIC\s+("[\w \r\n'()+,./:=?;!*#@$%-]*"|'[\w \r\n()+,./:=?;!*#@$%-]*')\s+("[^"]*"|'[^']*'))?\s*$/;

/**
 * Returns the document whose root is `root`, as text.
 *
 * Elements without content close themselves, elements with text stay on one line, and nothing is indented inside an
 * element that holds text beside elements. Throws TypeError for names and characters that XML cannot carry.
 *
 * @example renderXml(element('relocate')) // '<?xml version="1.0" encoding="utf-8"?>\n<relocate/>'
 */
export function renderXml(root: XmlElement, style: XmlStyle = {}): string {
  const { indent = 4, encodingName = 'utf-8', finalNewline = false } = style;
  const parts = [`<?xml version="1.0" encoding="${encodingName}"?>`];
  renderElement(root, '\n', ' '.repeat(indent), parts);
  if (finalNewline) parts.push('\n');
  return parts.join('');
}

/**
 * Returns the root element of a document.
 *
 * UTF-8 only. A document type that declares anything is refused, so no entity but the five of XML exists. Every fault throws
 * FormatError: `XML_SIZE`, `XML_DEPTH`, `XML_ELEMENTS`, `XML_ATTRIBUTES` (limits), `XML_ENCODING`, `XML_DOCTYPE`, `XML_PLAIN`,
 * `XML_NAMESPACE`, `XML_SYNTAX`; its offset
 * counts bytes of the document.
 *
 * @param document whole document
 * @param format name of the document in errors, such as `PackageInfo`
 * @example parseXml('<a b="1">x</a>', 'Example').attributes.b // '1'
 */
export function parseXml(document: Buffer | string, format: string, limits: XmlLimits = {}): XmlElement {
  const bounds = { ...DEFAULT_LIMITS, ...limits };
  const data = typeof document === 'string' ? Buffer.from(document) : document;
  if (data.length > bounds.size) {
    throw new FormatError(
      'XML_SIZE',
      format,
      bounds.size,
      `expected at most ${bounds.size} bytes, found ${data.length}`,
    );
  }
  return new TreeBuilder(decodeUtf8(data, format), format, bounds).build();
}

/** Returns an element to render. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | undefined>> = {},
  children: readonly XmlNode[] = [],
): XmlElement {
  const present = Object.entries(attributes).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return { name, attributes: Object.fromEntries(present), children };
}

/** Returns the child elements called `name`, or all of them. */
export function childElements(parent: XmlElement, name?: string): XmlElement[] {
  return parent.children.filter(
    (child): child is XmlElement => typeof child !== 'string' && (name === undefined || child.name === name),
  );
}

/** Returns the text directly inside an element, as it stands. */
export function textOf(parent: XmlElement): string {
  return parent.children.filter((child) => typeof child === 'string').join('');
}

function renderElement(node: XmlElement, lineStart: string, step: string, parts: string[]): void {
  if (!NAME.test(node.name)) throw new TypeError(`no XML name: ${JSON.stringify(node.name)}`);
  parts.push(lineStart, '<', node.name);
  for (const [name, value] of Object.entries(node.attributes)) {
    if (!NAME.test(name)) throw new TypeError(`no XML name: ${JSON.stringify(name)}`);
    parts.push(' ', name, '="', escapeText(value).replace(/["\t\n]/g, characterReference), '"');
  }
  if (node.children.every((child) => child === '')) {
    parts.push('/>');
    return;
  }
  parts.push('>');
  const inline = lineStart === '' || node.children.some((child) => typeof child === 'string' && child !== '');
  for (const child of node.children) {
    if (typeof child === 'string') parts.push(escapeText(child));
    else renderElement(child, inline ? '' : lineStart + step, step, parts);
  }
  parts.push(inline ? '' : lineStart, '</', node.name, '>');
}

function escapeText(text: string): string {
  const bad = FORBIDDEN_CHARACTER.exec(text);
  if (bad) throw new TypeError(`XML has no character U+${(bad[0].codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\r', '&#13;');
}

function characterReference(character: string): string {
  return character === '"' ? '&quot;' : `&#${character.charCodeAt(0)};`;
}

function decodeUtf8(data: Buffer, format: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
  } catch (cause) {
    const offset = firstBadByte(data);
    throw new FormatError('XML_ENCODING', format, offset, 'expected UTF-8, found a byte that is not', { cause });
  }
}

/** Returns where `data` stops being UTF-8. A decoder only says that it does, so the shortest prefix it refuses is sought. */
function firstBadByte(data: Buffer): number {
  let good = 0;
  let bad = data.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(data.subarray(0, middle), { stream: true });
      good = middle;
    } catch {
      bad = middle;
    }
  }
  return good;
}

interface OpenElement {
  name: string;
  attributes: Record<string, string>;
  children: XmlNode[];
  offset: number;
  /** What stood between two pieces of its text. */
  interrupted: boolean;
  hasText: boolean;
  hasAttributes: boolean;
  pieces?: true;
}

/** One for all elements without attributes, which most elements of a property list are. */
const NONE: Record<string, string> = Object.freeze({});
const UNSEEN = { interrupted: false, hasText: false, hasAttributes: false };

/** Collects the events of one parse in a tree. */
class TreeBuilder {
  readonly #text: string;
  readonly #format: string;
  readonly #limits: Bounds;
  readonly #parser = new SaxesParser();
  readonly #open: OpenElement[] = [];
  #root: XmlElement | undefined;
  #elements = 0;
  #attributes = 0;
  /** A place known in characters and in bytes; places are asked for in ascending order, so counting goes on from here. */
  #known = { characters: 0, bytes: 0 };

  constructor(text: string, format: string, limits: Bounds) {
    this.#text = text;
    this.#format = format;
    this.#limits = limits;
  }

  build(): XmlElement {
    const parser = this.#parser;
    parser.on('error', (error) => this.#fail('XML_SYNTAX', error.message.replace(/^\d+:\d+: /, '')));
    parser.on('doctype', (text) => this.#documentType(text));
    parser.on('xmldecl', ({ encoding, version }) => {
      if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8') {
        this.#fail('XML_ENCODING', `expected encoding utf-8, found ${encoding}`);
      }
      if (version !== undefined && version !== '1.0') this.#fail('XML_SYNTAX', `expected XML 1.0, found ${version}`);
    });
    parser.on('opentagstart', (tag) => this.#start(tag.name));
    parser.on('attribute', ({ name, value }) => this.#attribute(name, value));
    parser.on('opentag', ({ attributes }) => {
      const element = this.#open.at(-1) as OpenElement;
      if (element.hasAttributes) element.attributes = attributes;
    });
    parser.on('text', (text) => this.#addText(text));
    parser.on('cdata', (text) => {
      // Once is enough: what follows it comes behind an interruption too.
      this.#interrupt('a marked section (CDATA)');
      this.#addText(text);
    });
    parser.on('comment', () => this.#interrupt('a comment'));
    parser.on('processinginstruction', ({ target }) => {
      this.#checkName(target);
      this.#interrupt('a processing instruction');
    });
    parser.on('closetag', () => this.#end());
    parser.write(this.#text).close();
    if (this.#root === undefined) this.#fail('XML_SYNTAX', 'expected an element, found none');
    return this.#root;
  }

  #documentType(text: string): void {
    if (this.#limits.documentType === 'none') {
      this.#fail('XML_DOCTYPE', 'expected no document type declaration, found one');
    }
    if (text.includes('[')) this.#fail('XML_DOCTYPE', 'expected no declarations in the document type, found some');
    if (!EXTERNAL_TYPE.test(text)) this.#fail('XML_DOCTYPE', 'expected a name and where the document type lies');
  }

  #checkName(name: string): void {
    if (!ASCII_NAME.test(name)) this.#fail('XML_SYNTAX', `expected a name in ASCII, found ${JSON.stringify(name)}`);
  }

  #start(name: string): void {
    const offset = this.#bytesBefore(this.#text.lastIndexOf('<', this.#parser.position - 1));
    this.#checkName(name);
    if (this.#open.length >= this.#limits.depth) {
      this.#fail('XML_DEPTH', `expected at most ${this.#limits.depth} elements inside each other, found more`, offset);
    }
    if (++this.#elements > this.#limits.elements) {
      this.#fail('XML_ELEMENTS', `expected at most ${this.#limits.elements} elements, found more`, offset);
    }
    if (this.#limits.namespaces && name.includes(':')) this.#fail('XML_NAMESPACE', `expected no prefix, found ${name}`);
    const parent = this.#open.at(-1);
    if (parent) parent.interrupted = true;
    this.#open.push({ name, attributes: NONE, children: [], offset, ...UNSEEN });
  }

  #attribute(name: string, value: string): void {
    const { attributes, namespaces } = this.#limits;
    this.#checkName(name);
    const element = this.#open.at(-1) as OpenElement;
    element.hasAttributes = true;
    if (++this.#attributes > attributes) {
      this.#fail('XML_ATTRIBUTES', `expected at most ${attributes} attributes, found more`);
    }
    if (!namespaces || (name !== 'xmlns' && (!name.includes(':') || name.startsWith('xml:')))) return;
    if (name !== 'xmlns' || namespaces.get(element.name) !== value) {
      this.#fail('XML_NAMESPACE', `expected no namespace in ${element.name}, found ${name}="${value}"`);
    }
  }

  /** Notes what stands between two pieces of text, or refuses it. */
  #interrupt(what: string): void {
    if (this.#limits.plain) this.#fail('XML_PLAIN', `expected elements and text alone, found ${what}`);
    const element = this.#open.at(-1);
    if (element) element.interrupted = true;
  }

  #addText(text: string): void {
    const element = this.#open.at(-1);
    if (element === undefined || text === '') return;
    const { children } = element;
    if (/[^ \t\r\n]/.test(text)) {
      if (element.interrupted && element.hasText) element.pieces = true;
      element.hasText = true;
    }
    if (typeof children.at(-1) === 'string') children.push(`${children.pop()}${text}`);
    else children.push(text);
  }

  #end(): void {
    const done = this.#open.pop() as OpenElement;
    const texts = done.children.filter((child) => typeof child === 'string');
    if (texts.length < done.children.length && texts.every((text) => /^[ \t\r\n]*$/.test(text))) {
      done.children = done.children.filter((child) => typeof child !== 'string');
    }
    const { interrupted: _, hasText: __, hasAttributes: ___, ...element } = done;
    const parent = this.#open.at(-1);
    if (parent) parent.children.push(element);
    else this.#root = element;
  }

  #bytesBefore(characters: number): number {
    if (characters > this.#known.characters) {
      const between = this.#text.slice(this.#known.characters, characters);
      this.#known = { characters, bytes: this.#known.bytes + Buffer.byteLength(between) };
    }
    return this.#known.bytes;
  }

  #fail(code: string, problem: string, offset = this.#bytesBefore(this.#parser.position)): never {
    throw new FormatError(code, this.#format, offset, problem);
  }
}
