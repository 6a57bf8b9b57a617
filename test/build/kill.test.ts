import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

/** A sample; `npm run nightly` does all boundaries and a hundred random moments. */
const SAMPLE: readonly (readonly ['start' | 'signed', Moment])[] = [
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

describe('a release that is killed', () => {
  it.each(SAMPLE)(
    'from %s at %j, then resumed, is whole, with one submission',
    async (from, moment) => {
      const aftermath = await range.killAndResume(moment, from);
      runs++;
      if (aftermath.killed) killed++;
      expect(aftermath.problems).toEqual([]);
    },
    180_000,
  );

  it('was really killed before its end, but perhaps at the random moments', () =>
    expect(killed).toBeGreaterThanOrEqual(8));
});
