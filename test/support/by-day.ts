/** Set by `npm run nightly`: nothing is left out. */
const WHOLE = process.env.TEST_SWEEP === 'whole';
/** The day by default, so that each day tries other cases; a failure of another day is repeated with `TEST_SEED=N`. */
export const DAY_SEED = Number(process.env.TEST_SEED ?? Math.floor(Date.now() / 86_400_000));

/** The words to end the name of a group with of which only some cases run. */
export const ofTheDay = WHOLE ? '' : ` (of the day, TEST_SEED=${DAY_SEED})`;

/**
 * Returns the cases of a long sweep that run today, in their order: all of them at night, else `count` chosen by the day.
 *
 * @param kindOf cases of the same kind stand for each other: one of each kind runs every day, whatever `count` says
 * @example it.each(byDay(CASES, 20))('%s', ...)
 * @example byDay(CASES, 0, ({ id }) => id) // one of each kind
 */
export function byDay<T>(cases: readonly T[], count: number, kindOf?: (one: T) => string): T[] {
  if (WHOLE) return [...cases];
  const kinds = kindOf ? [...new Set(cases.map(kindOf))] : [];
  const representatives = kinds.flatMap((kind) => {
    const alike = cases.filter((one) => kindOf?.(one) === kind);
    return sampled(alike, 1, DAY_SEED);
  });
  const chosen = new Set([...representatives, ...sampled(cases, count, DAY_SEED)]);
  return cases.filter((one) => chosen.has(one));
}

/** Returns a random generator between 0 and 1 that gives the same numbers for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Returns `count` of the items, chosen by seed, in their first order. */
export function sampled<T>(items: readonly T[], count: number, seed: number): T[] {
  const random = generator(seed);
  const ranked = items.map((_, index) => ({ index, rank: random() })).sort((a, b) => a.rank - b.rank);
  const chosen = new Set(ranked.slice(0, count).map(({ index }) => index));
  return items.filter((_, index) => chosen.has(index));
}
