/** Controls, and characters that change the direction of text. */
const UNPRINTABLE = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;

/**
 * Returns a line with every character spelled out that would do something to a terminal instead of being seen.
 *
 * Names in a package are chosen by its maker: they could clear the screen, or look like a line of ours.
 *
 * @example printable('a\nb') // 'a\\u000ab'
 */
export function printable(line: string): string {
  return line.replace(
    UNPRINTABLE,
    (character) => `\\u${(character.codePointAt(0) as number).toString(16).padStart(4, '0')}`,
  );
}

/** Returns text of several lines, each made `printable`. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
