import { FormatError } from '../base/errors.ts';
import { childElements, type XmlElement } from './xml.ts';

/**
 * Returns an element with its name, its attributes and the names of its children in small letters: which Installer heeds the capitals of
 * a name is not published.
 *
 * No attribute hides another one where the document was shown to `demandOneSpelling`.
 *
 * @example folded(parseXml('<Choice customlocation="/a"/>', 'x')).attributes.customlocation // '/a'
 */
export function folded(node: XmlElement): XmlElement {
  const attributes = Object.entries(node.attributes).map(([key, value]) => [key.toLowerCase(), value]);
  const children = node.children.map((child) =>
    typeof child === 'string' ? child : { ...child, name: child.name.toLowerCase() },
  );
  return { ...node, name: node.name.toLowerCase(), attributes: Object.fromEntries(attributes), children };
}

/**
 * Refuses a document in which two attributes of an element differ in capitals alone: a reader that takes them for one would believe
 * either.
 *
 * @param format name of the document in errors, such as `PackageInfo`
 * @throws FormatError `XML_SPELLING`, with the offset of the element
 */
export function demandOneSpelling(node: XmlElement, format: string): void {
  const seen = new Set<string>();
  for (const key of Object.keys(node.attributes)) {
    const name = key.toLowerCase();
    if (seen.has(name)) {
      const problem = `expected one attribute of ${node.name} in any capitals, found another: ${key}`;
      throw new FormatError('XML_SPELLING', format, node.offset ?? 0, problem);
    }
    seen.add(name);
  }
  for (const child of childElements(node)) demandOneSpelling(child, format);
}
