import { ANY_TOOL, normalize } from './find-messages.ts';
import type { KnownMessage, MessageRow, MessageTable } from './message.ts';

/** A phrase of a row and its words. */
interface Phrase {
  readonly message: KnownMessage;
  readonly words: ReadonlySet<string>;
}

const LIKE_ENOUGH = 0.35;

/** Words that say nothing of a subject, however rare they are among the phrases. */
const EMPTY_WORDS = new Set(
  'and are but can cannot could did does for from had has have its not our should that the they this was were will with would you your'.split(
    ' ',
  ),
);

/**
 * Returns the known messages whose words are most like those of an unknown one, the nearest first: at most `limit`, none when
 * nothing is like it.
 *
 * Likeness is the cosine of the two sets of words, each word weighted by how few phrases have it; a row is as like as its best
 * phrase, and a text as its best line.
 *
 * @example nearestMessages(APPLE_TABLES, 'The staple and verify action failed')[0]?.tool // 'stapler'
 */
export function nearestMessages(
  tables: readonly MessageTable[],
  text: string,
  { tool, limit = 3 }: { readonly tool?: string | undefined; readonly limit?: number } = {},
): KnownMessage[] {
  const weigh = weights(phrasesOf(tables));
  const of = (names: readonly string[]) => tool === undefined || names.includes(tool) || names.includes(ANY_TOOL);
  const lines = text.split('\n').map(wordsOf);
  const scores = new Map<MessageRow, { readonly message: KnownMessage; readonly score: number }>();
  for (const { message, words } of phrasesOf(tables.filter(({ tools }) => of(tools)))) {
    const score = Math.max(...lines.map((line) => likeness(line, words, weigh)));
    if (score >= LIKE_ENOUGH && score > (scores.get(message)?.score ?? 0)) scores.set(message, { message, score });
  }
  const ranked = [...scores.values()].sort((a, b) => b.score - a.score);
  return ranked.slice(0, limit).map(({ message }) => message);
}

/** A row without words of its own is known by what is seen instead. */
function phrasesOf(tables: readonly MessageTable[]): Phrase[] {
  return tables.flatMap(({ tools, rows }) =>
    rows.flatMap((row) => {
      const message = { tool: tools[0], ...row };
      const phrases = row.match.length > 0 ? row.match : [row.cause];
      return phrases.map((phrase) => ({ message, words: wordsOf(plain(phrase)) }));
    }),
  );
}

/** The words of a pattern, without its signs. */
function plain(phrase: string | RegExp): string {
  return typeof phrase === 'string' ? phrase : phrase.source.replace(/\\[a-zA-Z]/g, ' ').replace(/\\/g, '');
}

/** Words of three letters and more; what varies from machine to machine (paths, hashes, dates) is left out. */
function wordsOf(text: string): Set<string> {
  const fixed = normalize(text)
    .toLowerCase()
    .replace(/\S*\/\S+/g, ' ')
    .replace(/\b[0-9a-f]{8,}\b/g, ' ');
  return new Set((fixed.match(/[a-z]{3,}/g) ?? []).filter((word) => !EMPTY_WORDS.has(word)));
}

/** A word that few phrases have says more; one that none has is most likely a name. */
function weights(phrases: readonly Phrase[]): (word: string) => number {
  const counts = new Map<string, number>();
  for (const { words } of phrases) for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return (word) => {
    const count = counts.get(word);
    return count === undefined ? Math.log(phrases.length) / 2 : Math.log(phrases.length / count);
  };
}

/** One word in common is not enough, unless the phrase has no more. */
function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>, weigh: (word: string) => number): number {
  const sum = (words: Iterable<string>) => [...words].reduce((total, word) => total + weigh(word) ** 2, 0);
  const shared = [...a].filter((word) => b.has(word));
  return shared.length === 0 || shared.length < Math.min(2, b.size) ? 0 : sum(shared) / Math.sqrt(sum(a) * sum(b));
}
