import { SaxesParser } from 'saxes';
import { FormatError } from '../base/errors.ts';

/**
 * A value of a property list. `number` is `<real>`, `bigint` is `<integer>`; a dictionary is a Map, so that no key of a file can
 * reach an object's prototype.
 */
export type PropertyListValue =
  | string
  | number
  | bigint
  | boolean
  | Buffer
  | Date
  | readonly PropertyListValue[]
  | PropertyListDictionary;
export type PropertyListDictionary = ReadonlyMap<string, PropertyListValue>;

const HEADER =
  '<?xml version="1.0" encoding="UTF-8"?>\n' +
  '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n' +
  '<plist version="1.0">\n';
/** Deepest nesting that is read; Apple's CodeResources has 4 levels. */
const MAX_DEPTH = 64;
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Returns an XML property list byte for byte as CoreFoundation writes it: a tab a level, keys sorted by UTF-16 code unit, base64 on
 * lines of its own, a newline at the end.
 *
 * @see CFPropertyList.c, `_CFAppendXML0` and `_XMLPlistAppendDataUsingBase64`
 * @example renderPropertyList(new Map([['a', true]])) // '<?xml …<dict>\n\t<key>a</key>\n\t<true/>\n</dict>\n</plist>\n'
 */
export function renderPropertyList(value: PropertyListValue): string {
  const lines: string[] = [];
  appendValue(lines, value, 0);
  return `${HEADER}${lines.join('\n')}\n</plist>\n`;
}

function appendValue(lines: string[], value: PropertyListValue, depth: number): void {
  const indent = '\t'.repeat(depth);
  if (typeof value === 'string') lines.push(`${indent}<string>${escapeText(value)}</string>`);
  else if (typeof value === 'number') lines.push(`${indent}<real>${value}</real>`);
  else if (typeof value === 'bigint') lines.push(`${indent}<integer>${value}</integer>`);
  else if (typeof value === 'boolean') lines.push(`${indent}<${value}/>`);
  else if (value instanceof Date) lines.push(`${indent}<date>${value.toISOString().replace(/\.\d+Z$/, 'Z')}</date>`);
  else if (Buffer.isBuffer(value)) appendData(lines, value, depth);
  else if (value instanceof Map) appendDictionary(lines, value, depth);
  else appendArray(lines, value as readonly PropertyListValue[], depth);
}

function appendData(lines: string[], value: Buffer, depth: number): void {
  // The indent counts 8 columns a level against lines of 76, and stops growing at 8 levels.
  const level = Math.min(depth, 8);
  const indent = '\t'.repeat(level);
  lines.push(`${indent}<data>`);
  const text = value.toString('base64');
  const width = 76 - 8 * level;
  for (let at = 0; at < text.length; at += width) lines.push(indent + text.slice(at, at + width));
  lines.push(`${indent}</data>`);
}

function appendDictionary(lines: string[], value: PropertyListDictionary, depth: number): void {
  const indent = '\t'.repeat(depth);
  if (value.size === 0) {
    lines.push(`${indent}<dict/>`);
    return;
  }
  lines.push(`${indent}<dict>`);
  for (const key of [...value.keys()].sort()) {
    lines.push(`${indent}\t<key>${escapeText(key)}</key>`);
    appendValue(lines, value.get(key) as PropertyListValue, depth + 1);
  }
  lines.push(`${indent}</dict>`);
}

function appendArray(lines: string[], value: readonly PropertyListValue[], depth: number): void {
  const indent = '\t'.repeat(depth);
  if (value.length === 0) {
    lines.push(`${indent}<array/>`);
    return;
  }
  lines.push(`${indent}<array>`);
  for (const item of value) appendValue(lines, item, depth + 1);
  lines.push(`${indent}</array>`);
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** An element that is open while the text is read. */
interface OpenElement {
  readonly name: string;
  text: string;
  readonly items: PropertyListValue[];
  readonly entries: Map<string, PropertyListValue>;
  key: string | undefined;
}

/**
 * Returns the value of an XML property list.
 *
 * Stricter than CoreFoundation: a key given twice, text between elements, an unknown element or an entity declaration is refused,
 * because two readers could see two different values.
 *
 * @param data UTF-8 bytes, at most 64 MiB
 * @throws FormatError `PLIST_INVALID`
 */
export function parsePropertyList(data: Buffer): PropertyListValue {
  if (data.length > MAX_BYTES) throw new FormatError('SIZE_LIMIT', 'property list', 0, `${data.length} bytes`);
  const parser = new SaxesParser();
  const reader = new Reader(() => parser.position);
  parser.on('doctype', (text) => {
    if (text.includes('[')) reader.refuse('a document type with an internal subset');
  });
  parser.on('opentag', (tag) => reader.open(tag.name));
  parser.on('closetag', () => reader.close());
  parser.on('text', (text) => reader.text(text));
  parser.on('cdata', (text) => reader.text(text));
  parser.on('error', (error) => reader.refuse(error.message));
  parser.write(decodeUtf8(data)).close();
  return reader.result();
}

/** Returns the dictionary at the root of an XML property list; throws FormatError `PLIST_INVALID` when the root is another value. */
export function parsePropertyListDictionary(data: Buffer): PropertyListDictionary {
  const value = parsePropertyList(data);
  if (value instanceof Map) return value;
  throw new FormatError('PLIST_INVALID', 'property list', 0, 'expected a dictionary at the root');
}

function decodeUtf8(data: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(data);
  } catch (cause) {
    throw new FormatError('PLIST_INVALID', 'property list', 0, 'expected UTF-8', { cause });
  }
}

class Reader {
  readonly #stack: OpenElement[] = [];
  readonly #position: () => number;
  #root: PropertyListValue | undefined;
  #plists = 0;

  constructor(position: () => number) {
    this.#position = position;
  }

  refuse(problem: string): never {
    throw new FormatError('PLIST_INVALID', 'property list', this.#position(), problem);
  }

  open(name: string): void {
    const parent = this.#stack.at(-1);
    if (this.#stack.length >= MAX_DEPTH) this.refuse(`more than ${MAX_DEPTH} levels`);
    if (parent === undefined) {
      if (name !== 'plist' || this.#plists++ > 0) this.refuse(`expected <plist>, found <${name}>`);
    } else if (!['plist', 'dict', 'array'].includes(parent.name)) {
      this.refuse(`<${name}> inside <${parent.name}>`);
    } else if (parent.name === 'dict' && (name === 'key') === (parent.key !== undefined)) {
      this.refuse(parent.key === undefined ? `<${name}> without a key` : `no value for key '${parent.key}'`);
    }
    this.#stack.push({ name, text: '', items: [], entries: new Map(), key: undefined });
  }

  text(text: string): void {
    const element = this.#stack.at(-1);
    if (element && !['plist', 'dict', 'array'].includes(element.name)) element.text += text;
    else if (text.trim() !== '') this.refuse('text between elements');
  }

  close(): void {
    const element = this.#stack.pop() as OpenElement;
    const parent = this.#stack.at(-1);
    if (element.name === 'plist') {
      if (element.items.length !== 1) this.refuse(`expected one value, found ${element.items.length}`);
      this.#root = element.items[0];
    } else if (element.name === 'key') {
      if (parent?.name !== 'dict') this.refuse('<key> outside of <dict>');
      if (parent?.entries.has(element.text)) this.refuse(`key '${element.text}' is given twice`);
      if (parent) parent.key = element.text;
    } else if (parent?.name === 'dict') {
      parent.entries.set(parent.key as string, this.#value(element));
      parent.key = undefined;
    } else parent?.items.push(this.#value(element));
  }

  result(): PropertyListValue {
    return this.#root ?? this.refuse('no value');
  }

  #value(element: OpenElement): PropertyListValue {
    switch (element.name) {
      case 'dict':
        if (element.key !== undefined) this.refuse(`no value for key '${element.key}'`);
        return element.entries;
      case 'array':
        return element.items;
      case 'string':
        return element.text;
      case 'true':
      case 'false':
        if (element.text !== '') this.refuse(`text in <${element.name}>`);
        return element.name === 'true';
      case 'data':
        return this.#data(element.text.replace(/\s+/g, ''));
      case 'integer':
        if (!/^\s*[-+]?\d{1,20}\s*$/.test(element.text)) this.refuse(`integer '${element.text}'`);
        return BigInt(element.text.trim().replace('+', ''));
      case 'real':
        if (!/^\s*[-+]?\d+(\.\d+)?([eE][-+]?\d+)?\s*$/.test(element.text)) this.refuse(`real '${element.text}'`);
        return Number(element.text);
      case 'date':
        if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(element.text)) this.refuse(`date '${element.text}'`);
        return new Date(element.text);
      default:
        return this.refuse(`element <${element.name}>`);
    }
  }

  #data(text: string): Buffer {
    const data = Buffer.from(text, 'base64');
    if (data.toString('base64') !== text) this.refuse('base64');
    return data;
  }
}
