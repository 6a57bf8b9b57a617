import { diffLines } from 'diff';

/** Most characters of either text that are compared line by line; of longer ones only is said that they differ. */
const LENGTH_MAX = 512 * 1024;

/**
 * Returns the lines that went (`- `) and came (`+ `) from one text to another, in the order of the texts, without those that stayed.
 *
 * @param one null is a text that is not there; then nothing is returned
 * @example lineDifference('a\nb\n', 'a\nc\n') // ['- b', '+ c']
 */
export function lineDifference(one: string | null, other: string | null): string[] {
  if (one === null || other === null || Math.max(one.length, other.length) > LENGTH_MAX) return [];
  return (diffLines(one, other, { timeout: 2_000 }) ?? [])
    .filter(({ added, removed }) => added || removed)
    .flatMap(({ added, value }) =>
      value
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => `${added ? '+' : '-'} ${line}`),
    );
}
