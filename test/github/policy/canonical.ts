import { type Document, isAlias, isMap, isPair, isScalar, parseAllDocuments, visit } from 'yaml';

/** What a workflow file says, without its form: order of keys, quotes, flow or block, comments. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };

/** A workflow file as a value, and what of its form could be read in two ways. */
export interface Canonical {
  readonly value: Value;
  readonly problems: readonly string[];
}

/**
 * Returns what YAML text says, in a form that can be compared, and every use of YAML that hides something or that two readers
 * understand differently: anchors, tags, merge keys, doubled keys, words that were booleans in YAML 1.1, numbers that are not
 * plain, text over several lines, characters that do not show.
 *
 * @example readCanonical('on: push\n') // { value: { on: 'push' }, problems: [] }
 */
export function readCanonical(source: string): Canonical {
  const problems = characterProblems(source);
  const documents = parseAllDocuments(source, { version: '1.2', strict: true, uniqueKeys: true, merge: false });
  if (!Array.isArray(documents) || documents.length !== 1) {
    return { value: null, problems: [...problems, `${documents.length} documents instead of one`] };
  }
  const document = documents[0] as Document.Parsed;
  for (const { message } of [...document.errors, ...document.warnings])
    problems.push(`YAML: ${message.split('\n')[0]}`);
  if (/^(%|---|\.\.\.)/m.test(source)) problems.push('a directive or a document mark');
  problems.push(...nodeProblems(document));
  return { value: problems.length === 0 ? (document.toJS() as Value) : null, problems };
}

function characterProblems(source: string): string[] {
  return source.split('\n').flatMap((line, index) => {
    const found = /[^\x20-\x7e]/.exec(line);
    const code = found?.[0].codePointAt(0)?.toString(16).padStart(4, '0');
    return found ? [`line ${index + 1}: a character that is not printable ASCII, U+${code}`] : [];
  });
}

function nodeProblems(document: Document.Parsed): string[] {
  const problems: string[] = [];
  visit(document, {
    Node(key, node) {
      const place = node.range ? `byte ${node.range[0]}` : 'somewhere';
      if (isAlias(node) || ('anchor' in node && node.anchor)) problems.push(`${place}: an anchor or alias`);
      // Only a node whose tag was written has one.
      if (node.tag !== undefined) problems.push(`${place}: a tag`);
      if (isScalar(node) && key !== 'key') problems.push(...scalarProblems(place, node.source ?? '', node));
    },
    Pair(_, pair) {
      if (!isScalar(pair.key) || typeof pair.key.value !== 'string' || pair.key.type !== 'PLAIN')
        problems.push('a key that is not a plain word');
      else if (!/^[A-Za-z_][\w-]*$/.test(pair.key.value)) problems.push(`a key that is not a word: ${pair.key.value}`);
      else if (isWordOf11(pair.key.value) && !isTop(document, pair))
        problems.push(`a key that YAML 1.1 reads as a boolean: ${pair.key.value}`);
    },
  });
  return problems;
}

function scalarProblems(place: string, source: string, node: { type?: unknown; value: unknown }): string[] {
  if (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED') return [`${place}: text over several lines`];
  if (typeof node.value === 'string' && /[^\x20-\x7e]/.test(node.value))
    return [`${place}: a character that is not printable ASCII`];
  if (node.type !== 'PLAIN') return [];
  if (source.includes('\n')) return [`${place}: text over several lines`];
  if (isWordOf11(source)) return [`${place}: ${source} is a boolean in YAML 1.1`];
  if (source !== '' && node.value === null) return [`${place}: a null that is written`];
  if (typeof node.value === 'boolean' && !/^(true|false)$/.test(source)) return [`${place}: ${source} as a boolean`];
  // Octal, hexadecimal, with underscores, in base 60, with a fraction: each of them is read in two ways by somebody.
  const numeric = /^[-+.]?\d[\d_.:xobXa-fA-F+-]*$/.test(source) || typeof node.value === 'number';
  return numeric && !/^(0|[1-9]\d*)$/.test(source) ? [`${place}: a number that is not plain: ${source}`] : [];
}

function isWordOf11(word: string): boolean {
  return /^(y|n|yes|no|on|off)$/i.test(word);
}

function isTop(document: Document.Parsed, pair: unknown): boolean {
  return isMap(document.contents) && isPair(pair) && document.contents.items.some((item) => item === pair);
}

/** Returns where two values differ, one line a place; empty when they say the same. */
export function differences(expected: Value | undefined, found: Value | undefined, at: string): string[] {
  if (isRecord(expected) && isRecord(found)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
    return keys.flatMap((key) => differences(own(expected, key), own(found, key), `${at}/${key}`));
  }
  if (Array.isArray(expected) && Array.isArray(found)) {
    const length = Math.max(expected.length, found.length);
    return Array.from({ length }, (_, index) => differences(expected[index], found[index], `${at}/${index}`)).flat();
  }
  return expected === found ? [] : [`${at} is ${show(found)}, the table says ${show(expected)}`];
}

type Mapping = { readonly [key: string]: Value };

function own(record: Mapping, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Whether a value is a mapping. */
export function isRecord(value: Value | undefined): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: Value | undefined): string {
  return value === undefined ? 'not there' : JSON.stringify(value);
}
