import { connect, Server } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Fault, FaultScript } from '../../src/rehearsal/fault.ts';
import { type Handler, json, type LocalServer, startLocalServer } from '../../src/rehearsal/local-server.ts';
import { standingClock } from '../support/standing-clock.ts';

const clock = standingClock(new Date('2026-01-01T00:00:00Z'));
let server: LocalServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** Starts a server whose one call says what it was asked, and how often it was. */
async function started(...faults: Fault[]) {
  const seen: string[] = [];
  const handler: Handler = {
    endpoint: 'submit',
    matches: (method, path) => method === 'POST' && path === '/a%20b',
    answer: async ({ method, path, query, body }, fault) => {
      seen.push(`${method} ${path} ${query} ${body} ${fault?.kind ?? 'well'}`);
      return json(201, { done: seen.length }, { 'X-More': 'x' });
    },
  };
  server = await startLocalServer(() => [handler], new FaultScript(faults), clock);
  const { origin, calls } = server;
  const ask = async (path = '/a%20b?c=d', method = 'POST') => {
    const answer = await fetch(origin + path, { method, ...(method === 'POST' && { body: 'body' }) });
    return { answer, text: await answer.text() };
  };
  return { ask, seen, calls, origin };
}

describe('a server of the rehearsal', () => {
  it('hands a call on as it came, and answers with the time of its clock', async () => {
    const { ask, seen, calls } = await started();
    const { answer, text } = await ask();
    expect([answer.status, text, seen]).toEqual([201, '{"done":1}', ['POST /a%20b c=d body well']]);
    const headers = ['date', 'content-type', 'content-length', 'x-more'].map((name) => answer.headers.get(name));
    expect(headers).toEqual(['Thu, 01 Jan 2026 00:00:00 GMT', 'application/json', '10', 'x']);
    await ask();
    expect([...calls]).toEqual([['submit', 2]]);
  });

  it('is none where no port is free', async () => {
    const listen = vi.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server) {
      process.nextTick(() => this.emit('error', new Error('no port is free')));
      return this;
    });
    await expect(startLocalServer(() => [], new FaultScript([]), clock)).rejects.toThrow('no port is free');
    listen.mockRestore();
  });

  it('knows no other address, and counts none', async () => {
    const { ask, seen, calls } = await started();
    expect((await ask('/other')).answer.status).toBe(404);
    expect((await ask('/a%20b', 'GET')).text).toBe('REHEARSAL: no such address');
    expect([seen, calls.size]).toEqual([[], 0]);
  });

  it.each<[Fault, number, string, number]>([
    [{ at: 'submit', kind: 'http', status: 503, body: 'busy', headers: { 'Retry-After': '7' } }, 503, 'busy', 0],
    [{ at: 'submit', kind: 'http', status: 500 }, 500, '', 0],
    [{ at: 'submit', kind: 'garbage' }, 200, '<html>REHEARSAL fault</html>', 0],
    [{ at: 'submit', kind: 'slow', ms: 1 }, 201, '{"done":1}', 1],
    [{ at: 'submit', kind: 'duplicate' }, 201, '{"done":2}', 2],
    [{ at: 'submit', kind: 'wrong-bytes' }, 201, '{"done":1}', 1],
  ])('does %j once, then answers well', async (fault, status, text, done) => {
    const { ask, seen } = await started(fault);
    const { answer, text: said } = await ask();
    expect([answer.status, said, seen.length]).toEqual([status, text, done]);
    expect(answer.headers.get('retry-after')).toBe(status === 503 ? '7' : null);
    expect((await ask()).answer.status).toBe(201);
    if (fault.kind === 'wrong-bytes') expect(seen[0]).toMatch(/ wrong-bytes$/);
  });

  it.each([
    ['hang-up', 0],
    ['lost', 1],
    ['cut', 1],
  ] as const)('ends the connection for %s, when %i calls were done', async (kind, done) => {
    const { ask, seen } = await started({ at: 'submit', kind });
    await expect(ask()).rejects.toThrow();
    expect(seen).toHaveLength(done);
    expect((await ask()).answer.status).toBe(201);
  });

  it('cuts off the second half of a body, and promises a byte more than there is', async () => {
    const { origin } = await started({ at: 'submit', kind: 'cut' });
    const { hostname, port } = new URL(origin);
    const socket = connect(Number(port), hostname);
    socket.write('POST /a%20b HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    const parts: Buffer[] = [];
    socket.on('data', (part) => parts.push(part));
    await new Promise((ended) => socket.on('close', ended));
    const [head, body] = Buffer.concat(parts).toString().split('\r\n\r\n');
    // {"done":1} has ten bytes.
    expect([/^content-length: (\d+)$/im.exec(head!)?.[1], body]).toEqual(['11', '{"don']);
  });
});
