import * as z from 'zod';
import { UsageError } from './errors.ts';
import { shownPath } from './place/shown.ts';

// A schema checks one file a run: making a function of it (zod's default) takes longer than walking it.
z.config({ jitless: true });

/** What a JSON document must be, and how one that is not is refused. */
export interface DocumentForm<T> {
  /** What messages call the document: its path. */
  readonly name: string;
  readonly schema: z.ZodType<T>;
  /** Code of the error that lists its problems. */
  readonly code: string;
  readonly hint?: string;
  /** Returns further problems, of a value that need not have the right shape. */
  readonly contradictions?: (value: unknown) => readonly string[];
}

/**
 * Returns the document that JSON text holds.
 *
 * @param source text, or bytes that must be UTF-8
 * @throws UsageError `JSON_INVALID`, or the form's code with every problem: path, value, what is allowed
 * @example parseDocument(await readFile(path), { name: path, schema: z.strictObject({ a: z.string() }), code: 'EXAMPLE_INVALID' })
 */
export function parseDocument<T>(source: Buffer | string, form: DocumentForm<T>): T {
  const name = shownPath(form.name);
  const value = parseJson(source, name);
  const checked = form.schema.safeParse(value);
  const problems = [
    ...(checked.success ? [] : problemsOf(checked.error, value)),
    ...(form.contradictions?.(value) ?? []),
  ];
  if (checked.success && problems.length === 0) return checked.data;
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const list = problems.map((problem) => `  ${problem}`).join('\n');
  throw new UsageError(form.code, `${name} has ${count}:\n${list}`, form.hint === undefined ? {} : { hint: form.hint });
}

/** Returns the document that a service answered with, or undefined when the bytes are not JSON of that shape. */
export function documentIn<T>(source: Buffer, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.parse(readJson(source));
  } catch (error) {
    if (error instanceof JsonFault || error instanceof z.ZodError) return undefined;
    throw error;
  }
}

/** Returns what JSON text says. Throws UsageError `JSON_INVALID` naming line and column where they are known. */
export function parseJson(source: Buffer | string, name: string): unknown {
  try {
    return readJson(source);
  } catch (cause) {
    if (!(cause instanceof JsonFault)) throw cause;
    throw new UsageError('JSON_INVALID', `${name} is not valid JSON: ${cause.message}`, {
      cause,
      hint: 'JSON wants double quotes, each key once, and no comma behind the last element.',
    });
  }
}

/** Shows a value in a message, cut where it is long. */
export function show(value: unknown): string {
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length > 80 ? `${shown.slice(0, 77)}...` : shown;
}

class JsonFault extends Error {}

/** JSON of one meaning: what two readers could read in two ways is refused (RFC 8259, sections 4 and 8.1). */
function readJson(source: Buffer | string): unknown {
  const text = typeof source === 'string' ? source : decodeUtf8(source);
  if (text.startsWith('\ufeff')) throw new JsonFault('it begins with a byte order mark');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw syntaxFault(text, cause as Error);
  }
  refuseRepeatedKeys(text);
  return value;
}

function decodeUtf8(source: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(source);
  } catch (cause) {
    throw new JsonFault('it is not UTF-8', { cause });
  }
}

function syntaxFault(text: string, cause: Error): JsonFault {
  const [, what, position] =
    /^(.*?)(?:(?: in JSON)? at position (\d+).*| is not valid JSON)?$/s.exec(cause.message) ?? [];
  // Of some faults V8 shows the place as text only.
  const end = cause.message.includes('end of JSON') ? text.length : undefined;
  const offset = position === undefined ? end : Number(position);
  return new JsonFault(offset === undefined ? what : `${placeOf(text, offset)}: ${what}`, { cause });
}

/** Of two keys with one name JSON.parse keeps the last, another reader the first. `text` is JSON already. */
function refuseRepeatedKeys(text: string): void {
  const open: Set<string>[] = [];
  for (const { 0: token, 1: key, index } of text.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (token === '{' || token === '[') open.push(new Set());
    else if (token === '}' || token === ']') open.pop();
    if (key === undefined) continue;
    const name = JSON.parse(key) as string;
    if (open.at(-1)?.has(name))
      throw new JsonFault(`${placeOf(text, index)}: the key ${show(name)} stands twice in one object`);
    open.at(-1)?.add(name);
  }
}

function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

function problemsOf(error: z.ZodError, root: unknown): string[] {
  return error.issues.flatMap((issue) => describeIssue(issue, root));
}

function describeIssue(issue: z.core.$ZodIssue, root: unknown): string[] {
  const at = issue.path.map(String).join('.') || '(the whole file)';
  const value = issue.path.reduce<unknown>(
    (found, key) => (found as Record<PropertyKey, unknown> | undefined)?.[key],
    root,
  );
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${[...issue.path, key].join('.')}: no such setting; remove it or mend its name`);
  }
  const allowed = issue.message.replace(/^Invalid input: expected /, '').replace(/, received \w+$/, '');
  return [
    value === undefined ? `${at}: missing; allowed is ${allowed}` : `${at}: ${show(value)}: allowed is ${allowed}`,
  ];
}
