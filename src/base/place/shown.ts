/** Characters that would do something to a terminal instead of being seen, or end the line. */
const UNSEEN = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;
const LONGEST = 200;

/**
 * Returns a path as a message shows it, always on one line: in JSON's quotes where it holds characters that cannot be seen, with its
 * middle left out where it is long.
 *
 * @example shownPath('out/a\nb') // '"out/a\\nb"'
 */
export function shownPath(path: string): string {
  const cut = path.length > LONGEST ? `${path.slice(0, 90)}...${path.slice(-90)}` : path;
  if (!UNSEEN.test(cut)) return cut;
  return JSON.stringify(cut).replace(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu, escaped);
}

/** Returns a path as a shell takes it for one word. */
export function shellWord(path: string): string {
  return /^[\w./+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

const escaped = (character: string) => `\\u${(character.codePointAt(0) as number).toString(16).padStart(4, '0')}`;
