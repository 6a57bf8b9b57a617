import { type Clock, systemClock } from './clock.ts';
import { BlockedError, type ErrorDetails, NetworkError } from './errors.ts';

/** How often and how patiently a call is tried again. */
export interface RetryOptions {
  /** Pause before the second, third, ... try, in milliseconds; their number is the number of further tries. */
  readonly delaysMs: readonly number[];
  /** Part of a pause that is left to chance, 0 to 1: many callers then do not come back all at once. Default 0.2. */
  readonly jitter?: number;
  /** No pause is longer than this, whatever the service asks for. Default two minutes. */
  readonly maximumDelayMs?: number;
  /** Says whether a try that failed so may be made again. Default: every NetworkError. A BlockedError never is. */
  readonly retryable?: (error: unknown) => boolean;
  /** Hears of each failed try that will be made again. */
  readonly onRetry?: (failure: { readonly error: unknown; readonly attempt: number; readonly delayMs: number }) => void;
  readonly clock?: Clock;
  /** Returns a number from 0 up to, not including, 1. Default Math.random. */
  readonly random?: () => number;
  readonly signal?: AbortSignal;
}

/** A service answered that it cannot answer now (HTTP 429 or 5xx); says how long it wants to be left alone, if it did. */
export class ServiceBusyError extends NetworkError {
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, retryAfterMs: number | undefined, details: ErrorDetails = {}) {
    super(code, message, details);
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Returns what `work` returns, trying again after failures that may pass.
 *
 * @param work one try; gets its number, from 1
 * @returns the first result; throws the last error when tries run out, InterruptedError when the signal is aborted
 * @example await retry(() => askForToken(), { delaysMs: [1000, 2000, 4000, 8000], signal })
 */
export async function retry<T>(work: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const clock = options.clock ?? systemClock;
  const retryable = options.retryable ?? ((error) => error instanceof NetworkError);
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      const planned = options.delaysMs[attempt - 1];
      if (planned === undefined || options.signal?.aborted || error instanceof BlockedError || !retryable(error))
        throw error;
      const delayMs = pause(planned, error, options);
      options.onRetry?.({ error, attempt, delayMs });
      await clock.sleep(delayMs, options.signal);
    }
  }
}

function pause(plannedMs: number, error: unknown, options: RetryOptions): number {
  const random = options.random ?? Math.random;
  const chance = plannedMs * (options.jitter ?? 0.2) * random();
  const asked = error instanceof ServiceBusyError ? (error.retryAfterMs ?? 0) : 0;
  return Math.min(Math.max(Math.round(plannedMs + chance), asked), options.maximumDelayMs ?? 120_000);
}

/**
 * Returns how long a `Retry-After` header asks to wait, in milliseconds; undefined when absent or unreadable.
 *
 * @param header its value: seconds, or an HTTP date
 * @param now what a date is compared with
 * @see RFC 9110, section 10.2.3
 * @example retryAfterMs('120', new Date()) // 120000
 */
export function retryAfterMs(header: string | null | undefined, now: Date): number | undefined {
  if (header === null || header === undefined) return undefined;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // Date.parse alone would take '-5' or '1.5' for a year; an HTTP date always ends with its zone.
  const time = / GMT$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : Math.max(0, time - now.getTime());
}
