import * as z from 'zod';
import { type Clock, systemClock } from '../../base/clock.ts';
import { NetworkError } from '../../base/errors.ts';
import { type HttpResponse, request } from '../../base/http.ts';
import { type RetryOptions, retry } from '../../base/retry.ts';
import { Secret } from '../../base/secret.ts';
import { type NotaryLog, parseNotaryLog } from '../log.ts';
import type { Notary } from '../notary.ts';
import { notaryProblem } from './api-problem.ts';
import type { NotaryKey } from './credentials.ts';
import { tokenMaker } from './token.ts';

/** A submission that has an id and nothing uploaded yet, and where to upload it with which keys (good for twelve hours). */
export interface NewSubmission {
  readonly id: string;
  readonly bucket: string;
  readonly object: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly sessionToken: Secret;
}

/** The notary's REST interface, version 2. */
export interface NotaryApi extends Omit<Notary, 'submit'> {
  /** Announces a file and returns its id. A lost answer may leave a submission that is never uploaded; nothing comes of it. */
  submit(file: { readonly name: string; readonly sha256: string }, signal?: AbortSignal): Promise<NewSubmission>;
}

/** Where the notary is, with which key, and how patiently it is asked. */
export interface NotaryApiOptions {
  /** Apple's is `https://appstoreconnect.apple.com/notary/v2`. */
  readonly url: string;
  readonly key: NotaryKey;
  /** For each call, in milliseconds. Default 30 s. */
  readonly timeoutMs?: number;
  /** Pauses between tries. Default 1, 2, 4, 8, 16 s: six tries. */
  readonly delaysMs?: readonly number[];
  readonly onRetry?: RetryOptions['onRetry'];
  readonly clock?: Clock;
}

const STATE = z.object({
  id: z.string(),
  attributes: z.object({ status: z.string(), name: z.string().default(''), createdDate: z.string().default('') }),
});
const STATE_ANSWER = z.object({ data: STATE });
const HISTORY_ANSWER = z.object({
  data: z.array(STATE),
  links: z.object({ next: z.string().nullish() }).nullish(),
});
/** Apple's answer is its 100 most recent submissions; a history of more pages than this is not read to its end. */
const MOST_PAGES = 100;
const SUBMIT_ANSWER = z.object({
  data: z.object({
    // It becomes part of addresses and file names.
    id: z.string().regex(/^[0-9a-fA-F-]{8,64}$/),
    attributes: z.object({
      awsAccessKeyId: z.string().min(1),
      awsSecretAccessKey: z.string().min(1),
      awsSessionToken: z.string().min(1),
      bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]+$/),
      object: z.string().min(1),
    }),
  }),
});
const LOG_ANSWER = z.object({ data: z.object({ attributes: z.object({ developerLogUrl: z.url() }) }) });

/**
 * Returns a client of Apple's notary service.
 *
 * Every call has a deadline; what may pass (no connection, HTTP 408, 429 and 5xx, an answer that is not JSON) is tried again, heeding
 * Retry-After. A token that is not accepted is renewed once.
 *
 * @returns calls throw UsageError for wrong credentials and unknown ids, RefusedError for what Apple refuses (a missing agreement),
 *   NetworkError, InterruptedError
 * @see https://developer.apple.com/documentation/notaryapi
 * @example (await notaryApi({ url, key }).status(id)).status // 'Accepted'
 */
export function notaryApi(options: NotaryApiOptions): NotaryApi {
  const caller = new Caller(options);
  return {
    async submit({ name, sha256 }, signal) {
      const body = JSON.stringify({ submissionName: name, sha256, notifications: [] });
      const call = { purpose: 'submit the package to the notary', path: '/submissions', body, signal };
      const { data } = await caller.patiently(call, SUBMIT_ANSWER);
      const { awsSecretAccessKey, awsSessionToken, awsAccessKeyId: accessKeyId, bucket, object } = data.attributes;
      const secrets = { secretAccessKey: new Secret(awsSecretAccessKey), sessionToken: new Secret(awsSessionToken) };
      return { id: data.id, accessKeyId, bucket, object, ...secrets };
    },
    async status(id, signal) {
      const call = { purpose: 'ask the notary for the status', path: `/submissions/${encodeURIComponent(id)}`, signal };
      const { data } = await caller.once({ ...call, id }, STATE_ANSWER);
      return { ...data.attributes, id: data.id };
    },
    async history(signal) {
      const data: z.infer<typeof STATE>[] = [];
      let path: string | undefined = '/submissions';
      for (let page = 0; path !== undefined && page < MOST_PAGES; page++) {
        const call: Call = { purpose: "ask the notary for the team's history", path, signal };
        const answer: z.infer<typeof HISTORY_ANSWER> = await caller.patiently(call, HISTORY_ANSWER);
        data.push(...answer.data);
        path = nextPage(options.url, answer.links?.next);
      }
      const states = data.map(({ id, attributes }) => ({ ...attributes, id }));
      return states.sort((a, b) => b.createdDate.localeCompare(a.createdDate));
    },
    log: (id, signal) => caller.log(id, signal),
    clockSkewMs: () => caller.clockSkewMs,
  };
}

/**
 * Returns the path of the next page below the service's own address; undefined when there is none, or it leads elsewhere: the
 * token is nobody else's business.
 *
 * Apple documents no second page (the response holds the 100 most recent submissions); its other interfaces name one in
 * `links.next`.
 */
function nextPage(base: string, next: string | null | undefined): string | undefined {
  if (!next || !URL.canParse(next, base)) return undefined;
  const url = new URL(next, base).href;
  return url.startsWith(`${base}/submissions`) ? url.slice(base.length) : undefined;
}

interface Call {
  readonly purpose: string;
  readonly path: string;
  /** Makes it a POST. */
  readonly body?: string;
  /** The submission that is asked about. */
  readonly id?: string;
  readonly signal?: AbortSignal | undefined;
}

class Caller {
  clockSkewMs: number | null = null;
  readonly #options: NotaryApiOptions;
  readonly #clock: Clock;
  readonly #tokens;

  constructor(options: NotaryApiOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#tokens = tokenMaker(options.key, this.#clock);
  }

  /** Calls until there is an answer, within the options' tries. */
  patiently<T>(call: Call, shape: z.ZodType<T>): Promise<T> {
    return this.#retry(() => this.once(call, shape), call.signal);
  }

  async once<T>(call: Call, shape: z.ZodType<T>): Promise<T> {
    let answer = await this.#send(call);
    if (answer.status === 401) {
      this.#tokens.renew();
      answer = await this.#send(call);
    }
    if (answer.status !== 200 && answer.status !== 201) throw this.#problem(call, answer);
    return parseAnswer(answer, shape, call.purpose, this.#host);
  }

  async log(id: string, signal: AbortSignal | undefined): Promise<NotaryLog | null> {
    const path = `/submissions/${encodeURIComponent(id)}/logs`;
    const call = { purpose: "fetch the notary's log", path, id, signal };
    return this.#retry(async () => {
      const place = await this.#logPlace(call);
      if (place === null) return null;
      // A signed address of another host: it needs no token, and the token is nobody else's business.
      const answer = await request({ purpose: call.purpose, url: place, timeoutMs: this.#timeoutMs, signal });
      if (answer.status !== 200) throw unusable(call.purpose, new URL(place).host, `HTTP ${answer.status}`);
      return parseNotaryLog(answer.body) ?? fail(call.purpose, new URL(place).host);
    }, signal);
  }

  async #logPlace(call: Call): Promise<string | null> {
    try {
      return (await this.once(call, LOG_ANSWER)).data.attributes.developerLogUrl;
    } catch (error) {
      if ((error as { code?: unknown }).code === 'NOTARY_UNKNOWN_ID') return null;
      throw error;
    }
  }

  async #send(call: Call): Promise<HttpResponse> {
    const token = await this.#tokens.token();
    const answer = await request({
      purpose: call.purpose,
      method: call.body === undefined ? 'GET' : 'POST',
      url: this.#options.url + call.path,
      headers: {
        Accept: 'application/json',
        Authorization: new Secret(`Bearer ${token.reveal()}`),
        ...(call.body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(call.body !== undefined && { body: call.body }),
      timeoutMs: this.#timeoutMs,
      signal: call.signal,
    });
    const date = Date.parse(answer.headers.get('date') ?? '');
    if (!Number.isNaN(date)) this.clockSkewMs = this.#clock.now().getTime() - date;
    return answer;
  }

  #retry<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    return retry(work, {
      delaysMs: this.#options.delaysMs ?? [1000, 2000, 4000, 8000, 16_000],
      clock: this.#clock,
      ...(this.#options.onRetry && { onRetry: this.#options.onRetry }),
      ...(signal && { signal }),
    });
  }

  #problem(call: Call, answer: HttpResponse) {
    return notaryProblem(answer, { ...call, host: this.#host, now: this.#clock.now(), skewMs: this.clockSkewMs });
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? 30_000;
  }

  get #host(): string {
    return new URL(this.#options.url).host;
  }
}

function parseAnswer<T>(answer: HttpResponse, shape: z.ZodType<T>, purpose: string, host: string): T {
  let value: unknown;
  try {
    value = JSON.parse(answer.body.toString('utf8'));
  } catch {
    throw unusable(purpose, host, 'something that is not JSON');
  }
  const checked = shape.safeParse(value);
  if (checked.success) return checked.data;
  throw unusable(purpose, host, `JSON without ${checked.error.issues[0]?.path.join('.') || 'what was asked for'}`);
}

function fail(purpose: string, host: string): never {
  throw unusable(purpose, host, 'something that is not a log');
}

function unusable(purpose: string, host: string, what: string): NetworkError {
  return new NetworkError('NOTARY_GARBLED', `could not ${purpose}: ${host} answered with ${what}`, {
    hint: `A proxy may have answered instead; let ${host} pass it, then run again with \`--resume\`.`,
  });
}
