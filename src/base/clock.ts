import { InterruptedError } from './errors.ts';

/** The time, and waiting for it: given to whatever needs either, so that tests need not wait. */
export interface Clock {
  /** Returns the current time. */
  now(): Date;
  /** Returns after `ms` milliseconds; throws InterruptedError as soon as `signal` is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/**
 * The clock of this machine.
 *
 * @example await systemClock.sleep(500, signal)
 */
export const systemClock: Clock = {
  now: () => new Date(),
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new InterruptedError());
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', interrupt);
        resolve();
      }, ms);
      function interrupt() {
        clearTimeout(timer);
        reject(new InterruptedError());
      }
      signal?.addEventListener('abort', interrupt, { once: true });
    });
  },
};
