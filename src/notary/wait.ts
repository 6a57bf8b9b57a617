import { type Clock, systemClock } from '../base/clock.ts';
import { NetworkError } from '../base/errors.ts';
import { quotedText } from '../base/http.ts';
import { ServiceBusyError } from '../base/retry.ts';
import type { NotaryLog } from './log.ts';
import type { Notary, SubmissionState } from './notary.ts';

/** How to wait for the notary. */
export interface WaitOptions {
  readonly clock?: Clock;
  readonly signal?: AbortSignal | undefined;
  /** Longest wait for a verdict, in milliseconds. Default one hour. */
  readonly maxWaitMs?: number;
  /** Returns the pause between two questions, in milliseconds, by how long the wait has lasted. */
  readonly pollMs?: (waitedMs: number) => number;
  /** Returns the command that goes on waiting for a submission. */
  readonly goOn: (id: string) => string;
  /** Says what is going on. */
  readonly tell: (text: string) => void;
  readonly warn: (text: string) => void;
}

interface Asked {
  readonly notary: Pick<Notary, 'status' | 'log'>;
}

/** A submission, and when it was made (ISO 8601). */
interface WaitedFor {
  readonly id: string;
  readonly submittedAt: string;
}

/** After these nothing changes any more. */
export const VERDICTS: ReadonlySet<string> = new Set(['Accepted', 'Invalid', 'Rejected']);
const IN_PROGRESS = 'In Progress';
const HOUR_MS = 3_600_000;
/** A new id may be unknown to the server that is asked next (UNCERTAIN: nobody has documented it). */
const NEW_ID_MS = 60_000;
/** The pause during an outage doubles from here ... */
const OUTAGE_MS = 5_000;
/** ... up to here; a Retry-After may ask for more. */
const LONGEST_OUTAGE_MS = 60_000;
const LONGEST_RETRY_AFTER_MS = 300_000;
/** The log may come a little after the verdict. */
const LOG_DELAYS_MS = [1000, 2000, 4000, 8000, 16_000, 30_000, 60_000];

/** Most answers come within minutes, so the first one is asked for often. Apple's own client asks every few seconds as well. */
export function applePollMs(waitedMs: number): number {
  if (waitedMs < 60_000) return 4_000;
  return waitedMs < 300_000 ? 15_000 : 45_000;
}

/**
 * Returns the state of a submission once there is a verdict, or at `giveUpAt` whatever it is then.
 *
 * An outage is waited out: only what waiting cannot mend ends it.
 *
 * @throws NetworkError `NOTARY_WAIT` at the end of `maxWaitMs`, its hint the command that goes on; UsageError and RefusedError of the API
 */
export async function waitForVerdict(
  record: WaitedFor,
  options: WaitOptions & Asked & { readonly giveUpAt?: number },
): Promise<SubmissionState> {
  const { clock = systemClock, signal, maxWaitMs = HOUR_MS, pollMs = applePollMs } = options;
  const since = clock.now().getTime();
  const asker = new Asker(record, options);
  for (;;) {
    const state = await asker.ask();
    const now = clock.now().getTime();
    if (state && VERDICTS.has(state.status)) return state;
    if (state && options.giveUpAt !== undefined && now >= options.giveUpAt) return state;
    const left = since + maxWaitMs - now;
    if (left <= 0) throw stillWaiting(record.id, maxWaitMs, options, asker.lastProblem);
    const pause = state ? pollMs(now - since) : asker.outagePauseMs();
    const untilGivingUp = state && options.giveUpAt !== undefined ? options.giveUpAt - now : pause;
    await clock.sleep(Math.max(1, Math.min(pause, left, untilGivingUp)), signal);
  }
}

/** Asks for the status, and keeps count of what went wrong. */
class Asker {
  lastProblem: NetworkError | undefined;
  #failures = 0;
  #shown = '';
  readonly #record: WaitedFor;
  readonly #options: WaitOptions & Asked;

  constructor(record: WaitedFor, options: WaitOptions & Asked) {
    this.#record = record;
    this.#options = options;
  }

  /** Returns the state; undefined when the service could not say. */
  async ask(): Promise<SubmissionState | undefined> {
    const { notary, clock = systemClock, signal } = this.#options;
    const { id, submittedAt } = this.#record;
    try {
      const state = await notary.status(id, signal);
      this.#recovered();
      this.#tell(state.status);
      return state;
    } catch (error) {
      const age = clock.now().getTime() - Date.parse(submittedAt);
      if ((error as { code?: unknown }).code === 'NOTARY_UNKNOWN_ID' && age < NEW_ID_MS) {
        return { id, status: IN_PROGRESS, name: '', createdDate: submittedAt };
      }
      if (!(error instanceof NetworkError)) throw error;
      this.#failures++;
      this.lastProblem = error;
      if (this.#failures === 1) this.#options.warn(`${error.message}; asking again until it answers`);
      return undefined;
    }
  }

  outagePauseMs(): number {
    const asked = this.lastProblem instanceof ServiceBusyError ? (this.lastProblem.retryAfterMs ?? 0) : 0;
    const grown = Math.min(OUTAGE_MS * 2 ** Math.min(this.#failures - 1, 10), LONGEST_OUTAGE_MS);
    return Math.max(grown, Math.min(asked, LONGEST_RETRY_AFTER_MS));
  }

  #recovered(): void {
    if (this.#failures > 0) this.#options.tell('the notary answers again');
    this.#failures = 0;
    this.lastProblem = undefined;
  }

  #tell(status: string): void {
    if (status === this.#shown) return;
    this.#shown = status;
    if (status !== IN_PROGRESS && !VERDICTS.has(status)) {
      this.#options.warn(`the notary says "${quotedText(status)}", which is new to us; waiting on`);
    }
    this.#options.tell(quotedText(status));
  }
}

function stillWaiting(
  id: string,
  maxWaitMs: number,
  options: WaitOptions,
  problem: NetworkError | undefined,
): NetworkError {
  const minutes = Math.round(maxWaitMs / 6000) / 10;
  const why = problem ? `; the last answer was: ${problem.message}` : '';
  const message = `submission ${id} had no verdict within ${minutes} min${why}`;
  return new NetworkError('NOTARY_WAIT', message, {
    ...(problem && { cause: problem }),
    hint: `Nothing is lost, and nothing needs to be submitted again. To go on waiting: ${options.goOn(id)}`,
  });
}

/** Returns the log of a submission with a verdict; null, after a warning, when it cannot be had. */
export async function fetchLog(id: string, options: WaitOptions & Asked): Promise<NotaryLog | null> {
  const { notary, clock = systemClock, signal } = options;
  try {
    for (const pause of LOG_DELAYS_MS) {
      const log = await notary.log(id, signal);
      if (log) return log;
      await clock.sleep(pause, signal);
    }
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    options.warn(error.message);
    return null;
  }
  options.warn(`the notary has no log of submission ${id} yet`);
  return null;
}
