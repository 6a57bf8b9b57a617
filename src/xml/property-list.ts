import { FormatError } from '../base/errors.ts';
import { LIMITS } from '../base/input/limits.ts';
import { childElements, parseXml, textOf, type XmlElement, type XmlLimits } from './xml.ts';

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
const FORMAT = 'property list';
/** Apple's CodeResources has 4 levels, and some seven elements for each file that is sealed. Every plist of Apple's has a DOCTYPE. */
const BOUNDS: XmlLimits = { elements: LIMITS.propertyListElements, documentType: 'external' };

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

/**
 * Returns the value of an XML property list.
 *
 * Stricter than CoreFoundation: a key given twice, text between elements, an unknown element or an entity declaration is refused,
 * because two readers could see two different values.
 *
 * @param data UTF-8 bytes, at most 64 MiB
 * @throws FormatError `PLIST_INVALID`, and those of `parseXml`
 */
export function parsePropertyList(data: Buffer): PropertyListValue {
  const root = parseXml(data, FORMAT, BOUNDS);
  if (root.name !== 'plist') refuse(root, `expected <plist>, found <${root.name}>`);
  const [value, ...others] = elementsOnly(root);
  if (!value || others.length > 0) refuse(root, `expected one value, found ${value ? 1 + others.length : 0}`);
  return parseValue(value);
}

/** Returns the dictionary at the root of an XML property list; throws FormatError `PLIST_INVALID` when the root is another value. */
export function parsePropertyListDictionary(data: Buffer): PropertyListDictionary {
  const value = parsePropertyList(data);
  if (value instanceof Map) return value;
  throw new FormatError('PLIST_INVALID', FORMAT, 0, 'expected a dictionary at the root');
}

function parseValue(node: XmlElement): PropertyListValue {
  if (node.name === 'dict') return parseDictionary(node);
  if (node.name === 'array') return elementsOnly(node).map(parseValue);
  const text = textOnly(node);
  switch (node.name) {
    case 'string':
      return text;
    case 'true':
    case 'false':
      return text === '' ? node.name === 'true' : refuse(node, `text in <${node.name}>`);
    case 'data':
      return parseBase64(node, text.replace(/\s+/g, ''));
    case 'integer':
      if (!/^\s*[-+]?\d{1,20}\s*$/.test(text)) refuse(node, `integer '${text}'`);
      return BigInt(text.trim().replace('+', ''));
    case 'real':
      if (!/^\s*[-+]?\d+(\.\d+)?([eE][-+]?\d+)?\s*$/.test(text)) refuse(node, `real '${text}'`);
      return Number(text);
    case 'date':
      return parseDate(node, text);
    case 'key':
      return refuse(node, '<key> outside of <dict>');
    default:
      return refuse(node, `element <${node.name}>`);
  }
}

function parseDictionary(node: XmlElement): PropertyListDictionary {
  const entries = new Map<string, PropertyListValue>();
  const children = elementsOnly(node).values();
  for (const child of children) {
    if (child.name !== 'key') refuse(child, `<${child.name}> without a key`);
    const key = textOnly(child);
    if (entries.has(key)) refuse(child, `key '${key}' is given twice`);
    const { value } = children.next();
    if (!value || value.name === 'key') refuse(child, `no value for key '${key}'`);
    entries.set(key, parseValue(value));
  }
  return entries;
}

function parseDate(node: XmlElement, text: string): Date {
  const date = new Date(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) ? text : Number.NaN);
  // A day that its month does not have becomes one of the next month.
  const isReal = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text.slice(0, 19));
  // There is no year 0 for some readers.
  if (!isReal || text.startsWith('0000')) refuse(node, `date '${text}'`);
  return date;
}

function parseBase64(node: XmlElement, text: string): Buffer {
  const data = Buffer.from(text, 'base64');
  return data.toString('base64') === text ? data : refuse(node, 'base64');
}

function elementsOnly(node: XmlElement): XmlElement[] {
  if (/[^ \t\r\n]/.test(textOf(node))) refuse(node, 'text between elements');
  return childElements(node);
}

function textOnly(node: XmlElement): string {
  const [child] = childElements(node);
  if (child) refuse(child, `<${child.name}> inside <${node.name}>`);
  return textOf(node);
}

function refuse(node: XmlElement, problem: string): never {
  throw new FormatError('PLIST_INVALID', FORMAT, node.offset ?? 0, problem);
}
