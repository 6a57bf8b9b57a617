import { BlockedError, InterruptedError, NetworkError } from './errors.ts';
import { type HttpProxy, proxyFor } from './network/proxy.ts';
import { Secret } from './secret.ts';

/** One call to a service. */
export interface HttpRequest {
  /** What the call is for, as the end of "could not ...": `ask for a timestamp`. */
  readonly purpose: string;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
  readonly url: string | URL;
  /** Values that are secret stay wrapped up to the call itself. */
  readonly headers?: Readonly<Record<string, string | Secret>>;
  readonly body?: Uint8Array | string;
  /** From the call to the last byte of the answer, in milliseconds. */
  readonly timeoutMs: number;
  /** A longer answer is refused, in bytes. Default 16 MiB. */
  readonly maximumBytes?: number;
  /** Whether to go where the service points. Default no: what is sent is often signed or secret. */
  readonly followRedirects?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A whole answer, whatever its status: only the caller knows which ones are failures. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/**
 * Returns the answer of a service. The only place that goes out on the network.
 *
 * Errors name the host, never the path, headers or body: a pre-signed address is itself a secret. A proxy that the environment
 * names is used (`proxyFor`).
 *
 * @returns status, headers and body; throws NetworkError when there is no whole answer in time, InterruptedError when the
 *   caller's signal is aborted
 * @example
 * const answer = await request({ purpose: 'ask for a timestamp', method: 'POST', url, body, timeoutMs: 30_000 });
 */
export async function request(call: HttpRequest): Promise<HttpResponse> {
  const proxy = proxyFor(call.url);
  const host = `${new URL(call.url).host}${proxy ? ` through the proxy ${proxy.url.host}` : ''}`;
  const route = proxy && (await openProxy(proxy, new URL(call.url)));
  const deadline = AbortSignal.timeout(call.timeoutMs);
  if (call.signal?.aborted) throw new InterruptedError();
  try {
    const response = await (route?.fetch ?? fetch)(call.url, {
      method: call.method ?? 'GET',
      headers: revealed(call.headers ?? {}),
      body: call.body === undefined ? null : (call.body as NonNullable<RequestInit['body']>),
      redirect: call.followRedirects ? 'follow' : 'manual',
      signal: call.signal ? AbortSignal.any([deadline, call.signal]) : deadline,
    });
    const body = await readLimited(response, call, host);
    return { status: response.status, headers: response.headers, body };
  } catch (error) {
    if (call.signal?.aborted) throw new InterruptedError();
    if (error instanceof NetworkError) throw error;
    if (deadline.aborted) throw timedOut(call, host, error);
    throw unreachable(call, host, error, proxy);
  } finally {
    await route?.close();
  }
}

/** A way through a proxy, for one request. */
interface Route {
  readonly fetch: typeof fetch;
  close(): Promise<void>;
}

/** Node 20's own fetch knows no proxy; what does is large, and loaded only here. */
async function openProxy({ url, authorization }: HttpProxy, target: URL): Promise<Route> {
  const { fetch: fetchThrough, ProxyAgent } = await import('undici');
  const dispatcher = new ProxyAgent({
    uri: url.href,
    ...(authorization && { token: authorization.reveal() }),
    // Many proxies let nobody open a tunnel to port 80: plain HTTP is handed to them whole.
    proxyTunnel: target.protocol === 'https:',
  });
  return {
    fetch: ((address: string, options: object) =>
      fetchThrough(address, { ...options, dispatcher })) as unknown as typeof fetch,
    close: () => dispatcher.destroy(),
  };
}

function revealed(headers: Readonly<Record<string, string | Secret>>): Record<string, string> {
  const entries = Object.entries(headers);
  return Object.fromEntries(entries.map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value]));
}

async function readLimited(response: Response, call: HttpRequest, host: string): Promise<Buffer> {
  const limit = call.maximumBytes ?? 16 * 1024 * 1024;
  const parts: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop cancels the stream, so nothing more is fetched.
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > limit) {
      throw new NetworkError('NETWORK_TOO_LARGE', `could not ${call.purpose}: ${host} sent more than ${limit} bytes`, {
        hint: 'Check that the address in the configuration is that of the service; a proxy may have answered instead.',
      });
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function timedOut(call: HttpRequest, host: string, cause: unknown): NetworkError {
  const message = `could not ${call.purpose}: no whole answer from ${host} within ${call.timeoutMs / 1000} s`;
  return new NetworkError('NETWORK_TIMEOUT', message, {
    cause: sanitised(cause),
    hint: `Check that this machine may reach ${new URL(call.url).host} (proxy, firewall), then run again with \`--resume\`.`,
  });
}

function unreachable(call: HttpRequest, host: string, cause: unknown, proxy: HttpProxy | undefined): NetworkError {
  const code = systemCode(cause);
  const status = proxy && proxyStatus(cause);
  const [reason, hint] = status ? proxyExplanation(status, proxy, call) : explanation(code, new URL(call.url).host);
  // A proxy that says 408, 429 or 5xx may let the next try pass.
  const isBlocked = status ? /^4(?!08|29)/.test(status) : CERTIFICATE_REFUSED.test(code);
  return new (isBlocked ? BlockedError : NetworkError)(
    'NETWORK_UNREACHABLE',
    `could not ${call.purpose}: ${host}: ${reason}`,
    {
      cause: sanitised(cause),
      hint,
    },
  );
}

/** fetch hides the system's code one or two causes deep; several addresses tried make an AggregateError. */
function systemCode(error: unknown): string {
  for (let current: unknown = error, depth = 0; current instanceof Error && depth < 5; depth++) {
    const { code, errors } = current as { code?: unknown; errors?: unknown[] };
    if (typeof code === 'string') return code;
    current = errors?.[0] ?? current.cause;
  }
  return 'no reason given';
}

/** Returns what a proxy answered instead of passing the request on. Only the status is looked at: its words could quote anything. */
function proxyStatus(cause: unknown): string | undefined {
  return /^Proxy (?:response|Authentication Required) \((\d{3})\)/.exec(innermost(cause)?.message ?? '')?.[1];
}

function proxyExplanation(status: string, { variable }: HttpProxy, { url }: HttpRequest): [string, string] {
  const hint =
    status === '407'
      ? `Put user and password into ${variable}, as in http://user:password@host:port, or ask for a proxy that needs none.`
      : `Ask who runs the proxy to let ${new URL(url).host} pass, or name it in NO_PROXY where it can be reached directly.`;
  return [`the proxy answered HTTP ${status}`, hint];
}

function innermost(error: unknown): Error | undefined {
  let current = error;
  for (let depth = 0; current instanceof Error && current.cause instanceof Error && depth < 5; depth++) {
    current = current.cause;
  }
  return current instanceof Error ? current : undefined;
}

/** Codes of Node and OpenSSL for a certificate, or a conversation about it, that failed. */
const CERTIFICATE_REFUSED = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|TLS|SSL/;

function explanation(code: string, host: string): [reason: string, hint: string] {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return [`the name cannot be resolved (${code})`, `Check the network and the name ${host}, then run again.`];
  }
  if (CERTIFICATE_REFUSED.test(code)) {
    return [
      `its TLS certificate was not accepted (${code})`,
      `A proxy that opens TLS may sit in between; let ${host} pass it, or name its root in NODE_EXTRA_CA_CERTS.`,
    ];
  }
  if (code === 'ECONNREFUSED') return [`connection refused (${code})`, `Check that ${host} is the right address.`];
  return [`the connection failed (${code})`, `Check that this machine may reach ${host}, then run again.`];
}

/** Keeps the kind of the error; its text could hold a header's or an address's secret part. */
function sanitised(cause: unknown): Error {
  return new Error(`${cause instanceof Error ? cause.name : typeof cause} (${systemCode(cause)})`);
}

/** Characters that do something to a terminal, or change the direction of text, instead of being seen. */
const UNSEEN = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;

/** Returns the beginning of what a service says, fit for a message: it must neither steer a terminal nor fill a log. */
export function quotedText(text: string): string {
  return text.slice(0, 500).replace(UNSEEN, '?');
}
