/** Dotted numbers, such as 10.14.4 or 26; 15 digits are exact in a double. */
const VERSION = /^\d{1,15}(\.\d{1,15})*$/;

/** Returns whether `text` is a version of dotted numbers; only those can be compared. */
export function isVersion(text: string): boolean {
  return VERSION.test(text);
}

/**
 * Returns a negative number when `one` comes before `other`, a positive one when it comes after, 0 when they are the same.
 *
 * Parts are compared as numbers from the left; one that is missing is 0, so 11 and 11.0 are the same. Text that is not a version
 * is our own misuse and throws TypeError: as a number it would compare as neither below nor above.
 *
 * @example ['1.10', '1.9.2'].sort(compareVersions) // ['1.9.2', '1.10']
 */
export function compareVersions(one: string, other: string): number {
  const [left, right] = [partsOf(one), partsOf(other)];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function partsOf(version: string): number[] {
  if (!isVersion(version)) throw new TypeError(`not a version: ${JSON.stringify(version)}`);
  return version.split('.').map(Number);
}
