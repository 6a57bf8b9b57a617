import type { BomRecord } from '../../bom/bom.ts';
import { childElements, parseXml, textOf, type XmlElement } from '../../xml/xml.ts';

/**
 * What Apple's tools write beside what our own writers write, by element. Everything else must be said in the same way.
 *
 * pkgbuild names itself in PackageInfo, and writes the time limit of scripts since macOS 15 only (observed, macOS 10.12 to 15).
 */
const OPTIONAL: Readonly<Record<string, readonly (readonly [string, RegExp])[]>> = {
  'pkg-info': [['generator-version', /^InstallCmds-[\w.]+( \([^)]*\))?$/]],
  preinstall: [['timeout', /^600$/]],
  postinstall: [['timeout', /^600$/]],
};

/**
 * Returns what a document of Apple's tools says beyond ours, and what it lacks: elements with their place, attributes and text. Their
 * order and the spaces between them are Apple's own.
 *
 * @param name of the document, such as `Distribution`
 */
export function documentDifferences(name: string, found: Buffer, expected: Buffer): string[] {
  const said = statements(parseXml(found, name));
  const wanted = statements(parseXml(expected, name));
  return [
    ...without(said, wanted).map((each) => `${name} says ${each}, which is not ours`),
    ...without(wanted, said).map((each) => `${name} does not say ${each}`),
  ];
}

/** One line an element: the names above it, its attributes by name, its text. */
function statements(node: XmlElement, above = ''): string[] {
  const optional = OPTIONAL[node.name] ?? [];
  const attributes = Object.entries(node.attributes)
    .filter(([key, value]) => !optional.some(([known, form]) => known === key && form.test(value)))
    .map(([key, value]) => ` ${key}=${JSON.stringify(value)}`)
    .sort();
  const place = `${above}/${node.name}`;
  const text = textOf(node).trim();
  const own = `${place}${attributes.join('')}${text === '' ? '' : ` ${JSON.stringify(text.slice(0, 200))}`}`;
  return [own, ...childElements(node).flatMap((child) => statements(child, place))];
}

/** Returns the items of one list that the other does not have as often. */
function without(items: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return items.filter((item) => {
    const at = left.indexOf(item);
    if (at < 0) return true;
    left.splice(at, 1);
    return false;
  });
}

/**
 * Returns in what records of a Bom differ from ours; the size of a folder is that of the file system of whoever built. Times are those of
 * the payload, with which the Bom has been compared.
 */
export function recordDifferences(found: readonly BomRecord[], expected: readonly BomRecord[]): string[] {
  const line = ({ kind, size, pathOnly = false, mtimeSeconds: _, ...record }: BomRecord) =>
    JSON.stringify({ ...record, kind, pathOnly, ...(kind === 'directory' ? {} : { size }) }, keys);
  return without(found.map(line), expected.map(line)).map(
    (record) => `the Bom has a record that is not ours: ${record}`,
  );
}

/** Writes the keys of every object in one order. */
const keys = (_: string, value: unknown) =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
