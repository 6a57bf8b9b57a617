import { randomBytes } from 'node:crypto';
import { type Clock, systemClock } from '../../base/clock.ts';
import { FormatError, NetworkError, type PipelineError, RefusedError } from '../../base/errors.ts';
import { type HttpResponse, quotedText, request } from '../../base/http.ts';
import { type RetryOptions, retry, retryAfterMs, ServiceBusyError } from '../../base/retry.ts';
import { integer } from '../asn1/der.ts';
import type { Trust } from '../x509/apple-roots.ts';
import {
  encodeTimestampRequest,
  parseTimestampResponse,
  type TimestampStatus,
  verifyTimestampToken,
} from './timestamp-token.ts';

/** Asks a timestamp authority for tokens. */
export interface TimestampClient {
  /** Returns a checked token over a signature value; throws NetworkError, RefusedError or InterruptedError. */
  token(signature: Buffer, signal?: AbortSignal): Promise<Buffer>;
}

/** Where and how tokens are asked for. */
export interface TimestampClientOptions {
  /** Apple's is `http://timestamp.apple.com/ts01`. */
  readonly url: string;
  /** Whose tokens are taken. */
  readonly trust: Trust;
  /** For each try, in milliseconds. Default 30 s. */
  readonly timeoutMs?: number;
  /** Pauses between tries. Default 1, 2, 4, 8 s: five tries. */
  readonly delaysMs?: readonly number[];
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly onRetry?: RetryOptions['onRetry'];
}

/** A token whose time is further from this machine's clock than this, ten minutes, is refused. */
const CLOCK_TOLERANCE_MS = 600_000;
/** Failure bit of an authority without its time source. Source: RFC 3161, section 2.4.2. */
const TIME_NOT_AVAILABLE = 14;
/** A token is 3 to 5 kB. */
const MAXIMUM_RESPONSE = 64 * 1024;

/**
 * Returns a client of a timestamp authority that checks each token before it hands it out.
 *
 * Each try has a new nonce. What may pass (no connection, HTTP 429 and 5xx, "time not available", an answer garbled or meant
 * for another request, as a cache on plain HTTP may give) is tried again; a refusal is not.
 *
 * @example
 * const client = timestampClient({ url: 'http://timestamp.apple.com/ts01', trust: appleTrust() });
 * const token = await client.token(signature);
 */
export function timestampClient(options: TimestampClientOptions): TimestampClient {
  const clock = options.clock ?? systemClock;
  return {
    token(signature, signal) {
      return retry(() => askOnce(options, clock, signature, signal), {
        delaysMs: options.delaysMs ?? [1000, 2000, 4000, 8000],
        retryable: (error) => error instanceof NetworkError || error instanceof UnusableAnswer,
        clock,
        ...(options.random && { random: options.random }),
        ...(options.onRetry && { onRetry: options.onRetry }),
        ...(signal && { signal }),
      });
    },
  };
}

/** An answer that is of no use but may be better next time. */
class UnusableAnswer extends RefusedError {}

async function askOnce(options: TimestampClientOptions, clock: Clock, signature: Buffer, signal?: AbortSignal) {
  const nonce = randomBytes(8);
  const response = await request({
    purpose: 'ask for a timestamp',
    method: 'POST',
    url: options.url,
    headers: { 'Content-Type': 'application/timestamp-query', Accept: 'application/timestamp-reply' },
    body: encodeTimestampRequest(signature, nonce),
    timeoutMs: options.timeoutMs ?? 30_000,
    maximumBytes: MAXIMUM_RESPONSE,
    signal,
  });
  const host = new URL(options.url).host;
  checkHttpStatus(response, host, clock);
  try {
    const token = grantedToken(parseTimestampResponse(response.body), host);
    checkToken(token, { signature, nonce, trust: options.trust, now: clock.now(), host });
    return token;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const message = `the timestamp authority ${host} answered with something else than a timestamp: ${error.message}`;
    throw new UnusableAnswer('TIMESTAMP_GARBLED', message, { cause: error, hint: PROXY_HINT });
  }
}

const PROXY_HINT = 'A proxy may have answered instead; let the address of the authority pass it, then run again.';

function checkHttpStatus(response: HttpResponse, host: string, clock: Clock): void {
  const { status, headers } = response;
  if (status === 200) return;
  const message = `the timestamp authority ${host} answered HTTP ${status}`;
  if (status === 429 || status >= 500) {
    throw new ServiceBusyError(
      'TIMESTAMP_UNAVAILABLE',
      message,
      retryAfterMs(headers.get('retry-after'), clock.now()),
      {
        hint: 'The service is not available now; run again later with `--resume`.',
      },
    );
  }
  throw new RefusedError('TIMESTAMP_HTTP', message, { hint: 'Check services.timestamp in the configuration.' });
}

function grantedToken(answer: TimestampStatus, host: string): Buffer {
  if ((answer.status === 0 || answer.status === 1) && answer.token) return answer.token;
  const reason =
    quotedText(answer.text) || `status ${answer.status}, failure bits ${answer.failures.join(', ') || 'none'}`;
  const message = `the timestamp authority ${host} gave no timestamp: ${reason}`;
  const details = { hint: "Check services.timestamp in the configuration; with Apple's own address, run again later." };
  if (answer.failures.includes(TIME_NOT_AVAILABLE)) throw new UnusableAnswer('TIMESTAMP_UNAVAILABLE', message, details);
  throw new RefusedError('TIMESTAMP_REJECTED', message, details);
}

interface Expectation {
  readonly signature: Buffer;
  readonly nonce: Buffer;
  readonly trust: Trust;
  readonly now: Date;
  readonly host: string;
}

function checkToken(token: Buffer, expected: Expectation): void {
  const report = verifyTimestampToken(token, expected.signature, expected.trust);
  const refuse = (code: string, problem: string, hint: string): PipelineError =>
    new UnusableAnswer(code, `the timestamp of ${expected.host} cannot be used: ${problem}`, { hint });
  const nonce = integer(expected.nonce).subarray(2);
  if (!report.info.nonce?.equals(nonce)) throw refuse('TIMESTAMP_NONCE', 'it answers another request', PROXY_HINT);
  const fault = report.findings.find((finding) => finding.severity === 'error');
  if (fault) throw refuse(fault.code, fault.message, faultHint(expected.trust));
  const aside = Math.abs(report.genTime.getTime() - expected.now.getTime());
  if (aside > CLOCK_TOLERANCE_MS) {
    const problem = `its time is ${report.genTime.toISOString()}, this machine's ${expected.now.toISOString()}`;
    throw refuse('TIMESTAMP_CLOCK', problem, 'Set the clock of this machine right, then run again.');
  }
}

function faultHint(trust: Trust): string {
  return trust.name === 'apple'
    ? "Only Apple's own authority counts as a secure timestamp: http://timestamp.apple.com/ts01."
    : 'Remove the folder .rehearsal to have its authorities made anew, then run again.';
}
