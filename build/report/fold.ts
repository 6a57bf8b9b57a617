/** Breaks words at spaces, so that no line is longer than `width`; a word that is longer, such as a path, keeps a line of its own. */
export function wrap(words: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of words.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** In less than this nothing can be read. */
const COLUMNS_LEAST = 40;
/** What a person copies into a shell, up to the end of the line: in two pieces it would be two commands. */
const COMMAND =
  /^(.*?(?:^ *|: | {2,}))((?:npm (?:start|test)(?: -- .*)?|(?:npm (?:run|--prefix)|node \S+\.mjs|sh \S+\.sh|sudo|brew) .*)$)/;
/** A changed line of a script, as it is. */
const CHANGED_LINE = /^ *[+-] /;
/** A name, or several in columns, with what is said of it behind two spaces. */
const NAMED = /^( *\S.*? {2,})(\S.*)$/;

/**
 * Returns text whose lines are no longer than a terminal is wide: what does not fit goes below where it began. A command, and a word that
 * is longer than the terminal (a path, a SHA-256), stand whole on a line of their own, where the terminal breaks them and a person can
 * copy them.
 *
 * @param columns of the terminal; undefined where the text goes elsewhere and stays as it is
 */
export function foldText(text: string, columns: number | undefined): string {
  // A terminal that does not know its width says 0.
  if (!columns) return text;
  const width = Math.max(columns, COLUMNS_LEAST);
  return text
    .split('\n')
    .flatMap((line) => (line.length <= width || CHANGED_LINE.test(line) ? [line] : foldLine(line, width)))
    .map((line) => line.trimEnd())
    .join('\n');
}

function foldLine(line: string, columns: number): string[] {
  const indent = (/^ */.exec(line)?.[0] ?? '').length;
  const [, before, command] = COMMAND.exec(line) ?? [];
  if (command !== undefined) {
    const words = (before as string).trimEnd();
    const above = words === '' ? [] : foldText(words, columns).split('\n');
    return [...above, `${' '.repeat(words === '' ? indent : indent + 2)}${command}`];
  }
  const [, name = '', value] = NAMED.exec(line) ?? [];
  if (value !== undefined && name.length <= columns / 2) {
    const [first = '', ...more] = wrap(value, columns - name.length);
    if (fits([first, ...more], columns - name.length)) {
      return [`${name}${first}`, ...more.map((part) => ' '.repeat(name.length) + part)];
    }
    return [name.trimEnd(), ...indented(value, indent + 2, columns)];
  }
  const [first = '', ...more] = wrap(line.slice(indent), columns - indent);
  return [' '.repeat(indent) + first, ...indented(more.join(' '), indent + 2, columns)];
}

/** The lines of a text, further in; a word that is too long for that begins where the line begins. */
function indented(words: string, indent: number, columns: number): string[] {
  if (words === '') return [];
  const lines = wrap(words, columns - indent);
  return lines.map((part) => (fits([part], columns - indent) ? ' '.repeat(indent) + part : part));
}

const fits = (lines: readonly string[], width: number) => lines.every((line) => line.length <= width);
