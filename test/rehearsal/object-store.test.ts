import { createHash } from 'node:crypto';
import { AwsV4Signer } from 'aws4fetch';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../src/rehearsal/fault.ts';
import type { LocalRequest } from '../../src/rehearsal/local-server.ts';
import { objectStore, REHEARSAL_BUCKET } from '../../src/rehearsal/object-store.ts';
import { SubmissionStore } from '../../src/rehearsal/submission-store.ts';
import { standingClock } from '../support/standing-clock.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const BODY = Buffer.from('the package');
const digest = createHash('sha256').update(BODY).digest('hex');
const keys = {
  accessKeyId: 'ASIA1',
  secretAccessKey: 'secret',
  sessionToken: 'session',
  expires: NOW.getTime() + 1000,
};

async function put(
  change: (request: { -readonly [K in keyof LocalRequest]: LocalRequest[K] }) => void = () => undefined,
  signing: { headers?: Record<string, string>; [more: string]: unknown } = {},
  fault?: Fault,
) {
  const store = await SubmissionStore.open(undefined);
  const object = 'rehearsal/AROA:some (id)';
  await store.put({ id: 'a', name: 'x.pkg', sha256: digest, createdDate: '', object, keys, verdict: null });
  const url = `http://127.0.0.1:1/${REHEARSAL_BUCKET}/rehearsal/AROA%3Asome%20%28id%29`;
  const headers = { 'X-Amz-Content-Sha256': digest, ...signing.headers };
  const signed = await new AwsV4Signer({
    ...{ method: 'PUT', url },
    accessKeyId: keys.accessKeyId,
    secretAccessKey: keys.secretAccessKey,
    sessionToken: keys.sessionToken,
    service: 's3',
    region: 'us-west-2',
    datetime: '20260101T000000Z',
    ...signing,
    headers,
  }).sign();
  const request = {
    method: 'PUT',
    path: new URL(url).pathname,
    query: '',
    headers: { host: '127.0.0.1:1', ...Object.fromEntries(signed.headers) } as LocalRequest['headers'],
    body: BODY,
  };
  change(request);
  const uploaded: [string, Buffer][] = [];
  const handler = objectStore({
    store,
    clock: standingClock(NOW),
    uploaded: async (one, data) => void uploaded.push([one.id, data]),
  });
  const { status, headers: answered, body } = await handler.answer(request, fault);
  return {
    status,
    code: /<Code>(\w+)</.exec(body.toString())?.[1],
    uploaded: uploaded.length,
    data: uploaded,
    headers: answered,
  };
}
/** Authorization with something else in it than what was signed. */
const rewritten = (from: string | RegExp, to: string) => (request: { headers: LocalRequest['headers'] }) =>
  Object.assign(request.headers, { authorization: request.headers.authorization?.replace(from, to) });

describe('the object store', () => {
  it('takes what is signed as Signature Version 4 demands', async () => {
    expect(await put()).toEqual({
      ...{ status: 200, code: undefined, uploaded: 1, data: [['a', BODY]] },
      headers: { ETag: `"${digest.slice(0, 32)}"` },
    });
  });

  it('is asked by PUT for what lies in its bucket', async () => {
    const store = await SubmissionStore.open(undefined);
    const { matches } = objectStore({ store, clock: standingClock(NOW), uploaded: async () => undefined });
    const asked = [
      matches('PUT', '/rehearsal-submissions/a'),
      matches('POST', '/rehearsal-submissions/a'),
      matches('PUT', '/rehearsal-submissions'),
      matches('PUT', '/other/rehearsal-submissions/a'),
    ];
    expect(asked).toEqual([true, false, false, false]);
  });

  // Source: Amazon S3, error responses: 15 minutes either way.
  it.each([
    ['20251231T234500Z', undefined],
    ['20251231T234459Z', 'RequestTimeTooSkewed'],
    ['20260101T001500Z', undefined],
    ['20260101T001501Z', 'RequestTimeTooSkewed'],
  ])('holds the time %s against its own: %s', async (datetime, code) => {
    expect((await put(undefined, { datetime })).code).toBe(code);
  });

  it('takes keys until their last millisecond', async () => {
    const { expires } = keys;
    const codeAt = async (time: number) => {
      keys.expires = time;
      return put().then(({ status, code }) => [status, code]);
    };
    try {
      expect([await codeAt(NOW.getTime()), await codeAt(NOW.getTime() - 1)]).toEqual([
        [200, undefined],
        [400, 'ExpiredToken'],
      ]);
    } finally {
      keys.expires = expires;
    }
  });

  it('reads headers as signed ones are written: blanks at their ends and between their words count once', async () => {
    const headers = { 'X-Amz-Meta-A': 'one   two  three' };
    expect(
      (await put(({ headers: sent }) => Object.assign(sent, { 'x-amz-meta-a': ' one   two  three ' }), { headers }))
        .code,
    ).toBeUndefined();
    expect((await put(({ headers: sent }) => Object.assign(sent, { 'x-amz-meta-a': 'one' }), { headers })).code).toBe(
      'SignatureDoesNotMatch',
    );
    expect((await put(({ headers: sent }) => delete sent['x-amz-meta-a'], { headers })).code).toBe(
      'SignatureDoesNotMatch',
    );
  });

  it.each<[Fault, number, string, number]>([
    [{ at: 'upload', kind: 'expired' }, 400, 'ExpiredToken', 0],
    [{ at: 'upload', kind: 'wrong-bytes' }, 400, 'XAmzContentSHA256Mismatch', 0],
  ])('does %j', async (fault, status, code, uploaded) => {
    expect(await put(undefined, {}, fault)).toMatchObject({ status, code, uploaded });
  });

  it.each([['host'], ['x-amz-content-sha256'], ['x-amz-date'], ['x-amz-security-token']])(
    'refuses a request whose %s is not signed',
    async (name) => {
      const change = rewritten(new RegExp(`(?<=SignedHeaders=[^,]*)${name};?`), '');
      expect(await put(change)).toMatchObject({ status: 403, code: 'AccessDenied' });
    },
  );

  it.each<[string, Parameters<typeof put>[0], number, string]>([
    ['no signature', ({ headers }) => delete headers.authorization, 403, 'AccessDenied'],
    ['a signature of another form', rewritten('AWS4-HMAC-SHA256 ', 'AWS4-ECDSA-P256-SHA256 '), 403, 'AccessDenied'],
    ['a signature that is short', rewritten(/.$/, ''), 403, 'AccessDenied'],
    ['a signature for another day', rewritten('/20260101/', '/20260102/'), 403, 'AccessDenied'],
    ['a signature for another service', rewritten('/s3/', '/s4/'), 403, 'AccessDenied'],
    ['no time', ({ headers }) => delete headers['x-amz-date'], 403, 'AccessDenied'],
    ['another method', (request) => Object.assign(request, { method: 'POST' }), 403, 'SignatureDoesNotMatch'],
    ['another query', (request) => Object.assign(request, { query: 'acl' }), 403, 'SignatureDoesNotMatch'],
    ['another host', ({ headers }) => Object.assign(headers, { host: 'other' }), 403, 'SignatureDoesNotMatch'],
    [
      'another digest',
      ({ headers }) => Object.assign(headers, { 'x-amz-content-sha256': '0'.repeat(64) }),
      ...([403, 'SignatureDoesNotMatch'] as const),
    ],
    ['another access key', rewritten('ASIA1', 'ASIA2'), 403, 'InvalidAccessKeyId'],
    ['another session', ({ headers }) => Object.assign(headers, { 'x-amz-security-token': 'x' }), 400, 'InvalidToken'],
    [
      'an unknown object',
      (request) => Object.assign(request, { path: '/rehearsal-submissions/x' }),
      403,
      'AccessDenied',
    ],
  ])('answers %s as S3 does', async (_what, change, status, code) => {
    const { headers, ...answer } = await put(change);
    expect(answer).toMatchObject({ status, code, uploaded: 0 });
    expect(headers).toEqual({ 'Content-Type': 'application/xml' });
  });

  it.each([
    ['another secret key', {}, { secretAccessKey: 'other' }, 'SignatureDoesNotMatch'],
    ['another access key', {}, { accessKeyId: 'ASIA2' }, 'InvalidAccessKeyId'],
    ['another session', {}, { sessionToken: 'other' }, 'InvalidToken'],
    ['another region', {}, { region: 'us-east-1' }, 'AccessDenied'],
    ['a wrong clock', {}, { datetime: '20260101T010000Z' }, 'RequestTimeTooSkewed'],
    ['other bytes', { body: Buffer.from('other') }, {}, 'XAmzContentSHA256Mismatch'],
    [
      'a path that was not signed',
      { path: `/${REHEARSAL_BUCKET}/rehearsal/AROA:some%20(id)` },
      {},
      'SignatureDoesNotMatch',
    ],
    ['an unknown object', { path: `/${REHEARSAL_BUCKET}/other` }, {}, 'AccessDenied'],
  ])('refuses %s', async (_what, change, signing, code) => {
    expect(await put((request) => Object.assign(request, change), signing)).toMatchObject({ code, uploaded: 0 });
  });
});
