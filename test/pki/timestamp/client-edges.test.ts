import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PipelineError } from '../../../src/base/errors.ts';
import { der, integer, sequence, TAG, utf8String } from '../../../src/pki/asn1/der.ts';
import { timestampClient } from '../../../src/pki/timestamp/timestamp.ts';
import { parseTimestampResponse } from '../../../src/pki/timestamp/timestamp-token.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { rehearsalTimestampAuthority } from '../../../src/rehearsal/timestamp-authority.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { standingClock } from '../../support/standing-clock.ts';

const NOW = new Date(Math.floor(Date.now() / 1000) * 1000);
let authority: RehearsalAuthority;
/** What the server makes of a request. */
let answer: (request: Buffer) => { status?: number; body: Buffer };
let headers: Record<string, unknown>;
const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  headers = request.headers;
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const { status = 200, body } = answer(Buffer.concat(parts));
    response.writeHead(status);
    response.end(body);
  });
});
beforeAll(async () => {
  authority = await sharedAuthority();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterAll(() => new Promise((done) => void server.close(done)));

async function ask(given: typeof answer, now = NOW) {
  answer = given;
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ts01`;
  const client = timestampClient({
    url,
    trust: authority.trust,
    timeoutMs: 60_000,
    delaysMs: [],
    clock: standingClock(now),
  });
  return client.token(Buffer.from('signature')).then(
    () => 'token',
    (error: PipelineError) =>
      `${error.constructor.name} ${error.code}: ${error.message.replace(/127\.0\.0\.1:\d+/, 'host')}`,
  );
}
const token = (request: Buffer, time = NOW) =>
  parseTimestampResponse(
    rehearsalTimestampAuthority(authority, standingClock(NOW)).issueToken(request, { kind: 'time', time }),
  ).token as Buffer;
const granted =
  (status: number, ...more: Buffer[]) =>
  (request: Buffer) => ({ body: sequence(sequence(integer(status), ...more), token(request)) });

describe('a timestamp authority', () => {
  it.each<[number, string]>([
    [200, 'token'],
    [201, 'RefusedError TIMESTAMP_HTTP: the timestamp authority host answered HTTP 201'],
    [404, 'RefusedError TIMESTAMP_HTTP: the timestamp authority host answered HTTP 404'],
    [428, 'RefusedError TIMESTAMP_HTTP: the timestamp authority host answered HTTP 428'],
    [429, 'ServiceBusyError TIMESTAMP_UNAVAILABLE: the timestamp authority host answered HTTP 429'],
    [430, 'RefusedError TIMESTAMP_HTTP: the timestamp authority host answered HTTP 430'],
    [499, 'RefusedError TIMESTAMP_HTTP: the timestamp authority host answered HTTP 499'],
    [500, 'ServiceBusyError TIMESTAMP_UNAVAILABLE: the timestamp authority host answered HTTP 500'],
  ])('that answers HTTP %i is understood', async (status, expected) => {
    expect(await ask((request) => ({ ...granted(0)(request), status }))).toBe(expected);
    expect(headers).toMatchObject({ 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' });
  }); // biome-ignore format: a table

  it('grants with status 0 or 1, and a token', async () => {
    const refused = (reason: string) => `RefusedError TIMESTAMP_REJECTED: the timestamp authority host gave no timestamp: ${reason}`;
    expect([await ask(granted(0)), await ask(granted(1))]).toEqual(['token', 'token']);
    expect(await ask(granted(2))).toBe(refused('status 2, failure bits none'));
    expect(await ask(granted(2, sequence(utf8String('no'))))).toBe(refused('no'));
    expect(await ask(() => ({ body: sequence(sequence(integer(0))) }))).toBe(refused('status 0, failure bits none'));
    const bits = (...bytes: number[]) => der(TAG.bitString, Buffer.from([0, ...bytes]));
    expect(await ask(granted(2, bits(0x80, 0x01)))).toBe(refused('status 2, failure bits 0, 15'));
    // 14 is timeNotAvailable.
    expect(await ask(granted(2, bits(0x80, 0x02)))).toBe('UnusableAnswer TIMESTAMP_UNAVAILABLE: the timestamp authority host gave no timestamp: status 2, failure bits 0, 14');
  }); // biome-ignore format: a table

  it.each<[number, number, boolean]>([
    [600, 0, true],
    [600, -1, false],
    [601, 0, false],
    [-600, 0, true],
    [-600, 1, false],
    [-601, 0, false],
  ])('may be %i s ahead of a clock %i ms behind the second: %s', async (seconds, behind, taken) => {
    const time = new Date(NOW.getTime() + seconds * 1000);
    const stamped = (request: Buffer) => ({ body: sequence(sequence(integer(0)), token(request, time)) });
    const outcome = await ask(stamped, new Date(NOW.getTime() + behind));
    if (taken) expect(outcome).toBe('token');
    else expect(outcome).toMatch(/^UnusableAnswer TIMESTAMP_CLOCK: the timestamp of host cannot be used: its time is/);
  });

  it('answers in 64 KiB, with a timestamp', async () => {
    const padded = (size: number) => (request: Buffer) => {
      const { body } = granted(0)(request);
      return { body: Buffer.concat([body, Buffer.alloc(size - body.length)]) };
    };
    expect(await ask(padded(64 * 1024))).toBe('token');
    expect(await ask(padded(64 * 1024 + 1))).not.toBe('token');
    expect(await ask(() => ({ body: Buffer.from('<html>') }))).toMatch(/^UnusableAnswer TIMESTAMP_GARBLED: .* answered with something else than a timestamp/);
  }); // biome-ignore format: a table
});
