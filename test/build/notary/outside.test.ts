import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PreflightInput, preflight, preflightChecks } from '../../../build/notary/preflight.ts';
import { NetworkError, RefusedError, UsageError } from '../../../src/base/errors.ts';

let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer((_, response) => response.writeHead(404).end());
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/some/path`;
});
afterAll(() => server.close());

type Given = Partial<PreflightInput> & { history?: () => Promise<unknown>; skewMs?: number | null };
const input = ({ history = async () => [], skewMs = 0, ...more }: Given = {}): PreflightInput => ({
  notary: { history: history as PreflightInput['notary']['history'], clockSkewMs: () => skewMs },
  ...{ ticketUrl: url, timestampUrl: url, timeoutMs: 60_000 },
  ...more,
});
const said = (id: string, given: Given = {}) =>
  preflightChecks(input(given))
    .find((one) => one.id === id)!
    .examine();
const NOWHERE = 'http://127.0.0.1:1/';
const fails = (error: Error) => ({ history: () => Promise.reject(error) });

describe('what a release needs from outside', () => {
  it('is the notary, its clock, the tickets and the timestamps', () => {
    const ids = preflightChecks(input()).map(({ id }) => id);
    expect(ids).toEqual(['notary', 'clock', 'ticket-service', 'timestamp-authority']);
  });

  it('is told: submissions of the history, and the host of what was reached, whatever it answers', async () => {
    expect(await said('notary', { history: async () => [1, 2, 3] })).toMatch(/, 3 submissions in the history$/);
    for (const id of ['ticket-service', 'timestamp-authority']) expect(await said(id)).toBe(new URL(url).host);
    await expect(said('ticket-service', { ticketUrl: NOWHERE })).rejects.toThrow(/reach the ticket-service/);
    await expect(said('timestamp-authority', { timestampUrl: NOWHERE })).rejects.toThrow(
      /reach the timestamp-authority/,
    );
  });

  it.each([
    [null, /did not say its time/],
    [0, /^within 1 s of/],
    [1499, /^within 1 s of/],
    [1500, /^within 2 s of/],
    [-59_400, /^within 59 s of/],
    [60_000, /^within 60 s of/],
    [-60_000, /^within 60 s of/],
  ])('is a clock that may be wrong by a minute: %s ms', async (skewMs, words) => {
    expect(await said('clock', { skewMs })).toMatch(words);
  });

  it.each([
    [60_001, /^the clock of this machine is 60 s ahead of the notary's$/],
    [-60_001, /^the clock of this machine is 60 s behind the notary's$/],
    [3_600_000, /^the clock of this machine is 3600 s ahead of/],
  ])('is no clock that is wrong by %s ms', async (skewMs, words) => {
    await expect(said('clock', { skewMs })).rejects.toMatchObject({
      code: 'CLOCK_WRONG',
      message: expect.stringMatching(words),
    });
  });
});

describe('a look at all of it', () => {
  const network = new NetworkError('A', 'no way', {});
  const refused = new RefusedError('B', 'not you', { hint: 'ask' });
  const outcome = (given: Given = {}) =>
    preflight(input(given)).then(
      () => undefined,
      (error: unknown) => error as NetworkError,
    );

  it('says nothing when all is well', async () => expect(await outcome()).toBeUndefined());

  it('gives one failure as it is', async () => {
    for (const error of [network, refused]) expect(await outcome(fails(error))).toBe(error);
    expect(await outcome({ skewMs: 61_000 })).toMatchObject({ code: 'CLOCK_WRONG' });
  });

  it.each<[string, Given, unknown, RegExp]>([
    ['all of the network', { ...fails(network), ticketUrl: NOWHERE }, NetworkError, /^2 things outside/],
    ['a refusal among them', { ...fails(refused), ticketUrl: NOWHERE }, RefusedError, /\n {2}not you\n {4}ask\n {2}/],
    ['a wrong clock among them', { ...fails(network), skewMs: 61_000 }, UsageError, /\n {2}no way\n {2}the clock/],
    ['a wrong clock, and a service', { skewMs: 61_000, ticketUrl: NOWHERE }, UsageError, /^2 things outside/],
    [
      'three of them',
      { ...fails(network), ticketUrl: NOWHERE, timestampUrl: NOWHERE },
      NetworkError,
      /^3 things outside/,
    ],
  ])('lists more than one under the class of the most serious: %s', async (_, given, kind, words) => {
    const error = await outcome(given);
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ code: 'PREFLIGHT_FAILED', message: expect.stringMatching(words) });
  });

  it('has the first of the most serious for its cause', async () => {
    const error = await outcome({ ...fails(refused), skewMs: 61_000, ticketUrl: NOWHERE });
    expect(error).toBeInstanceOf(RefusedError);
    expect((error as Error).cause).toBe(refused);
  });

  it('ends with a fault of our own as it is', async () => {
    const bug = new TypeError('a bug');
    expect(await outcome(fails(bug))).toBe(bug);
  });
});
