import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { byDay, ofTheDay } from '../support/by-day.ts';
import { KillRange, type Moment } from './kill.ts';

let range: KillRange;
beforeAll(async () => {
  range = new KillRange();
  await range.prepare();
});
let runs = 0;
let killed = 0;
afterAll(() => {
  range.remove();
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

describe(`a release that is killed${ofTheDay}`, () => {
  it.each(TODAY)('from %s at %j, then resumed, is whole, with one submission', async (from, moment) => {
    const aftermath = await range.killAndResume(moment, from);
    runs++;
    if (aftermath.killed) killed++;
    expect(aftermath.problems).toEqual([]);
    // A moment of chance may lie behind its end.
    if ('words' in moment) expect(aftermath.killed).toBe(true);
  });
});
