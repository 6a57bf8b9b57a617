import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PipelineError } from '../../../src/base/errors.ts';
import { lookUpTicket, type TicketLookupOptions, ticketRecordName } from '../../../src/notary/ticket/ticket-lookup.ts';
import { standingClock } from '../../support/standing-clock.ts';

interface Answer {
  readonly status?: number;
  readonly retryAfter?: string;
  readonly body?: unknown;
}
const SUBJECT = { hashType: 1, digest: Buffer.alloc(20, 0xab) };
const NAME = `2/1/${'ab'.repeat(20)}`;
const OTHER = `2/2/${'cd'.repeat(20)}`;
const START = new Date('2026-01-02T03:04:05.000Z');
const ticket = (recordName: string, text: string) => ({
  recordName,
  fields: { signedTicket: { value: Buffer.from(text).toString('base64') } },
});
const missing = (recordName: string, serverErrorCode = 'NOT_FOUND', reason?: string) => ({
  recordName,
  serverErrorCode,
  reason,
});

let server: Server;
let url: string;
let answers: Answer[] = [];
let asked: unknown[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => {
      text += part;
    });
    request.on('end', () => {
      asked.push(JSON.parse(text));
      const { status = 200, retryAfter, body = '' } = (answers.length > 1 ? answers.shift() : answers[0]) as Answer;
      response.writeHead(status, retryAfter ? { 'Retry-After': retryAfter } : {});
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/lookup`;
});
afterAll(() => new Promise((done) => void server.close(done)));

async function look(given: Answer[], change: Partial<TicketLookupOptions> = {}, subjects = [SUBJECT]) {
  [answers, asked] = [given, []];
  const clock = standingClock(START);
  const said: string[] = [];
  const outcome = await lookUpTicket(subjects, {
    url,
    problem: (data) => (data.toString() === 'wrong' ? 'it is wrong' : undefined),
    clock,
    tell: (words) => void said.push(words.replace(/^no ticket yet: /, '').replace(/127\.0\.0\.1:\d+/, 'host')),
    goOn: 'go on',
    timeoutMs: 60_000,
    ...change,
  }).then(String, ({ code, message, hint }: PipelineError) => `${code}: ${message} [${hint}]`);
  return { outcome: outcome.replace(/127\.0\.0\.1:\d+/, 'host'), slept: clock.slept, said };
}

describe('the name of a ticket', () => {
  it('is made of the kind of digest and its first 20 bytes', () => {
    expect([ticketRecordName(SUBJECT), ticketRecordName({ hashType: 2, digest: Buffer.alloc(32, 0xcd) })]).toEqual([NAME, OTHER]);
  }); // biome-ignore format: a table
});

describe('lookUpTicket', () => {
  it('asks for all names at once and takes the first ticket that is there', async () => {
    const subjects = [SUBJECT, { hashType: 2, digest: Buffer.alloc(20, 0xcd) }];
    const { outcome, slept } = await look([{ body: { records: [missing(NAME), ticket(OTHER, 'mine')] } }], {}, subjects);
    expect([outcome, slept, asked]).toEqual(['mine', [], [{ records: [{ recordName: NAME }, { recordName: OTHER }] }]]);
    const both = [{ body: { records: [ticket(NAME, 'first'), ticket(OTHER, 'second')] } }];
    expect((await look(both, {}, subjects)).outcome).toBe('first');
  }); // biome-ignore format: a table

  it.each<[string, unknown, string]>([
    ['a record that is missing', { records: [missing(NAME)] }, 'Record not found'],
    ['a record with another error', { records: [missing(NAME, 'THROTTLED', 'too often')] }, 'too often'],
    ['an error without words', { records: [missing(NAME, 'THROTTLED')] }, 'no record came'],
    ['no record', { records: [] }, 'no record came'],
    ['the ticket of another', { records: [ticket(OTHER, 'other')] }, 'no record came'],
    ['a page', '<html>', 'host answered with something else than records'],
    ['another document', { other: [] }, 'host answered with something else than records'],
    ['a wrong ticket', { records: [ticket(NAME, 'wrong')] }, 'the ticket is not right: it is wrong'],
  ])('asks again after %s', async (_, body, words) => {
    expect(await look([{ body }, { body: { records: [ticket(NAME, 'mine')] } }])).toEqual({
      outcome: 'mine',
      slept: [5000],
      said: [words],
    });
  });

  it.each<[Answer, number]>([
    [{ status: 503 }, 5000],
    [{ status: 404 }, 5000],
    [{ status: 429, retryAfter: '4' }, 5000],
    [{ status: 429, retryAfter: '6' }, 6000],
    [{ status: 429, retryAfter: '60' }, 60_000],
    [{ status: 429, retryAfter: '61' }, 60_000],
  ])('after %j pauses for %i ms', async (answer, pause) => {
    const { outcome, slept, said } = await look([answer, { body: { records: [ticket(NAME, 'mine')] } }]);
    expect([outcome, slept, said]).toEqual(['mine', [pause], [`host answered HTTP ${answer.status}`]]);
  });

  it('pauses no longer than it is told where the service names no time', async () => {
    const answers = [
      { status: 503 },
      { body: { records: [missing(NAME)] } },
      { body: { records: [ticket(NAME, 'mine')] } },
    ];
    expect(await look(answers, { pauseMs: 0 })).toMatchObject({ outcome: 'mine', slept: [0, 0] });
  });

  it('waits five minutes, or as long as it is told, and not a millisecond longer', async () => {
    const gone = [{ body: { records: [missing(NAME)] } }];
    const usual = await look(gone);
    expect([usual.slept.length, usual.slept.reduce((sum, one) => sum + one, 0)]).toEqual([60, 300_000]);
    expect(usual.outcome).toBe(`TICKET_LATE: no ticket for ${NAME} within 300 s: Record not found [go on]`);
    expect((await look(gone, { maxWaitMs: 12_000 })).slept).toEqual([5000, 5000, 2000]);
    expect((await look(gone, { maxWaitMs: 0 })).slept).toEqual([]);
    expect((await look(gone, { maxWaitMs: 20, pauseMs: 15 })).slept).toEqual([15, 5]);
    expect((await look([{ status: 503, retryAfter: '50' }], { maxWaitMs: 20_000 })).slept).toEqual([20_000]);
  });

  it('says at the end that a ticket stayed wrong, and which names were asked for', async () => {
    const wrong = [{ body: { records: [ticket(NAME, 'wrong')] } }];
    expect((await look(wrong, { maxWaitMs: 1499 })).outcome).toBe(
      `TICKET_WRONG: no ticket for ${NAME} within 1 s: the ticket is not right: it is wrong [A proxy may change answers; try from another network.]`,
    );
    const subjects = [SUBJECT, { hashType: 2, digest: Buffer.alloc(20, 0xcd) }];
    expect((await look([{ status: 503 }], { maxWaitMs: 0 }, subjects)).outcome).toContain(`no ticket for ${NAME} or ${OTHER} within 0 s`);
  }); // biome-ignore format: a table

  it('waits out a network that fails, and nothing that it does not know', async () => {
    const unreachable = await look([{}], { url: 'http://127.0.0.1:1/', maxWaitMs: 5000 });
    expect([unreachable.slept, unreachable.outcome.slice(0, 12)]).toEqual([[5000], 'TICKET_LATE:']);
    const fails = () => {
      throw new TypeError('ours');
    };
    await expect(look([{ body: { records: [ticket(NAME, 'x')] } }], { problem: fails })).resolves.toMatchObject({ outcome: 'undefined: ours [undefined]' });
    expect((await look([{}], { signal: AbortSignal.abort() })).outcome).toContain('INTERRUPTED');
  }); // biome-ignore format: a table
});
