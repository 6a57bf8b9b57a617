import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { byDay, ofTheDay } from '../support/by-day.ts';
import { KillRange, type Moment } from './kill.ts';

/** Two, of which the second one begins with what the first one signed. */
let ranges: readonly [KillRange, KillRange];
beforeAll(async () => {
  const first = new KillRange();
  await first.prepare();
  ranges = [first, new KillRange(first.signed)];
});
let runs = 0;
let killed = 0;
afterAll(() => {
  for (const range of ranges) range.remove();
  process.stdout.write(`kill test: ${runs} runs, ${killed} killed before their end\n`);
});

/** Some of each day; `npm run nightly` does all of these, all boundaries and a hundred random moments. */
const MOMENTS: readonly (readonly ['start' | 'signed', Moment])[] = [
  ['start', { ms: 0 }],
  ['start', { ms: 30 }],
  ['start', { ms: Math.random() * 200 }],
  ['start', { words: '✓  1/10 compile' }],
  ['signed', { words: 'Accepted' }],
  ['signed', { words: 'submission id:' }],
  ['signed', { words: 'uploading' }],
  ['signed', { words: 'waiting for the notary' }],
  ['signed', { words: '✓  7/10 notarize' }],
  ['signed', { words: '✓  8/10 staple' }],
  ['signed', { words: '✓  9/10 verify' }],
  ['signed', { ms: 200 + Math.random() * 300 }],
  ['signed', { ms: 400 + Math.random() * 500 }],
];

const TODAY = byDay(MOMENTS, 0, ([from, moment]) => ('words' in moment && from === 'signed' ? 'signed' : 'any time'));

/** Kills two releases beside each other, while nothing else is done here: the moments are those that are named. */
const killPair = (index: number) =>
  Promise.all(TODAY.slice(index, index + 2).map(([from, moment], at) => ranges[at as 0 | 1].kill(moment, from)));
let pair: Awaited<ReturnType<typeof killPair>>;

describe(`a release that is killed${ofTheDay}`, () => {
  it.each(TODAY.map(([from, moment], index) => ({ from, moment, index })))(
    'from $from at $moment, then resumed, is whole, with one submission',
    async ({ moment, index }) => {
      const at = (index % 2) as 0 | 1;
      if (at === 0) pair = await killPair(index);
      const { killed: wasKilled } = pair[at] as (typeof pair)[number];
      const problems = await ranges[at].resume();
      runs++;
      if (wasKilled) killed++;
      expect(problems).toEqual([]);
      // A moment of chance may lie behind its end.
      if ('words' in moment) expect(wasKilled).toBe(true);
    },
  );
});
