import { FormatError } from '../base/errors.ts';
import type { PayloadEntry } from '../tree/entry.ts';

type Kind = PayloadEntry['kind'];

/**
 * Sees every path of a tree and refuses what two readers would lay down in two ways: a path that is taken, something below what is no
 * folder (a symbolic link that is followed, or not), names that a Mac's usual file system takes for one.
 */
export class PathSurvey {
  readonly #key: (path: string) => string;
  readonly #seen = new Map<string, { readonly path: string; readonly kind: Kind }>();

  /** @param caseSensitive the disk tells names apart that differ in capitals or in Unicode normalisation only, as Linux does */
  constructor(caseSensitive = false) {
    this.#key = caseSensitive ? (path) => path : foldedName;
  }

  /**
   * Notes an entry and the folders above it, which need not be listed themselves.
   *
   * @returns how many paths were new
   * @throws FormatError `EXPAND_UNSAFE` or `EXPAND_COLLISION`
   */
  claim(path: string, kind: Kind): number {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    const above = parent === '' ? 0 : this.#claimFolder(parent, path);
    const key = this.#key(path);
    const found = this.#seen.get(key);
    if (found && found.path !== path) throw collision(found.path, path);
    if (found && !(found.kind === 'directory' && kind === 'directory')) throw unsafe(path);
    if (found) return above;
    this.#seen.set(key, { path, kind });
    return above + 1;
  }

  /** The folder of an entry need not be listed itself; the usual one was seen already. */
  #claimFolder(folder: string, path: string): number {
    const found = this.#seen.get(this.#key(folder));
    if (found?.path === folder && found.kind !== 'directory') throw unsafe(path);
    return found?.path === folder ? 0 : this.claim(folder, 'directory');
  }
}

/**
 * Returns the same text for paths that name one file on a Mac: its file systems do not tell Unicode normalisations apart, and
 * only those formatted as case-sensitive tell capitals.
 *
 * Case is folded character by character, as HFS Plus and APFS do: `ß` is not `ss`. HFS Plus passes over characters that are not seen.
 *
 * @see Technical Note TN1150, "Case-Insensitive String Comparison Algorithm"
 */
export function foldedName(path: string): string {
  if (/^[\x00-\x7f]*$/.test(path)) return path.toLowerCase();
  return Array.from(path.normalize('NFD').replace(UNSEEN, ''), foldedCharacter).join('');
}

/** Characters without a glyph that HFS Plus takes for nothing: joiners, direction marks, byte order mark. Source: TN1150. */
const UNSEEN = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

function foldedCharacter(character: string): string {
  const capital = character.toUpperCase();
  return (Array.from(capital).length === 1 ? capital : character).toLowerCase();
}

function collision(first: string, second: string): FormatError {
  const problem = `expected names that differ on every Mac, found ${JSON.stringify(first)} and ${JSON.stringify(second)}`;
  return new FormatError('EXPAND_COLLISION', 'flat package', 0, problem, {
    hint: 'On a Mac the second would replace the first. To look at both on a disk that keeps them apart: --case-sensitive.',
  });
}

/** Returns the error for an entry at a path that is taken, or below what is not a folder. */
export function unsafe(path: string, cause?: unknown): FormatError {
  const problem = `expected a free place for ${JSON.stringify(path)}, found another entry there or above it`;
  return new FormatError('EXPAND_UNSAFE', 'flat package', 0, problem, {
    cause,
    hint: 'The package names a path twice, or puts something below what is not a folder. Do not install it.',
  });
}
