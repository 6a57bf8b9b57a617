import type { Clock } from '../../src/base/clock.ts';
import { InterruptedError } from '../../src/base/errors.ts';

/**
 * A clock that stands still: `sleep` moves it on at once and writes down how long it was.
 *
 * @param start the time it shows first
 * @example
 * const clock = standingClock(new Date('2026-01-01T00:00:00Z'));
 * await clock.sleep(1000);
 * clock.slept // [1000]
 */
export function standingClock(start: Date): Clock & { readonly slept: number[] } {
  let time = start.getTime();
  const slept: number[] = [];
  return {
    slept,
    now: () => new Date(time),
    async sleep(ms, signal) {
      if (signal?.aborted) throw new InterruptedError();
      slept.push(ms);
      time += ms;
    },
  };
}
