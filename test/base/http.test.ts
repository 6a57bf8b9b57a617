import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { InterruptedError, NetworkError } from '../../src/base/errors.ts';
import { type HttpRequest, request } from '../../src/base/http.ts';
import { Secret } from '../../src/base/secret.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const call = (url: string, more: Partial<HttpRequest> = {}) =>
  request({ purpose: 'ask', url, timeoutMs: 60_000, ...more });

/** Returns the error of a call that must fail. */
async function failureOf(promise: Promise<unknown>): Promise<NetworkError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(NetworkError);
  return error as NetworkError;
}

describe('request', () => {
  it('sends method, body and revealed headers, and returns the whole answer whatever its status', async () => {
    const url = await serve(async (incoming, response) => {
      const parts: Buffer[] = [];
      for await (const part of incoming) parts.push(part as Buffer);
      response.writeHead(503, { 'X-Seen': `${incoming.method} ${incoming.headers.authorization}` });
      response.end(Buffer.concat(parts));
    });
    const headers = { Authorization: new Secret('Bearer token') };
    const answer = await call(url, { method: 'POST', body: Buffer.from([0, 255]), headers });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('x-seen')).toBe('POST Bearer token');
    expect(answer.body).toEqual(Buffer.from([0, 255]));
  });

  it('gives up at the deadline, also in the middle of the body', async () => {
    const silent = await serve(() => undefined);
    expect((await failureOf(call(silent, { timeoutMs: 50 }))).code).toBe('NETWORK_TIMEOUT');
    const stuck = await serve((_, response) => void response.writeHead(200).write('begin'));
    const error = await failureOf(call(stuck, { timeoutMs: 50 }));
    expect(error.message).toBe(`could not ask: no whole answer from ${new URL(stuck).host} within 0.05 s`);
  });

  it('stops with InterruptedError when its caller does', async () => {
    const silent = await serve(() => undefined);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    await expect(call(silent, { signal: controller.signal })).rejects.toThrow(InterruptedError);
    await expect(call(silent, { signal: AbortSignal.abort() })).rejects.toThrow(InterruptedError);
  });

  it('refuses an answer that is longer than allowed, and takes one that is exactly as long', async () => {
    const url = await serve((_, response) => void response.end(Buffer.alloc(1000)));
    expect((await call(url, { maximumBytes: 1000 })).body).toHaveLength(1000);
    expect((await failureOf(call(url, { maximumBytes: 999 }))).code).toBe('NETWORK_TOO_LARGE');
  });

  it('names refused and broken connections', async () => {
    const url = await serve((_, response) => void response.destroy());
    expect((await failureOf(call(url))).message).toMatch(/the connection failed \((UND_ERR_SOCKET|ECONNRESET)\)/);
    const cut = await serve((_, response) => {
      response.writeHead(200, { 'Content-Length': 100 });
      response.write('half', () => response.destroy());
    });
    expect((await failureOf(call(cut))).code).toBe('NETWORK_UNREACHABLE');
    await new Promise((resolve) => servers.shift()?.close(resolve));
    expect((await failureOf(call(url))).message).toContain('connection refused (ECONNREFUSED)');
  });

  it('follows a redirect only when told to', async () => {
    const url = await serve((incoming, response) => {
      if (incoming.url === '/there') return void response.end('there');
      response.writeHead(302, { Location: '/there' }).end();
    });
    expect((await call(url)).status).toBe(302);
    expect((await call(url, { followRedirects: true })).body.toString()).toBe('there');
  });

  it('shows neither path, query, headers nor body in an error', async () => {
    const url = await serve((_, response) => void response.destroy());
    const headers = { Authorization: new Secret('hidden-header') };
    const error = await failureOf(
      call(`${url}/hidden-path?X-Amz-Signature=hidden-query`, { method: 'POST', headers, body: 'hidden-body' }),
    );
    expect(`${inspect(error, { depth: 10 })} ${error.hint}`).not.toContain('hidden');
    const invalid = { Authorization: new Secret('hidden\nheader') };
    expect(inspect(await failureOf(call(url, { headers: invalid })), { depth: 10 })).not.toContain('hidden');
  });
});
