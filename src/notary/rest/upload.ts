import { AwsV4Signer } from 'aws4fetch';
import { type Clock, systemClock } from '../../base/clock.ts';
import { NetworkError, RefusedError } from '../../base/errors.ts';
import { type HttpResponse, quotedText, request } from '../../base/http.ts';
import { type RetryOptions, retry, retryAfterMs, ServiceBusyError } from '../../base/retry.ts';
import { Secret } from '../../base/secret.ts';
import type { NewSubmission } from './api.ts';

/** How a file is brought to the notary's object store. */
export interface UploadOptions {
  /** Returns where an object goes on the given try, from 1. Default Amazon S3, accelerated first. */
  readonly place?: ObjectPlace;
  /** For each try, in milliseconds. Default one minute, and longer for what 50 kB/s cannot carry in that time. */
  readonly timeoutMs?: number;
  /** Pauses between tries. Default 1, 2, 4, 8, 16 s: six tries. */
  readonly delaysMs?: readonly number[];
  readonly onRetry?: RetryOptions['onRetry'];
  readonly clock?: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** Returns the base address of a bucket, without a slash at its end. */
export type ObjectPlace = (bucket: string, attempt: number) => string;

/** The upload keys are no longer good: a new submission is needed to get new ones. */
export class UploadExpiredError extends RefusedError {}

/** Where the notary keeps uploads. Source: rcodesign and quill sign for it; Apple's own sample uploads through acceleration. */
const REGION = 'us-west-2';
const SLOWEST_BYTES_PER_SECOND = 50_000;

/** S3 error codes after which only new keys help. Source: Amazon S3 API reference, "Error responses". */
const EXPIRED = new Set(['ExpiredToken', 'InvalidToken', 'TokenRefreshRequired']);
/** S3 error codes that say that the bytes suffered on their way. */
const DAMAGED = new Set(['XAmzContentSHA256Mismatch', 'BadDigest', 'IncompleteBody', 'RequestTimeout']);

/** The accelerated address may be blocked where the regional one is not, so every second try goes there. */
const amazonPlace: ObjectPlace = (bucket, attempt) =>
  attempt % 2 === 1 ? `https://${bucket}.s3-accelerate.amazonaws.com` : `https://${bucket}.s3.${REGION}.amazonaws.com`;

/**
 * Uploads a whole file as one object, signed with AWS Signature Version 4; the digest of the bytes is part of what is signed.
 *
 * @param data at most 5 GiB, the limit of a single PUT
 * @param sha256 of `data`, hex
 * @throws UploadExpiredError when the keys are too old, RefusedError when the store refuses otherwise, NetworkError, InterruptedError
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export async function uploadObject(
  submission: NewSubmission,
  data: Buffer,
  sha256: string,
  options: UploadOptions = {},
): Promise<void> {
  const clock = options.clock ?? systemClock;
  await retry((attempt) => putOnce(submission, data, sha256, attempt, { ...options, clock }), {
    delaysMs: options.delaysMs ?? [1000, 2000, 4000, 8000, 16_000],
    clock,
    ...(options.onRetry && { onRetry: options.onRetry }),
    ...(options.signal && { signal: options.signal }),
  });
}

async function putOnce(
  submission: NewSubmission,
  data: Buffer,
  sha256: string,
  attempt: number,
  options: UploadOptions & { readonly clock: Clock },
): Promise<void> {
  const base = (options.place ?? amazonPlace)(submission.bucket, attempt);
  const path = submission.object.split('/').map(encodeRfc3986).join('/');
  const url = `${base}/${path}`;
  const answer = await request({
    purpose: 'upload the package to the notary',
    method: 'PUT',
    url,
    headers: await signedHeaders(submission, url, sha256, options.clock.now()),
    body: data,
    timeoutMs: options.timeoutMs ?? 60_000 + Math.ceil(data.length / SLOWEST_BYTES_PER_SECOND) * 1000,
    signal: options.signal,
  });
  // S3 always names what it stored; a 200 without that is a proxy's.
  if (answer.status === 200 && answer.headers.get('etag') === null) {
    throw new NetworkError(
      'UPLOAD_GARBLED',
      `could not upload the package to the notary: ${new URL(url).host} did not confirm it`,
      {
        hint: 'A proxy may have answered instead; let the address pass it, then run again with `--resume`.',
      },
    );
  }
  if (answer.status !== 200) throw uploadProblem(answer, new URL(url).host, options.clock.now());
}

async function signedHeaders(submission: NewSubmission, url: string, sha256: string, now: Date) {
  const signer = new AwsV4Signer({
    method: 'PUT',
    url,
    headers: { 'X-Amz-Content-Sha256': sha256 },
    accessKeyId: submission.accessKeyId,
    secretAccessKey: submission.secretAccessKey.reveal(),
    sessionToken: submission.sessionToken.reveal(),
    service: 's3',
    region: REGION,
    datetime: now.toISOString().replace(/[:-]|\.\d{3}/g, ''),
  });
  const { headers } = await signer.sign();
  const wrapped: Record<string, string | Secret> = { 'Content-Type': 'application/octet-stream' };
  for (const [name, value] of headers) wrapped[name] = new Secret(value);
  return wrapped;
}

/** encodeURIComponent leaves five characters that RFC 3986 reserves; `:` in Apple's object names is encoded by both. */
function encodeRfc3986(segment: string): string {
  return encodeURIComponent(segment).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function uploadProblem(answer: HttpResponse, host: string, now: Date): Error {
  const text = answer.body.subarray(0, 16_384).toString('utf8');
  const code = /<Code>([A-Za-z0-9]{1,60})<\/Code>/.exec(text)?.[1] ?? '';
  const message =
    `could not upload the package to the notary: ${host} answered HTTP ${answer.status} ${code}`.trimEnd();
  if (EXPIRED.has(code))
    return new UploadExpiredError('UPLOAD_EXPIRED', message, { hint: 'Run again with `--resume`.' });
  if (code === 'RequestTimeTooSkewed') {
    return new RefusedError('UPLOAD_CLOCK', message, {
      hint: 'Set the clock of this machine right, then run again with `--resume`.',
    });
  }
  if (DAMAGED.has(code)) {
    return new NetworkError('UPLOAD_DAMAGED', message, {
      hint: 'The bytes suffered on their way; run again with `--resume`.',
    });
  }
  // S3 points elsewhere while a bucket is new; the next try goes to its other address.
  if (answer.status < 400 || answer.status === 408 || answer.status === 429 || answer.status >= 500) {
    const wait = retryAfterMs(answer.headers.get('retry-after'), now);
    return new ServiceBusyError('UPLOAD_BUSY', message, wait, { hint: 'Run again later with `--resume`.' });
  }
  const reason = /<Message>([^<]{1,200})<\/Message>/.exec(text)?.[1];
  // The store's words quote no keys: it names the access key id in a field of its own, which is left out.
  return new RefusedError('UPLOAD_REFUSED', reason ? `${message}: ${quotedText(reason)}` : message, {
    hint: `A proxy that changes requests may stand between; let ${host} pass it, then run again with \`--resume\`.`,
  });
}
