import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FormatError } from '../../../src/base/errors.ts';
import { parseDistribution } from '../../../src/package/distribution.ts';
import { parsePackageInfo } from '../../../src/package/package-info.ts';
import type { PropertyListValue } from '../../../src/xml/property-list.ts';
import { readPropertyListDictionary } from '../../../src/xml/read-property-list.ts';
import { childElements, parseXml, textOf, type XmlElement } from '../../../src/xml/xml.ts';
import { randomFrom } from '../differential.ts';
import { type DocumentKind, editedDocument } from './edits.ts';

/**
 * Reads documents with Python's expat, with libxml2 (its canonical form, read by expat) and with plistlib, and prints what each of them
 * sees: a tree, the value of a property list, or null when it refuses. Text that is blank counts only in elements without others inside.
 */
const OTHERS = `
import json, plistlib, subprocess, sys, datetime
from xml.parsers import expat

def tree(data):
    parser = expat.ParserCreate()
    parser.buffer_text = True
    stack = [{'children': [], 'text': ''}]
    def start(name, attributes):
        node = {'name': name, 'attributes': attributes, 'children': [], 'text': ''}
        stack[-1]['children'].append(node)
        stack.append(node)
    def end(name):
        node = stack.pop()
        if node['children'] and not node['text'].strip(' \\t\\r\\n'): node['text'] = ''
    def text(piece): stack[-1]['text'] += piece
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.Parse(data, True)
    return stack[0]['children'][0]

def canonical(path):
    run = subprocess.run(['xmllint', '--nonet', '--c14n', path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if run.returncode != 0: raise ValueError('xmllint')
    return tree(run.stdout)

def value(item):
    if isinstance(item, bool) or isinstance(item, str): return item
    if isinstance(item, int): return {'integer': str(item)}
    if isinstance(item, float): return {'real': item}
    if isinstance(item, bytes): return {'data': item.hex()}
    if isinstance(item, datetime.datetime): return {'date': item.strftime('%Y-%m-%dT%H:%M:%SZ')}
    if isinstance(item, list): return [value(each) for each in item]
    return {'dictionary': [[key, value(item[key])] for key in sorted(item)]}

READERS = {
    'expat': lambda path: tree(open(path, 'rb').read()),
    'libxml2': canonical,
    'plistlib': lambda path: value(plistlib.load(open(path, 'rb'), fmt=plistlib.FMT_XML)),
}
for line in sys.stdin:
    names, path = line.rstrip('\\n').split('\\t')
    seen = {}
    for name in names.split(','):
        try: seen[name] = READERS[name](path)
        except Exception: seen[name] = None
    print(json.dumps(seen))
`;

/** A tree as the others print it. */
interface Seen {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Seen[];
  readonly text: string;
}

const seenBy = (node: XmlElement): Seen => ({
  name: node.name,
  attributes: node.attributes,
  children: childElements(node).map(seenBy),
  text: textOf(node),
});

function shown(item: PropertyListValue): unknown {
  if (typeof item === 'boolean' || typeof item === 'string') return item;
  if (typeof item === 'bigint') return { integer: String(item) };
  if (typeof item === 'number') return { real: item };
  if (Buffer.isBuffer(item)) return { data: item.toString('hex') };
  if (item instanceof Date) return { date: item.toISOString().replace('.000Z', 'Z') };
  if (Array.isArray(item)) return item.map(shown);
  const entries = [...(item as ReadonlyMap<string, PropertyListValue>)];
  return {
    dictionary: entries
      .map(([key, one]) => [key, shown(one)])
      .sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)),
  };
}

/** Returns what we see in a document, by the readers that `verify` and `inspect` use; null when one of them refuses. */
function ourView(kind: DocumentKind, data: Buffer): unknown {
  try {
    if (kind === 'Info.plist') return shown(readPropertyListDictionary(data));
    if (kind === 'Distribution') return seenBy(parseDistribution(data).root);
    parsePackageInfo(data);
    return seenBy(parseXml(data, kind));
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

/** One document that we read and another reader sees in another way, or refuses. */
export interface DocumentDifference {
  readonly seed: number;
  readonly reader: string;
  readonly document: string;
  readonly ours: string;
  readonly theirs: string;
}

/**
 * Makes `count` edits from `first` on and returns those where another reader refuses what we read, or sees other values.
 *
 * @param readers of `expat`, `libxml2` and `plistlib`
 */
export function compareDocuments(
  kind: DocumentKind,
  first: number,
  count: number,
  readers: readonly string[],
): { differences: DocumentDifference[]; read: number; refused: number } {
  const folder = mkdtempSync(join(tmpdir(), 'documents-'));
  const cases: { seed: number; data: Buffer; ours: unknown }[] = [];
  for (let seed = first; seed < first + count; seed++) {
    const data = editedDocument(kind, randomFrom(seed));
    const ours = ourView(kind, data);
    if (ours === null) continue;
    writeFileSync(join(folder, String(seed)), data);
    cases.push({ seed, data, ours });
  }
  const input = cases.map(({ seed }) => `${readers.join()}\t${join(folder, String(seed))}\n`).join('');
  const run = spawnSync('python3', ['-c', OTHERS], { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(run.stderr);
  rmSync(folder, { recursive: true });
  const lines = run.stdout.split('\n');
  const differences = cases.flatMap(({ seed, data, ours }, index) => {
    const seen = JSON.parse(lines[index] as string) as Record<string, unknown>;
    return readers
      .filter((reader) => sorted(seen[reader]) !== sorted(ours))
      .map((reader) => ({ seed, reader, document: data.toString(), ours: sorted(ours), theirs: sorted(seen[reader]) }));
  });
  return { differences, read: cases.length, refused: count - cases.length };
}

/** As text, keys of objects in one order. */
function sorted(value: unknown): string {
  const inOrder = (_: string, item: unknown) =>
    item !== null && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item;
  return JSON.stringify(value, inOrder);
}
