import { describe, expect, it } from 'vitest';
import { byDay, DAY_SEED, ofTheDay } from '../support/by-day.ts';
import { SHELLS, SHELLS_OF_THE_DAY, simulatedMacNeeds } from './simulated/simulated-mac.ts';
import { ACTS, type Sweep, sample, sweep } from './simulated/sweep.ts';

const FULL = process.env.SIMULATED_MAC_SWEEP === 'full';
const SEED = Number(process.env.SIMULATED_MAC_SEED ?? DAY_SEED);

/** Points of each act that `npm test` tries; the rest is for `npm run nightly`. */
const SAMPLE = 1;
/** And of the act that everything else is made of. */
const SAMPLE_OF_ONE = 3;
/** Those that begin with the same word are of one kind. */
const ACTS_OF_THE_DAY = byDay(ACTS, 0, ({ name }) => name.split(' ')[0] as string);

function report(what: string, { points, seconds, findings }: Sweep): void {
  process.stdout.write(
    `  ${what}: ${points} disturbed runs, each repaired by the next, ${seconds.toFixed(1)} s; ${findings.length} findings\n`,
  );
}

describe.skipIf(simulatedMacNeeds.missing)(`faults${simulatedMacNeeds.note}`, () => {
  it.runIf(FULL).each(SHELLS)('hold everywhere: all acts, all commands, all disturbances, under %s', async (shell) => {
    const done = await sweep(shell, ACTS, (points) => points);
    report(`full sweep under ${shell}`, done);
    expect(done.findings).toEqual([]);
  });

  it.skipIf(FULL)(`hold in one act at more points chosen by seed ${SEED}: register, under dash`, async () => {
    const done = await sweep(
      'dash',
      ACTS.filter(({ name }) => name === 'register by script'),
      (points) => sample(points, SAMPLE_OF_ONE, SEED),
    );
    report(`register by script, seed ${SEED}`, done);
    expect(done.findings).toEqual([]);
  });

  it.skipIf(FULL).each(SHELLS_OF_THE_DAY)(
    `hold at points chosen by seed ${SEED}, under %s${ofTheDay}`,
    async (shell) => {
      const done = await sweep(shell, ACTS_OF_THE_DAY, (points) => sample(points, SAMPLE, SEED));
      report(`sample under ${shell}, seed ${SEED}`, done);
      expect(done.findings).toEqual([]);
    },
  );
});
