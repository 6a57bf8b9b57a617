import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { Handler, LocalAnswer, LocalRequest } from './local-server.ts';
import type { StoredSubmission, SubmissionStore } from './submission-store.ts';

/** Bucket of the rehearsal's uploads. */
export const REHEARSAL_BUCKET = 'rehearsal-submissions';

const REGION = 'us-west-2';
/** A request's time may differ by this from the store's. Source: Amazon S3 API reference, RequestTimeTooSkewed. */
const SKEW_MS = 15 * 60 * 1000;
/** Headers without which a request could be changed or sent again elsewhere. */
const MUST_BE_SIGNED = ['host', 'x-amz-content-sha256', 'x-amz-date', 'x-amz-security-token'];

/** The keys of a rehearsal and the digest of its bytes, checked as Amazon S3 does. */
export interface ObjectStoreOptions {
  readonly store: SubmissionStore;
  readonly clock: Clock;
  /** Is given what was uploaded. */
  readonly uploaded: (submission: StoredSubmission, data: Buffer) => Promise<void>;
}

/**
 * Returns the handler of `PUT /<bucket>/<object>`: a stand-in for Amazon S3 that takes an object only with a right signature.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function objectStore({ store, clock, uploaded }: ObjectStoreOptions): Handler {
  return {
    endpoint: 'upload',
    matches: (method, path) => method === 'PUT' && path.startsWith(`/${REHEARSAL_BUCKET}/`),
    async answer(request, fault) {
      const object = decodeURIComponent(request.path.slice(REHEARSAL_BUCKET.length + 2));
      const submission = store.newestFirst().find((one) => one.object === object);
      if (!submission) return refusal(403, 'AccessDenied');
      if (fault?.kind === 'expired') return refusal(400, 'ExpiredToken');
      const data = fault?.kind === 'wrong-bytes' ? Buffer.from('other bytes') : request.body;
      const problem = signatureProblem(request, submission.keys, clock.now());
      if (problem) return problem;
      const digest = createHash('sha256').update(data).digest('hex');
      if (digest !== request.headers['x-amz-content-sha256']) return refusal(400, 'XAmzContentSHA256Mismatch');
      await uploaded(submission, data);
      return { status: 200, headers: { ETag: `"${digest.slice(0, 32)}"` }, body: '' };
    },
  };
}

function signatureProblem(request: LocalRequest, keys: StoredSubmission['keys'], now: Date): LocalAnswer | undefined {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^,/]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      String(request.headers.authorization),
    );
  if (!match) return refusal(403, 'AccessDenied');
  const [, accessKeyId, scope, signedHeaders, signature] = match as unknown as [string, string, string, string, string];
  const time = String(request.headers['x-amz-date']);
  if (accessKeyId !== keys.accessKeyId) return refusal(403, 'InvalidAccessKeyId');
  if (request.headers['x-amz-security-token'] !== keys.sessionToken) return refusal(400, 'InvalidToken');
  if (now.getTime() > keys.expires) return refusal(400, 'ExpiredToken');
  if (Math.abs(parseTime(time) - now.getTime()) > SKEW_MS) return refusal(403, 'RequestTimeTooSkewed');
  const day = time.slice(0, 8);
  const names = signedHeaders.split(';');
  if (scope !== `${day}/${REGION}/s3/aws4_request` || !MUST_BE_SIGNED.every((name) => names.includes(name))) {
    return refusal(403, 'AccessDenied');
  }
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(canonicalRequest(request, names))].join('\n');
  const expected = hmac(signingKey(keys.secretAccessKey, day), text);
  return timingSafeEqual(expected, Buffer.from(signature, 'hex')) ? undefined : refusal(403, 'SignatureDoesNotMatch');
}

function canonicalRequest({ method, path, query, headers }: LocalRequest, names: readonly string[]): string {
  const lines = [...names].sort().map(
    (name) =>
      `${name}:${String(headers[name] ?? '')
        .trim()
        .replace(/ +/g, ' ')}\n`,
  );
  return [method, path, query, lines.join(''), names.join(';'), String(headers['x-amz-content-sha256'])].join('\n');
}

function signingKey(secret: string, day: string): Buffer {
  return [day, REGION, 's3', 'aws4_request'].reduce<Buffer>(
    (key, part) => hmac(key, part),
    Buffer.from(`AWS4${secret}`),
  );
}

const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** `20231114T221320Z` as milliseconds since 1970. */
function parseTime(text: string): number {
  return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

function refusal(status: number, code: string): LocalAnswer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>REHEARSAL ${code}</Message></Error>`;
  return { status, headers: { 'Content-Type': 'application/xml' }, body };
}
