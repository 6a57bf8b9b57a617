import { UsageError } from '../../src/base/errors.ts';

/** Returns the text of a template by its path below `scripts/`, such as `lib/report.sh`. */
export type ReadTemplate = (path: string) => string;

const INCLUDE = /^# @include (\S+)$/;
const VALUE_LINE = /^([A-Z_]+)=@([A-Z_]+)@$/;
const DIRECTIVE = /^# shellcheck shell=/;

/**
 * Returns a template with its includes and values put in: a script that stands alone.
 *
 * A line `# @include lib/NAME.sh` is replaced by that file, a line `KEY=@KEY@` by `KEY='value'`. Functions, values and
 * one-line variables that the script never uses are left out, together with the comment above them.
 *
 * @param name template below `scripts/`
 * @param values by placeholder name, any text without NUL
 * @throws TypeError on an unknown or misplaced placeholder, a file included twice, in a circle, or without any use
 */
export function renderScript(
  name: string,
  values: Readonly<Record<string, string>>,
  readTemplate: ReadTemplate,
): string {
  const parts: Part[] = [];
  collect(name, readTemplate, [], parts);
  refuseIdleParts(name, parts);
  const blocks = dropUnused(parts.flatMap((part) => [...blocksOf(part), BLANK]));
  const lines = blocks.flatMap((block) => block.lines.map((line) => fillIn(block.file, line, values)));
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`;
}

/** A run of lines that is kept or left out as a whole: a function or a variable with its comment, or any other line. */
interface Block {
  readonly file: string;
  /** Name it defines, if it does nothing else. */
  readonly defines: string | undefined;
  readonly lines: readonly string[];
}

const BLANK: Block = { file: '', defines: undefined, lines: [''] };

function blocksOf({ file, lines }: Part): Block[] {
  const blocks: Block[] = [];
  for (let start = 0; start < lines.length; ) {
    let head = start;
    while (lines[head]?.startsWith('#') && !lines[head]?.startsWith('#!')) head++;
    const line = lines[head] ?? '';
    const functionName = /^([a-z_]+)\(\) \{$/.exec(line)?.[1];
    const variable = /^([A-Z_]+)=(?:[^'"]*|'[^']*'|"[^"]*")(?:\s+#.*)?$/.exec(line)?.[1];
    let end = head + 1;
    if (functionName !== undefined) end = lines.indexOf('}', head) + 1;
    blocks.push({ file, defines: functionName ?? variable, lines: lines.slice(start, Math.max(end, start + 1)) });
    start = Math.max(end, start + 1);
  }
  return blocks;
}

/** Leaves out every definition that no other block names, until none is left. */
function dropUnused(blocks: readonly Block[]): readonly Block[] {
  const named = blocks.map((block) => wordsOf(block.lines.filter((line) => !/^\s*#/.test(line))));
  const uses = new Map<string, number>();
  const count = (words: ReadonlySet<string>, step: 1 | -1) => {
    for (const word of words) uses.set(word, (uses.get(word) ?? 0) + step);
  };
  for (const words of named) count(words, 1);
  const kept = new Set(blocks.keys());
  for (let before = -1; before !== kept.size; ) {
    before = kept.size;
    for (const index of kept) {
      const { defines } = blocks[index] as Block;
      // A block that defines a name also holds it: one use is its own.
      if (defines === undefined || (uses.get(defines) ?? 0) > 1) continue;
      kept.delete(index);
      count(named[index] as ReadonlySet<string>, -1);
    }
  }
  return blocks.filter((_, index) => kept.has(index));
}

function wordsOf(lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.join('\n').match(/\w+/g) ?? []);
}

/** Lines of one file in the order they end up in; a template is cut in parts by its includes. */
interface Part {
  readonly file: string;
  readonly lines: string[];
}

function collect(file: string, readTemplate: ReadTemplate, path: readonly string[], parts: Part[]): void {
  if (path.includes(file)) throw new TypeError(`${file} includes itself: ${[...path, file].join(' > ')}`);
  if (parts.some((part) => part.file === file)) throw new TypeError(`${path[0]}: ${file} is included twice`);
  let part: Part = { file, lines: [] };
  parts.push(part);
  for (const line of readTemplate(file).replace(/\n+$/, '').split('\n')) {
    const include = INCLUDE.exec(line)?.[1];
    if (include !== undefined) {
      collect(include, readTemplate, [...path, file], parts);
      part = { file: `${file} (continued)`, lines: [] };
      parts.push(part);
    } else if (/^\s*# ?@include/.test(line)) {
      throw new TypeError(`${file}: not an include: ${line}`);
    } else if (!DIRECTIVE.test(line)) {
      part.lines.push(line);
    }
  }
}

/** An included file that only defines things, none of which is named anywhere else, only makes the script longer. */
function refuseIdleParts(name: string, parts: readonly Part[]): void {
  const named = parts.map((part) => wordsOf(part.lines));
  for (const part of parts.slice(1)) {
    const names = part.lines.flatMap((line) => /^(?:([a-z_]+)\(\)|([A-Z_]+)=)/.exec(line)?.slice(1) ?? []);
    const defined = names.filter((word) => word !== undefined);
    const acts = part.lines.some((line) => /^[a-z]/.test(line) && !/^[a-z_]+\(\)/.test(line));
    if (defined.length === 0 || acts) continue;
    const used = defined.some((word) => named.some((words, other) => parts[other] !== part && words.has(word)));
    if (!used) throw new TypeError(`${name}: nothing of ${part.file} is used`);
  }
}

function fillIn(file: string, line: string, values: Readonly<Record<string, string>>): string {
  const [, key, placeholder] = VALUE_LINE.exec(line) ?? [];
  if (key === undefined || placeholder === undefined) {
    if (/@[A-Z_]+@/.test(line)) throw new TypeError(`${file}: a placeholder stands alone, as KEY=@KEY@: ${line}`);
    return line;
  }
  const value = Object.hasOwn(values, placeholder) ? values[placeholder] : undefined;
  if (value === undefined) throw new TypeError(`${file}: @${placeholder}@ is no known value`);
  return `${key}=${quoteWord(value)}`;
}

/**
 * Returns `text` as one word of a POSIX shell that stands for exactly these characters.
 *
 * @throws UsageError on NUL, which no shell word can hold
 * @see POSIX Shell Command Language, 2.2.2 Single-Quotes
 * @example quoteWord("it's") // 'it'\''s'
 */
export function quoteWord(text: string): string {
  if (text.includes('\0')) throw new UsageError('VALUE_INVALID', 'a value of the scripts contains NUL');
  return `'${text.replaceAll("'", "'\\''")}'`;
}
