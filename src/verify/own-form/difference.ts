/** Longest piece of a document that is shown, in characters. */
const EXCERPT = 72;

/** Returns where two pieces of data differ first, the end of the shorter one counted; undefined when they are the same. */
export function firstDifference(found: Buffer, expected: Buffer): number | undefined {
  if (found.equals(expected)) return undefined;
  let at = 0;
  while (found[at] === expected[at]) at++;
  return at;
}

/**
 * Returns in words where a text first differs from what our own writer makes of the same values; undefined when it does not.
 *
 * What is shown begins at the attribute or element in which the difference lies.
 *
 * @param name of the text, such as `Distribution`
 * @example textDifference('Distribution', found, expected) // 'Distribution, byte 312, in <options>: expected `…`, found `…`'
 */
export function textDifference(name: string, found: Buffer, expected: Buffer): string | undefined {
  const at = firstDifference(found, expected);
  if (at === undefined) return undefined;
  const element = /^<([\w:-]+)/.exec(found.toString('utf8', Math.max(0, found.lastIndexOf('<', at - 1)), at))?.[1];
  const place = element === undefined ? '' : `, in <${element}>`;
  return `${name}, byte ${at}${place}: expected ${excerpt(expected, at)}, found ${excerpt(found, at)}`;
}

function excerpt(data: Buffer, at: number): string {
  if (at >= data.length) return 'the end';
  const before = data.toString('latin1', Math.max(0, at - EXCERPT), at);
  // The attribute it lies in, else the element it lies in when that is near, else the word.
  const starts = [/\s[\w:-]+="[^"<]*$/, /<[^<]{0,40}$/, /[\s<][^\s<]*$/].map((pattern) => before.search(pattern));
  const start = at - before.length + (starts.find((place) => place >= 0) ?? 0);
  const text = data.toString('utf8', start, start + 2 * EXCERPT);
  return `\`${text.replace(/\s+/g, ' ').trim().slice(0, EXCERPT)}\``;
}

/** Returns one or two bytes as people compare them, in hexadecimal. */
export function bytesAt(data: Buffer, at: number, count = 4): string {
  return at >= data.length ? 'the end' : data.toString('hex', at, Math.min(data.length, at + count));
}
