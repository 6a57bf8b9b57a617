import type { FoundMessage, MessageRow, MessageTable } from './message.ts';

/** Among the names of a table: any tool may print its words. */
export const ANY_TOOL = 'any';

const PHRASES = new WeakMap<MessageRow, readonly { readonly pattern: RegExp; readonly word: string }[]>();

/**
 * Returns the known messages in what a tool printed, in the order of the tables: a cause stands before the lines that only repeat
 * that there is one.
 *
 * Paths, names and numbers vary, and so do quotes, blanks and case; the words of a row do not. A line belongs to the first row
 * that has words in it, so each line is explained once.
 *
 * @param text one or more lines as a tool printed them
 * @param tool only the tables of this tool, and those of any tool, are looked at; without it all are
 * @example findMessages(APPLE_TABLES, 'X.bundle: errSecInternalComponent', 'codesign')[0]?.code // 'CODESIGN_KEY_ACCESS'
 */
export function findMessages(tables: readonly MessageTable[], text: string, tool?: string): FoundMessage[] {
  const words = normalize(text);
  const lowerCase = words.toLowerCase();
  const printed = text.split(/\r\n?|\n/);
  const explained = new Set<number>();
  const found: FoundMessage[] = [];
  for (const { tools, rows } of tables) {
    if (tool !== undefined && !tools.includes(tool) && !tools.includes(ANY_TOOL)) continue;
    for (const row of rows) {
      const fresh = linesOf(row, words, lowerCase).filter((lines) => !lines.some((line) => explained.has(line)));
      for (const line of fresh.flat()) explained.add(line);
      const first = fresh.length === 0 ? undefined : Math.min(...fresh.flat());
      if (first !== undefined) found.push({ tool: tools[0], ...row, line: (printed[first - 1] ?? '').trim() });
    }
  }
  return found;
}

/** Returns the lines of each place where words of the row stand; terminals wrap, so a place may have several. */
function linesOf(row: MessageRow, text: string, lowerCase: string): number[][] {
  const phrases =
    PHRASES.get(row) ?? row.match.map((phrase) => ({ pattern: patternOf(phrase), word: longestWord(phrase) }));
  PHRASES.set(row, phrases);
  return phrases
    .filter(({ word }) => lowerCase.includes(word))
    .flatMap(({ pattern }) => [...text.matchAll(pattern)])
    .map(({ index, 0: match }) => {
      const first = text.slice(0, index).split('\n').length;
      return match.split('\n').map((_, offset) => first + offset);
    });
}

/** What a text must hold in lower case for a phrase to stand in it; a text without it need not be searched. */
function longestWord(phrase: string | RegExp): string {
  if (phrase instanceof RegExp) return '';
  const words =
    normalize(phrase)
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? [];
  return words.reduce((longest, word) => (word.length > longest.length ? word : longest), '');
}

/** A blank may be a line end; words and numbers match as a whole: `Error 65` is not in `Error 651`. */
function patternOf(phrase: string | RegExp): RegExp {
  if (phrase instanceof RegExp) return new RegExp(phrase.source, 'gim');
  const escaped = normalize(phrase)
    .replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    .replace(/ /g, '\\s+')
    .replace(/\u2026/g, '[^\\n]*?');
  const start = /^[\w-]/.test(phrase) ? '(?<!\\w)' : '';
  const end = /\w$/.test(phrase) ? '(?!\\w)' : '';
  return new RegExp(`${start}${escaped}${end}`, 'gi');
}

/** Quotes of all kinds are one, colours and escapes are left out; printers of JSON differ in the blank around a colon. */
export function normalize(text: string): string {
  return text
    .replace(/\u001b\[[\d;]*[A-Za-z]/g, '')
    .replace(/\\(?=["'])/g, '')
    .replace(/[\u201c\u201d\u2018\u2019'`]/g, '"')
    .replace(/" ?: ?(?=["\d[{])/g, '":')
    .replace(/\r\n?/g, '\n')
    .replace(/[^\S\n]+/g, ' ');
}
