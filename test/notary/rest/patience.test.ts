import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../../src/base/clock.ts';
import { Secret } from '../../../src/base/secret.ts';
import { notaryApi } from '../../../src/notary/rest/api.ts';
import { uploadObject } from '../../../src/notary/rest/upload.ts';
import { lookUpTicket } from '../../../src/notary/ticket/ticket-lookup.ts';
import { timestampClient } from '../../../src/pki/timestamp/timestamp.ts';
import { standingClock } from '../../support/standing-clock.ts';

let origin: string;
let deadlines: number[];
const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => response.writeHead(503).end());
});
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((done) => void server.close(done)));
beforeEach(() => {
  deadlines = [];
  const never = new AbortController().signal;
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    deadlines.push(ms);
    return never;
  });
  // No chance in the pauses.
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** The pauses and deadlines of a call that is answered with 503 until it gives up. */
async function patience(call: (clock: ReturnType<typeof standingClock>) => Promise<unknown>) {
  const clock = standingClock(new Date());
  await expect(call(clock)).rejects.toThrow();
  return { slept: clock.slept, deadlines: [...new Set(deadlines)], tries: deadlines.length };
}

describe('when nothing else is said', () => {
  it('the notary is asked six times, half a minute each', async () => {
    const key = { key: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey, keyId: 'K', issuerId: 'I' };
    const ask = (clock: ReturnType<typeof standingClock>) =>
      notaryApi({ url: origin, key, clock }).submit({ name: 'n', sha256: 's' });
    expect(await patience(ask)).toEqual({ slept: [1000, 2000, 4000, 8000, 16_000], deadlines: [30_000], tries: 6 });
  });

  it.each([
    [0, 60_000],
    [1, 61_000],
    [50_000, 61_000],
    [50_001, 62_000],
  ])('an upload of %i bytes is tried six times, %i ms each', async (size, deadline) => {
    const keys = { accessKeyId: 'A', secretAccessKey: new Secret('s'), sessionToken: new Secret('t') };
    const upload = (clock: ReturnType<typeof standingClock>) =>
      uploadObject({ id: 'i', bucket: 'b', object: 'o', ...keys }, Buffer.alloc(size), 'ab', {
        place: () => origin,
        clock,
      });
    expect(await patience(upload)).toEqual({
      slept: [1000, 2000, 4000, 8000, 16_000],
      deadlines: [deadline],
      tries: 6,
    });
  });

  it('an upload goes to Amazon S3, accelerated and to the region by turns', async () => {
    const asked: string[] = [];
    vi.stubGlobal('fetch', (url: URL | string) => {
      asked.push(String(url));
      return Promise.reject(new Error('no network'));
    });
    const keys = { accessKeyId: 'A', secretAccessKey: new Secret('s'), sessionToken: new Secret('t') };
    const upload = (clock: Clock) =>
      uploadObject({ id: 'i', bucket: 'b', object: 'o/p', ...keys }, Buffer.alloc(0), 'ab', {
        clock,
        delaysMs: [1, 1],
      });
    await patience(upload);
    expect(asked).toEqual([
      'https://b.s3-accelerate.amazonaws.com/o/p',
      'https://b.s3.us-west-2.amazonaws.com/o/p',
      'https://b.s3-accelerate.amazonaws.com/o/p',
    ]);
  });

  it('a ticket and a timestamp are asked for half a minute each', async () => {
    const options = { url: origin, problem: () => undefined, maxWaitMs: 5000, tell: () => undefined, goOn: '' };
    const look = (clock: ReturnType<typeof standingClock>) =>
      lookUpTicket([{ hashType: 1, digest: Buffer.alloc(20) }], { ...options, clock });
    expect(await patience(look)).toEqual({ slept: [5000], deadlines: [30_000], tries: 2 });
    deadlines = [];
    const trust = { name: 'apple', roots: [], intermediates: [] } as const;
    const stamp = (clock: ReturnType<typeof standingClock>) =>
      timestampClient({ url: origin, trust, clock }).token(Buffer.alloc(1));
    expect(await patience(stamp)).toEqual({ slept: [1000, 2000, 4000, 8000], deadlines: [30_000], tries: 5 });
  });
});

describe('a pause ends', () => {
  const keys = { accessKeyId: 'A', secretAccessKey: new Secret('s'), sessionToken: new Secret('t') };
  const key = () => ({
    key: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey,
    keyId: 'K',
    issuerId: 'I',
  });
  const notary = (clock: Clock) => notaryApi({ url: origin, key: key(), clock });
  it.each<[string, (clock: Clock, signal?: AbortSignal) => Promise<unknown>]>([
    ['submission', (clock, signal) => notary(clock).submit({ name: 'n', sha256: 's' }, signal)],
    ['history', (clock, signal) => notary(clock).history(signal)],
    ['log', (clock, signal) => notary(clock).log('i', signal)],
    [
      'upload',
      (clock, signal) =>
        uploadObject({ id: 'i', bucket: 'b', object: 'o', ...keys }, Buffer.alloc(0), 'ab', {
          place: () => origin,
          clock,
          signal,
        }),
    ],
    [
      'ticket',
      (clock, signal) =>
        lookUpTicket([{ hashType: 1, digest: Buffer.alloc(20) }], {
          url: origin,
          problem: () => undefined,
          maxWaitMs: 5000,
          tell: () => undefined,
          goOn: '',
          clock,
          signal,
        }),
    ],
    [
      'timestamp',
      (clock, signal) =>
        timestampClient({ url: origin, trust: { name: 'apple', roots: [], intermediates: [] }, clock }).token(
          Buffer.alloc(1),
          signal,
        ),
    ],
  ])('with the signal that its caller has: of a %s', async (_, call) => {
    for (const signal of [new AbortController().signal, undefined]) {
      const given: (AbortSignal | undefined)[] = [];
      const clock = standingClock(new Date());
      const sleep: Clock['sleep'] = (ms, one) => {
        given.push(one);
        return clock.sleep(ms, one);
      };
      await expect(call({ ...clock, sleep }, signal)).rejects.toThrow();
      expect(given.length).toBeGreaterThan(0);
      expect(new Set(given)).toEqual(new Set([signal]));
    }
  });
});
