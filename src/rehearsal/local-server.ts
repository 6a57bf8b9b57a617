import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, systemClock } from '../base/clock.ts';
import type { Endpoint, Fault, FaultScript } from './fault.ts';

/** A call as a handler sees it. */
export interface LocalRequest {
  readonly method: string;
  /** Path as it was sent, still encoded, without the query. */
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** What a handler answers. */
export interface LocalAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
}

/** Answers one kind of call. */
export interface Handler {
  readonly endpoint: Endpoint;
  /** Says whether a call is of this kind. */
  matches(method: string, path: string): boolean;
  answer(request: LocalRequest, fault: Fault | undefined): Promise<LocalAnswer>;
}

/** A running server. */
export interface LocalServer {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  /** Calls so far, by kind. */
  readonly calls: ReadonlyMap<Endpoint, number>;
  close(): Promise<void>;
}

/** A body larger than this is refused, in bytes. */
const BODY_LIMIT = 1024 * 1024 * 1024;
const NOT_FOUND: LocalAnswer = { status: 404, body: 'REHEARSAL: no such address' };

/**
 * Returns a server on 127.0.0.1, at a port that was free, which answers with the given handlers and does wrong what the script says.
 *
 * @param clock its time is the Date of every answer
 */
export async function startLocalServer(
  handlers: () => readonly Handler[],
  faults: FaultScript,
  clock: Clock,
): Promise<LocalServer> {
  const calls = new Map<Endpoint, number>();
  const server = createServer((request, response) => {
    serve(request, response, { handlers, faults, clock, calls }).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

interface Serving {
  readonly handlers: () => readonly Handler[];
  readonly faults: FaultScript;
  readonly clock: Clock;
  readonly calls: Map<Endpoint, number>;
}

async function serve(incoming: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  const request = await readRequest(incoming);
  const handler = serving.handlers().find((one) => one.matches(request.method, request.path));
  if (!handler) return send(response, NOT_FOUND, serving.clock);
  serving.calls.set(handler.endpoint, (serving.calls.get(handler.endpoint) ?? 0) + 1);
  const fault = serving.faults.next(handler.endpoint);
  if (fault?.kind === 'hang-up') return void response.destroy();
  if (fault?.kind === 'http') {
    return send(
      response,
      { status: fault.status, headers: fault.headers ?? {}, body: fault.body ?? '' },
      serving.clock,
    );
  }
  if (fault?.kind === 'garbage') {
    const headers = { 'Content-Type': 'text/html' };
    return send(response, { status: 200, headers, body: '<html>REHEARSAL fault</html>' }, serving.clock);
  }
  if (fault?.kind === 'slow') await systemClock.sleep(fault.ms);
  if (fault?.kind === 'duplicate') await handler.answer(request, undefined);
  const answer = await handler.answer(request, fault);
  if (fault?.kind === 'lost') return void response.destroy();
  if (fault?.kind === 'cut') return cut(response, answer);
  send(response, answer, serving.clock);
}

async function readRequest(incoming: IncomingMessage): Promise<LocalRequest> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of incoming) {
    size += (part as Buffer).length;
    if (size > BODY_LIMIT) throw new Error('the body is too large');
    parts.push(part as Buffer);
  }
  // Node leaves them undefined in answers alone.
  const { method, url, headers } = incoming as IncomingMessage & { method: string; url: string };
  const [path, query = ''] = url.split('?') as [string, string?];
  return { method, path, query, headers, body: Buffer.concat(parts) };
}

function send(response: ServerResponse, { status, headers, body }: LocalAnswer, clock: Clock): void {
  const size = Buffer.byteLength(body);
  response.writeHead(status, { Date: clock.now().toUTCString(), 'Content-Length': size, ...headers });
  response.end(body);
}

function cut(response: ServerResponse, { status, headers, body }: LocalAnswer): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { 'Content-Length': bytes.length + 1, ...headers });
  response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy());
}

/** Returns an answer in JSON. */
export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): LocalAnswer {
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(value) };
}
