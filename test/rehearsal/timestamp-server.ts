import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../src/base/clock.ts';
import type { TimestampAuthority, TimestampFault } from '../../src/rehearsal/timestamp-authority.ts';

/** Something that goes wrong on the way, or in the token. */
export type ServerFault =
  | TimestampFault
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'http'; readonly status: number; readonly retryAfter?: string }
  | { readonly kind: 'garbage' | 'cut' | 'hang-up' };

/** A running stand-in for `http://timestamp.apple.com/ts01`. */
export interface TimestampServer {
  readonly url: string;
  /** Requests answered or dropped so far. */
  readonly requests: number;
  close(): Promise<void>;
}

/**
 * Returns a timestamp authority that answers HTTP on 127.0.0.1.
 *
 * @param faults what goes wrong with the first, second, ... request; undefined and all further ones are answered well
 * @example const server = await startTimestampServer(tsa, [{ kind: 'http', status: 503 }]);
 */
export async function startTimestampServer(
  tsa: TimestampAuthority,
  faults: readonly (ServerFault | undefined)[] = [],
): Promise<TimestampServer> {
  let requests = 0;
  const server = createServer((request, response) => {
    const fault = faults[requests++];
    answer(tsa, fault, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ts01`,
    get requests() {
      return requests;
    },
    close: () => closeServer(server),
  };
}

async function answer(
  tsa: TimestampAuthority,
  fault: ServerFault | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  if (fault?.kind === 'hang-up') return void response.destroy();
  if (fault?.kind === 'http') {
    response.writeHead(fault.status, fault.retryAfter ? { 'Retry-After': fault.retryAfter } : {});
    return void response.end('REHEARSAL fault');
  }
  if (fault?.kind === 'slow') await systemClock.sleep(fault.ms);
  const body =
    fault?.kind === 'garbage'
      ? Buffer.from('<html>REHEARSAL fault</html>')
      : tsa.issueToken(Buffer.concat(parts), inToken(fault));
  response.writeHead(200, { 'Content-Type': 'application/timestamp-reply', 'Content-Length': body.length });
  if (fault?.kind !== 'cut') return void response.end(body);
  response.write(body.subarray(0, body.length >> 1), () => response.destroy());
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

function inToken(fault: ServerFault | undefined): TimestampFault | undefined {
  switch (fault?.kind) {
    case 'slow':
    case 'http':
    case 'garbage':
    case 'cut':
    case 'hang-up':
      return undefined;
    default:
      return fault;
  }
}
