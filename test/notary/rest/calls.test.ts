import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PipelineError } from '../../../src/base/errors.ts';
import { Secret } from '../../../src/base/secret.ts';
import { type NewSubmission, type NotaryApi, notaryApi } from '../../../src/notary/rest/api.ts';
import { restNotary } from '../../../src/notary/rest/rest-notary.ts';
import { uploadObject } from '../../../src/notary/rest/upload.ts';
import { standingClock } from '../../support/standing-clock.ts';

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}
const NOW = new Date('2026-01-02T03:04:05.000Z');
const key = { key: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey, keyId: 'K', issuerId: 'I' };
let origin: string;
let asked: Asked[];
let answers: Answer[];
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (part) => {
    body += part;
  });
  request.on('end', () => {
    asked.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body });
    const {
      status = 200,
      headers = {},
      body: given = '',
    } = (answers.length > 1 ? answers.shift() : answers[0]) as Answer;
    response.writeHead(status, headers);
    response.end(typeof given === 'string' ? given : JSON.stringify(given));
  });
});
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  asked = [];
});
afterAll(() => new Promise((done) => void server.close(done)));

const clock = () => standingClock(NOW);
const withHost = (text: string) => text.replace(/127\.0\.0\.1:\d+/, 'host');
const outcome = <T>(work: Promise<T>) =>
  work.catch((error: PipelineError) => withHost(`${error.code}: ${error.message}`)) as Promise<T | string>;

describe('the calls of the notary', () => {
  const api = (delaysMs: number[] = []) =>
    notaryApi({ url: `${origin}/notary/v2`, key, delaysMs, timeoutMs: 60_000, clock: clock() });
  const call = (given: Answer[], work: (one: NotaryApi) => Promise<unknown>, delaysMs?: number[]) => {
    answers = given;
    return outcome(work(api(delaysMs)));
  };
  const ID = 'abcdef01-2345';
  const attributes = {
    awsAccessKeyId: 'AK',
    awsSecretAccessKey: 'SK',
    awsSessionToken: 'ST',
    bucket: 'a-bucket.1',
    object: 'x/y',
  };
  const submitted = (change: object = {}, id: unknown = ID) => ({
    body: { data: { id, attributes: { ...attributes, ...change } } },
  });
  const state = { data: { id: ID, attributes: { status: 'Accepted' } } };

  it('announce a file', async () => {
    const found = (await call([submitted()], (one) => one.submit({ name: 'n.pkg', sha256: 'ab' }))) as NewSubmission;
    expect({ ...found, secretAccessKey: found.secretAccessKey.reveal(), sessionToken: found.sessionToken.reveal() }).toEqual({ id: ID, accessKeyId: 'AK', bucket: 'a-bucket.1', object: 'x/y', secretAccessKey: 'SK', sessionToken: 'ST' });
    expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /notary/v2/submissions']);
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({ submissionName: 'n.pkg', sha256: 'ab', notifications: [] });
    expect(asked[0]?.headers).toMatchObject({ accept: 'application/json', 'content-type': 'application/json', authorization: expect.stringMatching(/^Bearer ey/) });
  }); // biome-ignore format: a table

  it.each<[string, Answer, string]>([
    ['an id of seven digits', submitted({}, 'abcdef0'), 'data.id'],
    ['an id of 65 digits', submitted({}, 'a'.repeat(65)), 'data.id'],
    ['an id with a slash', submitted({}, 'abcdef01/2345'), 'data.id'],
    ['no key', submitted({ awsAccessKeyId: '' }), 'data.attributes.awsAccessKeyId'],
    ['no secret', submitted({ awsSecretAccessKey: '' }), 'data.attributes.awsSecretAccessKey'],
    ['no token', submitted({ awsSessionToken: '' }), 'data.attributes.awsSessionToken'],
    ['a bucket with a slash', submitted({ bucket: 'a/b' }), 'data.attributes.bucket'],
    ['no object', submitted({ object: '' }), 'data.attributes.object'],
    ['a document of another kind', { body: [] }, 'what was asked for'],
  ])('take no submission with %s', async (_, answer, missing) => {
    expect(await call([answer], (one) => one.submit({ name: 'n', sha256: 's' }))).toBe(`NOTARY_GARBLED: could not submit the package to the notary: host answered with JSON without ${missing}`);
  }); // biome-ignore format: a table

  it('take ids of 8 and of 64 digits', async () => {
    for (const id of ['abcdef01', 'a'.repeat(64)]) expect(await call([submitted({}, id)], (one) => one.submit({ name: 'n', sha256: 's' }))).toMatchObject({ id });
  }); // biome-ignore format: a table

  it('ask for the status once', async () => {
    const usual = { id: ID, status: 'Accepted', name: '', createdDate: '' };
    expect(await call([{ body: state }], (one) => one.status('a/b'))).toEqual(usual);
    expect(asked.map(({ method, path, headers }) => [method, path, headers['content-type']])).toEqual([['GET', '/notary/v2/submissions/a%2Fb', undefined]]);
    expect(await call([{ status: 503 }, { body: state }], (one) => one.status(ID), [1])).toContain('NOTARY_BUSY');
    expect(await call([{ status: 201, body: state }], (one) => one.status(ID))).toEqual(usual);
    expect(await call([{ status: 202, body: state }], (one) => one.status(ID))).toContain('NOTARY_PROXY');
    expect(await call([{ body: '<html>' }], (one) => one.status(ID))).toBe('NOTARY_GARBLED: could not ask the notary for the status: host answered with something that is not JSON');
    expect(await call([{ status: 404 }], (one) => one.status(ID))).toContain('NOTARY_UNKNOWN_ID');
  }); // biome-ignore format: a table

  it('renew a token that is not accepted, once', async () => {
    expect(await call([{ status: 401 }, { body: state }], (one) => one.status(ID))).toMatchObject({
      status: 'Accepted',
    });
    expect(new Set(asked.map(({ headers }) => headers.authorization)).size).toBe(2);
    asked = [];
    expect(await call([{ status: 401 }], (one) => one.status(ID))).toContain('NOTARY_UNAUTHENTICATED');
    expect(asked).toHaveLength(2);
  });

  it('are repeated where that may help', async () => {
    expect(await call([{ status: 503 }, { body: '<' }, submitted()], (one) => one.submit({ name: 'n', sha256: 's' }), [1, 1])).toMatchObject({ id: ID });
    expect(await call([{ status: 503 }, { body: { data: [] } }], (one) => one.history(), [1])).toEqual([]);
    expect(await call([{ status: 403 }, submitted()], (one) => one.submit({ name: 'n', sha256: 's' }), [1])).toContain('NOTARY_FORBIDDEN');
  }); // biome-ignore format: a table

  it('know how far this clock is ahead', async () => {
    answers = [{ headers: { date: new Date(NOW.getTime() - 90_000).toUTCString() }, body: state }, { headers: { date: 'never' }, body: state }];
    const one = api();
    expect(one.clockSkewMs()).toBeNull();
    await one.status(ID);
    expect(one.clockSkewMs()).toBe(90_000);
    await one.status(ID);
    expect(one.clockSkewMs()).toBe(90_000);
  }); // biome-ignore format: a table

  it('fetch the log from where it lies, without the token', async () => {
    const place = { body: { data: { attributes: { developerLogUrl: `${origin}/log` } } } };
    const log = { status: 'Accepted', statusSummary: 'x' };
    expect(await call([place, { body: log }], (one) => one.log(ID))).toMatchObject(log);
    expect(asked.map(({ path, headers }) => [path, typeof headers.authorization])).toEqual([[`/notary/v2/submissions/${ID}/logs`, 'string'], ['/log', 'undefined']]);
    expect(await call([{ status: 404 }], (one) => one.log(ID))).toBeNull();
    expect(await call([{ status: 403 }], (one) => one.log(ID))).toContain('NOTARY_FORBIDDEN');
    expect(await call([place, { status: 201, body: log }], (one) => one.log(ID))).toBe("NOTARY_GARBLED: could not fetch the notary's log: host answered with HTTP 201");
    expect(await call([place, { body: 'x' }], (one) => one.log(ID))).toBe("NOTARY_GARBLED: could not fetch the notary's log: host answered with something that is not a log");
    expect(await call([place, { status: 500 }, place, { body: log }], (one) => one.log(ID), [1])).toMatchObject(log);
    expect(await call([{ body: { data: { attributes: { developerLogUrl: 'x' } } } }], (one) => one.log(ID))).toContain('JSON without data.attributes.developerLogUrl');
  }); // biome-ignore format: a table
});

describe('an upload', () => {
  const submission = (object = "a b/c'(1)*!:x"): NewSubmission => ({
    id: 'id',
    bucket: 'bucket',
    object,
    accessKeyId: 'AKID',
    secretAccessKey: new Secret('secret'),
    sessionToken: new Secret('session'),
  });
  const upload = (given: Answer[], delaysMs: number[] = []) => {
    answers = given;
    const place = (bucket: string, attempt: number) => `${origin}/${bucket}/${attempt}`;
    return outcome(uploadObject(submission(), Buffer.from('data'), 'ab'.repeat(32), { place, delaysMs, clock: clock(), timeoutMs: 60_000 }).then(() => 'done'));
  }; // biome-ignore format: a table
  const stored = { headers: { etag: '"x"' } };

  it('puts the whole, signed for its place', async () => {
    expect(await upload([stored])).toBe('done');
    const { method, path, headers, body } = asked[0] as Asked;
    expect([method, path, body]).toEqual(['PUT', '/bucket/1/a%20b/c%27%281%29%2A%21%3Ax', 'data']);
    expect(headers).toMatchObject({ 'content-type': 'application/octet-stream', 'x-amz-content-sha256': 'ab'.repeat(32), 'x-amz-date': '20260102T030405Z', 'x-amz-security-token': 'session' });
    expect(headers.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKID\/20260102\/us-west-2\/s3\/aws4_request, SignedHeaders=.*x-amz-content-sha256.*, Signature=[0-9a-f]{64}$/);
  }); // biome-ignore format: a table

  it('goes to another address at the next try', async () => {
    expect(await upload([{ status: 503 }, stored], [1])).toBe('done');
    expect(asked.map(({ path }) => path.split('/')[2])).toEqual(['1', '2']);
  });

  const code = (name: string, more = '') => `<Error><Code>${name}</Code>${more}</Error>`;
  it.each<[number, string, string]>([
    [200, '', 'UPLOAD_GARBLED: could not upload the package to the notary: host did not confirm it'],
    [400, code('ExpiredToken'), 'UPLOAD_EXPIRED'],
    [400, code('InvalidToken'), 'UPLOAD_EXPIRED'],
    [400, code('TokenRefreshRequired'), 'UPLOAD_EXPIRED'],
    [403, code('RequestTimeTooSkewed'), 'UPLOAD_CLOCK'],
    [400, code('XAmzContentSHA256Mismatch'), 'UPLOAD_DAMAGED'],
    [400, code('BadDigest'), 'UPLOAD_DAMAGED'],
    [400, code('IncompleteBody'), 'UPLOAD_DAMAGED'],
    [400, code('RequestTimeout'), 'UPLOAD_DAMAGED'],
    [307, '', 'UPLOAD_BUSY'],
    [399, '', 'UPLOAD_BUSY'],
    [400, '', 'UPLOAD_REFUSED: could not upload the package to the notary: host answered HTTP 400'],
    [403, code('AccessDenied', '<Message>no way</Message>'), 'UPLOAD_REFUSED: could not upload the package to the notary: host answered HTTP 403 AccessDenied: no way'],
    [408, '', 'UPLOAD_BUSY'],
    [409, '', 'UPLOAD_REFUSED'],
    [428, '', 'UPLOAD_REFUSED'],
    [429, '', 'UPLOAD_BUSY'],
    [499, '', 'UPLOAD_REFUSED'],
    [500, '', 'UPLOAD_BUSY'],
    [400, ' '.repeat(16_384 - code('ExpiredToken').length) + code('ExpiredToken'), 'UPLOAD_EXPIRED'],
    [400, ' '.repeat(16_385 - '<Code>ExpiredToken</Code>'.length) + code('ExpiredToken'), 'UPLOAD_REFUSED'],
  ])('answered with %i %j', async (status, body, expected) => {
    const found = await upload([{ status, body }]);
    if (expected.includes(':')) expect(found).toBe(expected);
    else expect(String(found).split(':')[0]).toBe(expected);
  }); // biome-ignore format: a table
});

describe('restNotary', () => {
  const run = async (given: Answer[]) => {
    answers = given;
    const said: string[] = [];
    let count = 0;
    const api = { submit: async () => ({ id: `id ${++count}`, bucket: 'b', object: 'o', accessKeyId: 'A', secretAccessKey: new Secret('s'), sessionToken: new Secret('t') }) };
    const notary = restNotary(api as unknown as NotaryApi, { place: () => origin, delaysMs: [], clock: clock(), timeoutMs: 60_000 });
    const tell = (words: string) => void said.push(words);
    const announced = async (id: string) => void said.push(id);
    const done = await outcome(notary.submit({ name: 'n', data: Buffer.from('data'), sha256: 'ab' }, { announced, tell, warn: tell }).then(() => 'done'));
    return [String(done).split(':')[0], ...said];
  }; // biome-ignore format: a table
  const expired = { status: 400, body: '<Code>ExpiredToken</Code>' };
  const once = (number: number) => [`id ${number}`, 'uploading 4 bytes'];
  const again = (number: number) =>
    `the upload keys of submission id ${number} have expired; a new submission is begun`;

  it('begins anew when the keys have expired, three times in all', async () => {
    expect(await run([{ headers: { etag: 'x' } }])).toEqual(['done', ...once(1)]);
    expect(await run([expired, expired, { headers: { etag: 'x' } }])).toEqual(['done', ...once(1), again(1), ...once(2), again(2), ...once(3)]);
    expect(await run([expired])).toEqual(['UPLOAD_EXPIRED', ...once(1), again(1), ...once(2), again(2), ...once(3)]);
    expect(await run([{ status: 403 }])).toEqual(['UPLOAD_REFUSED', ...once(1)]);
  }); // biome-ignore format: a table
});
