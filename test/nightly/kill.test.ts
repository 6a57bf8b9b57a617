// Killing releases at every stage boundary and at a hundred random moments: npm run nightly.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STAGES } from '../../build/run.ts';
import { KillRange, type Moment } from '../build/kill.ts';

const RANDOM_MOMENTS = 100;
/** One in so many random moments is in a run from the start, where compiling takes nearly all of the time. */
const FROM_START = 4;

let range: KillRange;
beforeAll(async () => {
  range = new KillRange();
  await range.prepare();
});

const counts = { runs: 0, killed: 0, whole: 0 };
afterAll(() => {
  range.remove();
  process.stdout.write(
    `kill test: ${counts.runs} runs, ${counts.killed} killed before their end, ${counts.whole} whole\n`,
  );
});

async function check(from: 'start' | 'signed', moment: Moment): Promise<void> {
  const { killed, problems } = await range.killAndResume(moment, from);
  counts.runs++;
  if (killed) counts.killed++;
  if (problems.length === 0) counts.whole++;
  expect({ moment, from, problems }).toEqual({ moment, from, problems: [] });
}

describe('a release that is killed and resumed', () => {
  it.each(STAGES)(
    'after %s is whole',
    (stage) => check('start', { words: `✓ ${`${STAGES.indexOf(stage) + 1}`.padStart(2)}/10 ${stage}` }),
    120_000,
  );

  it.each(Array.from({ length: RANDOM_MOMENTS }, (_, index) => index))(
    'at random moment %i is whole',
    async (index) => {
      const fromStart = index % FROM_START === 0;
      await check(fromStart ? 'start' : 'signed', { ms: 50 + Math.random() * (fromStart ? 5000 : 1500) });
    },
    120_000,
  );
});
