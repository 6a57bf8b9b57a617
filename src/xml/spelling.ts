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
 * Refuses a document in which two attributes of an element differ in capitals alone, or a name differs so from one that the reader knows:
 * which of them Installer takes is not published, so a package could mean something else than what is read.
 *
 * @param format name of the document in errors, such as `PackageInfo`
 * @param known names of elements and attributes that stand in these capitals or not at all
 * @throws FormatError `XML_SPELLING`, with the offset of the element
 */
export function demandOneSpelling(node: XmlElement, format: string, known: readonly string[] = []): void {
  look(node, format, new Map(known.map((name) => [name.toLowerCase(), name])));
}

function look(node: XmlElement, format: string, spelled: ReadonlyMap<string, string>): void {
  const fail = (problem: string) => {
    throw new FormatError('XML_SPELLING', format, node.offset ?? 0, problem);
  };
  const keys = Object.keys(node.attributes);
  for (const name of [node.name, ...keys]) {
    const right = spelled.get(name.toLowerCase()) ?? name;
    if (name !== right) fail(`expected ${right}, found other capitals: ${name}`);
  }
  const seen = new Set<string>();
  for (const key of keys) {
    const name = key.toLowerCase();
    if (seen.has(name)) fail(`expected one attribute of ${node.name} in any capitals, found another: ${key}`);
    seen.add(name);
  }
  for (const child of childElements(node)) look(child, format, spelled);
}
