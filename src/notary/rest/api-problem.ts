import { NetworkError, type PipelineError, RefusedError, UsageError } from '../../base/errors.ts';
import { type HttpResponse, quotedText } from '../../base/http.ts';
import { retryAfterMs, ServiceBusyError } from '../../base/retry.ts';

/** What was asked, for messages. */
export interface AskedFor {
  readonly purpose: string;
  /** The submission that was asked about. */
  readonly id?: string;
  readonly host: string;
  readonly now: Date;
  /** How far this machine's clock is ahead, in milliseconds. */
  readonly skewMs: number | null;
}

/** Apple's tokens are refused when they seem to be from the future or are too old. */
const CLOCK_TOLERANCE_MS = 60_000;

/**
 * Returns the error that an answer of the notary stands for: who must act decides the class.
 *
 * Errors come in the form of JSON:API, or as plain text such as `Unauthenticated`.
 *
 * @see https://jsonapi.org/format/#error-objects
 */
export function notaryProblem(answer: HttpResponse, asked: AskedFor): PipelineError {
  const { status } = answer;
  const { code, detail } = readProblem(answer.body);
  const said = `HTTP status code: ${status}${detail === '' ? '' : `. ${detail}`}`;
  const message = `could not ${asked.purpose}: ${asked.host} answered: ${said}`;
  if (status === 401) return new UsageError('NOTARY_UNAUTHENTICATED', message, { hint: unauthenticatedHint(asked) });
  if (status === 403) return forbidden(message, code, detail);
  if (status === 404 && asked.id !== undefined) {
    return new UsageError('NOTARY_UNKNOWN_ID', message, {
      hint: `Check the id ${quotedText(asked.id)}: it must be one of the team that the key belongs to.`,
    });
  }
  if (status === 408 || status === 421 || status === 429 || status >= 500) {
    const wait = retryAfterMs(answer.headers.get('retry-after'), asked.now);
    return new ServiceBusyError('NOTARY_BUSY', message, wait, {
      hint: 'The service is not available now; run again later with `--resume`. Its state: https://developer.apple.com/system-status/',
    });
  }
  if (status < 400 || status === 407) {
    return new NetworkError('NOTARY_PROXY', message, { hint: `A proxy stands between; let ${asked.host} pass it.` });
  }
  return new RefusedError('NOTARY_REFUSED_REQUEST', message, {
    hint: 'Check services.notary in release.config.json; with the address of Apple, please report this as a bug.',
  });
}

function unauthenticatedHint({ skewMs }: AskedFor): string {
  if (skewMs !== null && Math.abs(skewMs) > CLOCK_TOLERANCE_MS) {
    const seconds = Math.round(Math.abs(skewMs) / 1000);
    return `The clock of this machine is ${seconds} s ${skewMs > 0 ? 'ahead' : 'behind'}: set it right, then run again with \`--resume\`.`;
  }
  return 'Check that NOTARY_KEY, NOTARY_KEY_ID and NOTARY_ISSUER_ID belong together and that the key was not revoked.';
}

function forbidden(message: string, code: string, detail: string): RefusedError {
  if (/agreement/i.test(`${code} ${detail}`)) {
    return new RefusedError('NOTARY_AGREEMENT', message, {
      hint: 'The account holder must accept the new agreement on https://developer.apple.com/account, then run again with `--resume`.',
    });
  }
  return new RefusedError('NOTARY_FORBIDDEN', message, {
    hint: 'The key needs the role Developer or higher, in the team that signs; the account holder can make one that has it.',
  });
}

function readProblem(body: Buffer): { code: string; detail: string } {
  const text = body.subarray(0, 64 * 1024).toString('utf8');
  try {
    const [first] = (JSON.parse(text) as { errors: Record<string, unknown>[] }).errors;
    const field = (name: string) => (typeof first?.[name] === 'string' ? (first[name] as string) : '');
    return {
      code: quotedText(field('code')),
      detail: quotedText([field('title'), field('detail')].join(' ').trim()),
    };
  } catch {
    // HTML of a proxy says nothing to anybody.
    return { code: '', detail: /^\s*</.test(text) ? '' : quotedText(text.trim()) };
  }
}
