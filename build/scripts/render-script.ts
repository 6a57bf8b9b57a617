import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../src/base/errors.ts';

/** Returns the text of a template by its path below `scripts/`, such as `lib/report.sh`. */
export type ReadTemplate = (path: string) => string;

const INCLUDE = /^# @include (\S+)$/;
const VALUE_LINE = /^([A-Z_]+)=@([A-Z_]+)@$/;
const DIRECTIVE = /^# shellcheck shell=/;

/**
 * Returns a function that renders a template by its name below `scripts/`: with its includes and values put in, a script that
 * stands alone.
 *
 * A line `# @include lib/NAME.sh` is replaced by that file, a line `KEY=@KEY@` by `KEY='value'`. Functions, values and
 * one-line variables that the script never uses are left out, together with the comment above them. A file is read and taken
 * apart once, however many scripts include it.
 *
 * The function throws TypeError on an unknown or misplaced placeholder, a file included twice, in a circle, or without any use.
 *
 * @param values by placeholder name, any text without NUL
 * @example scriptRenderer(scriptValues(input), templateReader('scripts'))('postinstall.sh')
 */
export function scriptRenderer(
  values: Readonly<Record<string, string>>,
  readTemplate: ReadTemplate,
): (name: string) => string {
  const known = new Map<string, Template>();
  const templateOf = (file: string): Template => {
    const template = known.get(file) ?? parseTemplate(file, readTemplate(file), values);
    known.set(file, template);
    return template;
  };
  return (name) => {
    const parts: Part[] = [];
    collect(name, templateOf, [], parts);
    const used = usedBlocks(parts.flatMap((part) => part.blocks));
    refuseIdleParts(name, parts, used);
    const texts = parts.flatMap((part) => [
      ...part.blocks.filter((block) => used.has(block)).map(({ text }) => text),
      '',
    ]);
    return `${texts
      .join('\n')
      .replace(/\n{3,}/g, '\n\n')
      .trimEnd()}\n`;
  };
}

/** Returns the names of a template and of all that it includes, each of which is there. */
export function templateFiles(name: string, readTemplate: ReadTemplate): string[] {
  const includes = readTemplate(name)
    .split('\n')
    .flatMap((line) => INCLUDE.exec(line)?.[1] ?? []);
  return [name, ...includes.flatMap((include) => templateFiles(include, readTemplate))];
}

/** A file of `scripts/`, cut where its includes stand. */
type Template = readonly (Part | { readonly include: string })[];

interface Part {
  readonly file: string;
  readonly blocks: readonly Block[];
}

/** A run of lines that is kept or left out as a whole: a function or a variable with its comment, or any other line. */
interface Block {
  /** Name it defines, if it does nothing else. */
  readonly defines: string | undefined;
  /** Whether it is more than blank lines and comments. */
  readonly says: boolean;
  /** Words outside of comments, any of which may be a name that another block defines. */
  readonly words: ReadonlySet<string>;
  readonly text: string;
}

function parseTemplate(file: string, text: string, values: Readonly<Record<string, string>>): Template {
  const template: (Part | { include: string })[] = [];
  let lines: string[] = [];
  const endPart = () => {
    template.push({ file, blocks: blocksOf(lines, (line) => fillIn(file, line, values)) });
    lines = [];
  };
  for (const line of text.trimEnd().split('\n')) {
    const include = INCLUDE.exec(line)?.[1];
    if (include !== undefined) {
      endPart();
      template.push({ include });
    } else if (/^\s*# ?@include/.test(line)) {
      throw new TypeError(`${file}: not an include: ${line}`);
    } else if (!DIRECTIVE.test(line)) {
      lines.push(line);
    }
  }
  endPart();
  return template;
}

function blocksOf(lines: readonly string[], finished: (line: string) => string): Block[] {
  const blocks: Block[] = [];
  for (let start = 0; start < lines.length; ) {
    let head = start;
    while (lines[head]?.startsWith('#') && !lines[head]?.startsWith('#!')) head++;
    const line = lines[head] ?? '';
    const functionName = /^([a-z_]+)\(\) \{$/.exec(line)?.[1];
    const variable = /^([A-Z_]+)=(?:[^'"\s]*|'[^']*'|"[^"]*")(?:\s+#.*)?$/.exec(line)?.[1];
    const end = Math.max(functionName === undefined ? head + 1 : lines.indexOf('}', head) + 1, start + 1);
    const own = lines.slice(start, end);
    const code = own.filter((text) => !/^\s*(#|$)/.test(text)).join('\n');
    blocks.push({
      defines: functionName ?? variable,
      says: code !== '',
      words: new Set(code.match(/\w+/g)),
      text: own.map(finished).join('\n'),
    });
    start = end;
  }
  return blocks;
}

/** Returns the blocks that act, and every definition that one of them names, or that such a definition names in turn. */
function usedBlocks(blocks: readonly Block[]): ReadonlySet<Block> {
  const definitions = new Map<string, Block[]>();
  for (const block of blocks) {
    if (block.defines !== undefined) definitions.set(block.defines, [...(definitions.get(block.defines) ?? []), block]);
  }
  // What is added to a set while it is gone through is gone through too.
  const used = new Set(blocks.filter((block) => block.defines === undefined));
  for (const { words } of used) {
    for (const word of words) for (const definition of definitions.get(word) ?? []) used.add(definition);
  }
  return used;
}

/** Lists the parts of a template in the order they end up in, those of its includes among them. */
function collect(file: string, templateOf: (file: string) => Template, path: readonly string[], parts: Part[]): void {
  if (path.includes(file)) throw new TypeError(`${file} includes itself: ${[...path, file].join(' > ')}`);
  if (parts.some((part) => part.file === file)) throw new TypeError(`${path[0]}: ${file} is included twice`);
  for (const part of templateOf(file)) {
    if ('include' in part) collect(part.include, templateOf, [...path, file], parts);
    else parts.push(part);
  }
}

/** An included file that only defines things, none of which is used, only makes the script longer. */
function refuseIdleParts(name: string, parts: readonly Part[], used: ReadonlySet<Block>): void {
  for (const { file, blocks } of parts) {
    const saying = blocks.filter((block) => block.says);
    if (file === name || saying.length === 0 || saying.some((block) => used.has(block))) continue;
    throw new TypeError(`${name}: nothing of ${file} is used`);
  }
}

function fillIn(file: string, line: string, values: Readonly<Record<string, string>>): string {
  const [, key, placeholder] = VALUE_LINE.exec(line) ?? [];
  if (key === undefined || placeholder === undefined) {
    if (/@[A-Z0-9_]+@/.test(line)) throw new TypeError(`${file}: a placeholder stands alone, as KEY=@KEY@: ${line}`);
    return line;
  }
  const value = Object.hasOwn(values, placeholder) ? values[placeholder] : undefined;
  if (value === undefined) throw new TypeError(`${file}: @${placeholder}@ has no value`);
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

/** Returns a reader of the templates in `folder`. */
export function templateReader(folder: string): ReadTemplate {
  return (path) => readFileSync(join(folder, path), 'utf8');
}
