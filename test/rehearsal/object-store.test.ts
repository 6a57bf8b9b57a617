import { createHash } from 'node:crypto';
import { AwsV4Signer } from 'aws4fetch';
import { describe, expect, it } from 'vitest';
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
  signing = {},
) {
  const store = await SubmissionStore.open(undefined);
  const object = 'rehearsal/AROA:some (id)';
  await store.put({ id: 'a', name: 'x.pkg', sha256: digest, createdDate: '', object, keys, verdict: null });
  const url = `http://127.0.0.1:1/${REHEARSAL_BUCKET}/rehearsal/AROA%3Asome%20%28id%29`;
  const headers = { 'X-Amz-Content-Sha256': digest };
  const signed = await new AwsV4Signer({
    method: 'PUT',
    url,
    headers,
    accessKeyId: keys.accessKeyId,
    secretAccessKey: keys.secretAccessKey,
    sessionToken: keys.sessionToken,
    service: 's3',
    region: 'us-west-2',
    datetime: '20260101T000000Z',
    ...signing,
  }).sign();
  const request = {
    method: 'PUT',
    path: new URL(url).pathname,
    query: '',
    headers: { host: '127.0.0.1:1', ...Object.fromEntries(signed.headers) } as LocalRequest['headers'],
    body: BODY,
  };
  change(request);
  let uploaded = 0;
  const handler = objectStore({ store, clock: standingClock(NOW), uploaded: async () => void uploaded++ });
  const { status, body } = await handler.answer(request, undefined);
  return { status, code: /<Code>(\w+)</.exec(body.toString())?.[1], uploaded };
}

describe('the object store', () => {
  it('takes what is signed as Signature Version 4 demands', async () => {
    expect(await put()).toEqual({ status: 200, code: undefined, uploaded: 1 });
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
