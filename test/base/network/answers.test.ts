import { afterEach, describe, expect, it, vi } from 'vitest';
import { BlockedError, InterruptedError, NetworkError } from '../../../src/base/errors.ts';
import { type HttpRequest, quotedText, request } from '../../../src/base/http.ts';

afterEach(() => vi.unstubAllGlobals());

const call: HttpRequest = { purpose: 'ask', url: 'https://x.example:8443/secret', timeoutMs: 60_000 };

/** Returns what a call becomes whose connection fails so. */
async function failureOf(failure: unknown): Promise<NetworkError> {
  vi.stubGlobal('fetch', () => Promise.reject(failure));
  return request(call).then(
    () => expect.unreachable(),
    (error) => error,
  );
}

const coded = (code: unknown, cause?: unknown) => Object.assign(new Error('secret', { cause }), { code });
const nested = (depth: number, inner: unknown): unknown =>
  depth === 0 ? inner : new TypeError('secret', { cause: nested(depth - 1, inner) });

describe('request, when the connection fails', () => {
  it.each([
    ['ENOTFOUND', 'the name cannot be resolved (ENOTFOUND)', 'the name x.example:8443', false],
    ['EAI_AGAIN', 'the name cannot be resolved (EAI_AGAIN)', 'the name x.example:8443', false],
    ['ECONNREFUSED', 'connection refused (ECONNREFUSED)', 'x.example:8443 is the right address', false],
    ['ECONNRESET', 'the connection failed (ECONNRESET)', 'may reach x.example:8443', false],
    ['CERT_HAS_EXPIRED', 'its TLS certificate was not accepted (CERT_HAS_EXPIRED)', 'NODE_EXTRA_CA_CERTS', true],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its TLS certificate was not accepted', 'NODE_EXTRA_CA_CERTS', true],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'its TLS certificate was not accepted', 'NODE_EXTRA_CA_CERTS', true],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'its TLS certificate was not accepted', 'NODE_EXTRA_CA_CERTS', true],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'its TLS certificate was not accepted', 'NODE_EXTRA_CA_CERTS', true],
  ])('with %s says why, what to do, and whether waiting helps', async (code, reason, hint, isBlocked) => {
    const error = await failureOf(nested(1, coded(code)));
    expect(error.message).toContain(`could not ask: x.example:8443: ${reason}`);
    expect(error.hint).toContain(hint);
    expect([error.code, error instanceof BlockedError]).toEqual(['NETWORK_UNREACHABLE', isBlocked]);
    expect(String(error.cause)).toBe(`Error: TypeError (${code})`);
  });

  it('finds the code of the system up to five causes deep, and of the first address of several', async () => {
    const reason = async (failure: unknown) => /\((.*)\)$/.exec((await failureOf(failure)).message)?.[1];
    expect(await reason(coded('A'))).toBe('A');
    expect(await reason(nested(4, coded('A')))).toBe('A');
    expect(await reason(nested(5, coded('A')))).toBe('no reason given');
    expect(await reason(nested(1, new AggregateError([coded('A'), coded('B')])))).toBe('A');
    expect(await reason(coded(7, coded('A')))).toBe('A');
    expect(await reason(new AggregateError([]))).toBe('no reason given');
    expect(await reason('secret')).toBe('no reason given');
    expect(String((await failureOf('secret')).cause)).toBe('Error: string (no reason given)');
  });

  it('passes on errors of the network that it made itself', async () => {
    const own = new NetworkError('N', 'own');
    expect(await failureOf(own)).toBe(own);
  });
});

describe('request, as it is sent', () => {
  const sent = async (more: Partial<HttpRequest>, answer = new Response('ok')) => {
    const fetching = vi.fn(async (..._: Parameters<typeof fetch>) => answer);
    vi.stubGlobal('fetch', fetching);
    return { answer: await request({ ...call, ...more }), options: fetching.mock.calls[0]?.[1] };
  };

  it('is a GET without headers and body that follows nothing, unless told otherwise', async () => {
    expect((await sent({})).options).toMatchObject({ method: 'GET', headers: {}, body: null, redirect: 'manual' });
    const { options } = await sent({ method: 'PUT', body: '', followRedirects: true, headers: { a: 'b' } });
    expect(options).toMatchObject({ method: 'PUT', headers: { a: 'b' }, body: '', redirect: 'follow' });
  });

  it('takes 16 MiB and not a byte more', async () => {
    const most = 16 * 1024 * 1024;
    expect((await sent({}, new Response(Buffer.alloc(most)))).answer.body).toHaveLength(most);
    await expect(sent({}, new Response(Buffer.alloc(most + 1)))).rejects.toMatchObject({
      code: 'NETWORK_TOO_LARGE',
      message: 'could not ask: x.example:8443 sent more than 16777216 bytes',
    });
    expect((await sent({}, new Response(null, { status: 204 }))).answer).toMatchObject({
      status: 204,
      body: Buffer.alloc(0),
    });
  });

  it('is not sent when the caller has been interrupted', async () => {
    const fetching = vi.fn();
    vi.stubGlobal('fetch', fetching);
    await expect(request({ ...call, signal: AbortSignal.abort() })).rejects.toThrow(InterruptedError);
    expect(fetching).not.toHaveBeenCalled();
  });
});

describe('quotedText', () => {
  it('gives 500 characters, none that steers a terminal', () => {
    expect(quotedText('a'.repeat(500))).toBe('a'.repeat(500));
    expect(quotedText('a'.repeat(501))).toBe('a'.repeat(500));
    expect(quotedText('a\nb\u001b[1m\u202eä\u2066')).toBe('a?b?[1m?ä?');
  });
});
