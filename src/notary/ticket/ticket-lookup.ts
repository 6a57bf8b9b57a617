import * as z from 'zod';
import { type Clock, systemClock } from '../../base/clock.ts';
import { documentIn } from '../../base/document.ts';
import { NetworkError, type PipelineError, VerificationError } from '../../base/errors.ts';
import { request } from '../../base/http.ts';
import { retryAfterMs, ServiceBusyError } from '../../base/retry.ts';

/** What a ticket is looked up by. */
export interface TicketSubject {
  /** See TICKET_HASH_TYPES. */
  readonly hashType: number;
  /** The digest, whole or its first 20 bytes. */
  readonly digest: Buffer;
}

/** Where tickets are, and how long one that is not there yet is waited for. */
export interface TicketLookupOptions {
  /** Apple's is on `https://api.apple-cloudkit.com`. */
  readonly url: string;
  /** Says whether a ticket is right; one that is not is asked for again, as a proxy or cache may have spoilt it. Returns the problem. */
  readonly problem: (ticket: Buffer) => string | undefined;
  /** Longest wait, in milliseconds. Default five minutes. */
  readonly maxWaitMs?: number;
  /** Pause between two questions, in milliseconds. Default 5 s. */
  readonly pauseMs?: number;
  /** For each call, in milliseconds. Default 30 s. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
  readonly signal?: AbortSignal | undefined;
  readonly tell: (text: string) => void;
  /** What to do when no ticket came. */
  readonly goOn: string;
}

const ANSWER = z.object({
  records: z.array(
    z.object({
      recordName: z.string(),
      serverErrorCode: z.string().optional(),
      reason: z.string().optional(),
      fields: z.object({ signedTicket: z.object({ value: z.string() }) }).optional(),
    }),
  ),
});
const DEFAULT_WAIT_MS = 300_000;
const DEFAULT_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;
const DIGEST_SIZE = 20;
/** First number of a record's name. Source: `2/<hash type>/<hex>` in what stapler asks for, and in rcodesign's ticket_lookup.rs. */
const TICKET_FORMAT = 2;

/** Returns the name under which the ticket service keeps a ticket: `2/1/<40 hex digits>` for a package with a SHA-1 TOC digest. */
export function ticketRecordName({ hashType, digest }: TicketSubject): string {
  return `${TICKET_FORMAT}/${hashType}/${digest.subarray(0, DIGEST_SIZE).toString('hex')}`;
}

/**
 * Returns a ticket from Apple's ticket service (CloudKit, no authentication), waiting while there is none yet.
 *
 * A ticket is there within seconds of the verdict as a rule, but may take minutes to spread.
 *
 * @param subjects the first one for which there is a ticket wins
 * @throws NetworkError `TICKET_LATE` when the wait is over, its message the last thing that happened; VerificationError
 *   `TICKET_WRONG` when that was a wrong ticket; InterruptedError
 * @see https://developer.apple.com/library/archive/documentation/DataManagement/Conceptual/CloudKitWebServicesReference/LookupRecords.html
 */
export async function lookUpTicket(subjects: readonly TicketSubject[], options: TicketLookupOptions): Promise<Buffer> {
  const { clock = systemClock, maxWaitMs = DEFAULT_WAIT_MS, pauseMs = DEFAULT_PAUSE_MS } = options;
  const until = clock.now().getTime() + maxWaitMs;
  const names = subjects.map(ticketRecordName);
  for (;;) {
    const { ticket, problem } = await askOnce(names, options, clock);
    if (ticket) return ticket;
    const left = until - clock.now().getTime();
    if (left <= 0) throw late(names, problem, maxWaitMs, options);
    options.tell(`no ticket yet: ${problem.message}`);
    const asked = problem instanceof ServiceBusyError ? (problem.retryAfterMs ?? 0) : 0;
    await clock.sleep(Math.min(left, Math.max(pauseMs, Math.min(asked, LONGEST_PAUSE_MS))), options.signal);
  }
}

/** A ticket came, and it is not this file's or not the notary's. */
class WrongTicket extends Error {}

type Answer = { ticket: Buffer; problem?: never } | { ticket?: never; problem: Error };

async function askOnce(names: readonly string[], options: TicketLookupOptions, clock: Clock): Promise<Answer> {
  const host = new URL(options.url).host;
  try {
    const answer = await request({
      purpose: 'look up the ticket',
      method: 'POST',
      url: options.url,
      headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
      body: JSON.stringify({ records: names.map((recordName) => ({ recordName })) }),
      timeoutMs: options.timeoutMs ?? 30_000,
      maximumBytes: 1024 * 1024,
      signal: options.signal,
    });
    if (answer.status !== 200) {
      const wait = retryAfterMs(answer.headers.get('retry-after'), clock.now());
      return { problem: new ServiceBusyError('TICKET_HTTP', `${host} answered HTTP ${answer.status}`, wait) };
    }
    return readAnswer(answer.body, names, host, options);
  } catch (error) {
    // Whatever is wrong with the network may pass within the wait.
    if (error instanceof NetworkError) return { problem: error };
    throw error;
  }
}

function readAnswer(body: Buffer, names: readonly string[], host: string, options: TicketLookupOptions): Answer {
  const records = documentIn(body, ANSWER)?.records;
  if (!records) return { problem: new Error(`${host} answered with something else than records`) };
  const own = records.filter(({ recordName }) => names.includes(recordName));
  const found = own.find(({ fields }) => fields !== undefined);
  if (!found?.fields) {
    const { reason, serverErrorCode } = own[0] ?? {};
    return { problem: new Error(serverErrorCode === 'NOT_FOUND' ? 'Record not found' : (reason ?? 'no record came')) };
  }
  const ticket = Buffer.from(found.fields.signedTicket.value, 'base64');
  const problem = options.problem(ticket);
  return problem === undefined ? { ticket } : { problem: new WrongTicket(`the ticket is not right: ${problem}`) };
}

function late(
  names: readonly string[],
  problem: Error,
  maxWaitMs: number,
  { goOn }: TicketLookupOptions,
): PipelineError {
  const message = `no ticket for ${names.join(' or ')} within ${Math.round(maxWaitMs / 1000)} s: ${problem.message}`;
  // Waiting does not mend a ticket that stays wrong.
  if (problem instanceof WrongTicket) {
    return new VerificationError('TICKET_WRONG', message, {
      hint: 'A proxy may change answers; try from another network.',
    });
  }
  return new NetworkError('TICKET_LATE', message, { cause: problem, hint: goOn });
}
