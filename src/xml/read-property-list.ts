import { FormatError } from '../base/errors.ts';
import { isBinaryPropertyList, parseBinaryPropertyList } from './binary-property-list.ts';
import { type PropertyListDictionary, parsePropertyListDictionary } from './property-list.ts';

/**
 * Returns the dictionary of a property list in either form, XML or binary, as a Mac reads it.
 *
 * @throws FormatError `PLIST_INVALID`, `SIZE_LIMIT`, and those of `parseXml`
 * @example readPropertyListDictionary(readFileSync('Info.plist')).get('CFBundleIdentifier') // 'com.example.a'
 */
export function readPropertyListDictionary(data: Buffer): PropertyListDictionary {
  if (!isBinaryPropertyList(data)) return parsePropertyListDictionary(data);
  const value = parseBinaryPropertyList(data);
  if (value instanceof Map) return value;
  throw new FormatError('PLIST_INVALID', 'binary property list', 0, 'expected a dictionary at the root');
}
