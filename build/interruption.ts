import type { EventEmitter } from 'node:events';
import { InterruptedError } from '../src/base/errors.ts';

/** How long a stage may take to end cleanly after Ctrl-C before the process ends all the same. */
const GRACE_MS = 2_000;
/** Exit status of a program that is interrupted: 128 and the number of SIGINT. */
const INTERRUPTED = 130;

/** What a run is told of signals. */
export interface Interruption {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Rejects with an InterruptedError when a second signal comes, or two seconds after the first. */
  readonly expired: Promise<never>;
}

/**
 * Listens for SIGINT, SIGTERM and SIGHUP: the first aborts the run, a second one, or a stage that does not stop in time, ends it with
 * the last line, and a third ends the process at once.
 *
 * @param source gives the signals as events, as `process` does
 * @param leave ends the process with an exit status
 */
export function listenForInterruption(source: EventEmitter, leave: (exitCode: number) => void): Interruption {
  const controller = new AbortController();
  const expired = new Promise<never>((_, reject) => {
    const expire = () => reject(new InterruptedError());
    let count = 0;
    const interrupt = () => {
      count++;
      if (count > 2) return leave(INTERRUPTED);
      // An impatient person still gets the last line.
      if (count === 2) return expire();
      controller.abort();
      setTimeout(expire, GRACE_MS);
    };
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) source.on(name, interrupt);
  });
  expired.catch(() => undefined);
  return { signal: controller.signal, expired };
}
