import { randomBytes } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NetworkError, type PipelineError, RefusedError } from '../../../src/base/errors.ts';
import { type TimestampClientOptions, timestampClient } from '../../../src/pki/timestamp/timestamp.ts';
import { verifyTimestampToken } from '../../../src/pki/timestamp/timestamp-token.ts';
import { appleTrust } from '../../../src/pki/x509/apple-roots.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { rehearsalTimestampAuthority } from '../../../src/rehearsal/timestamp-authority.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { type ServerFault, startTimestampServer, type TimestampServer } from '../../rehearsal/timestamp-server.ts';
import { standingClock } from '../../support/standing-clock.ts';
import { keptAuthority } from '../../support/test-authority.ts';

const SIGNATURE = randomBytes(256);
const START = new Date();
let authority: RehearsalAuthority;
let stranger: RehearsalAuthority;
const servers: TimestampServer[] = [];

beforeAll(async () => {
  [authority, stranger] = await Promise.all([sharedAuthority(), keptAuthority('stranger')]);
});
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

/** Asks for a token while the given faults happen to the first requests. */
async function ask(faults: (ServerFault | undefined)[], options: Partial<TimestampClientOptions> = {}) {
  const clock = standingClock(START);
  const server = await startTimestampServer(rehearsalTimestampAuthority(authority, clock), faults);
  servers.push(server);
  const retried: unknown[] = [];
  const client = timestampClient({
    url: server.url,
    trust: authority.trust,
    // On a busy machine an answer of this very process may take seconds; the one test of a late answer has its own limit.
    timeoutMs: 60_000,
    clock,
    random: () => 0,
    onRetry: ({ error }) => void retried.push((error as PipelineError).code),
    ...options,
  });
  const outcome = await client.token(SIGNATURE).catch((error: PipelineError) => error);
  return { outcome, requests: server.requests, slept: clock.slept, retried };
}

describe('timestampClient', () => {
  it('returns a token over the signature', async () => {
    const { outcome, requests } = await ask([]);
    const report = verifyTimestampToken(outcome as Buffer, SIGNATURE, authority.trust);
    expect(report.findings).toEqual([]);
    expect(report.genTime.getTime()).toBe(Math.floor(START.getTime() / 1000) * 1000);
    expect(requests).toBe(1);
  });

  it('tries again after each fault that may pass, waiting 1, 2, 4 and 8 s', async () => {
    const faults: ServerFault[] = [
      { kind: 'http', status: 503 },
      { kind: 'hang-up' },
      { kind: 'garbage' },
      { kind: 'cut' },
    ];
    const { outcome, retried, slept } = await ask(faults);
    expect(outcome).toBeInstanceOf(Buffer);
    expect(retried).toEqual([
      'TIMESTAMP_UNAVAILABLE',
      'NETWORK_UNREACHABLE',
      'TIMESTAMP_GARBLED',
      'NETWORK_UNREACHABLE',
    ]);
    expect(slept).toEqual([1000, 2000, 4000, 8000]);
  });

  it('heeds Retry-After', async () => {
    expect((await ask([{ kind: 'http', status: 429, retryAfter: '17' }])).slept).toEqual([17_000]);
  });

  it('gives up after five tries with what happened last', async () => {
    const { outcome, requests } = await ask(Array(9).fill({ kind: 'http', status: 500 }));
    expect(outcome).toBeInstanceOf(NetworkError);
    expect((outcome as PipelineError).message).toMatch(/^the timestamp authority 127\.0\.0\.1:\d+ answered HTTP 500$/);
    expect(requests).toBe(5);
  });

  it('gives a slow authority up to its deadline', async () => {
    const { outcome } = await ask([{ kind: 'slow', ms: 1000 }], { timeoutMs: 50, delaysMs: [] });
    expect((outcome as PipelineError).code).toBe('NETWORK_TIMEOUT');
  });

  it.each<[string, ServerFault]>([
    ['TIMESTAMP_NONCE', { kind: 'wrong-nonce' }],
    ['TIMESTAMP_IMPRINT', { kind: 'wrong-imprint' }],
    ['CMS_SIGNATURE', { kind: 'wrong-signature' }],
    ['TIMESTAMP_SIGNING_CERTIFICATE', { kind: 'wrong-certificate' }],
    ['TIMESTAMP_GARBLED', { kind: 'garbage' }],
    ['TIMESTAMP_CLOCK', { kind: 'time', time: new Date(START.getTime() - 11 * 60_000) }],
    ['TIMESTAMP_CLOCK', { kind: 'time', time: new Date(START.getTime() + 11 * 60_000) }],
  ])('never hands out a token with %s', async (code, fault) => {
    const { outcome } = await ask([fault, fault], { delaysMs: [1] });
    expect(outcome).toBeInstanceOf(RefusedError);
    expect((outcome as PipelineError).code).toBe(code);
    expect((outcome as PipelineError).hint).toBeTruthy();
    expect((await ask([fault])).outcome).toBeInstanceOf(Buffer);
  });

  it('takes a refusal at its word, unless the authority only lacks the time', async () => {
    const refused = await ask([{ kind: 'rejected', failureBit: 0, text: 'bad\u001b[2J algorithm' }]);
    expect((refused.outcome as PipelineError).message).toMatch(/gave no timestamp: bad\?\[2J algorithm$/);
    expect([refused.outcome instanceof RefusedError, refused.requests]).toEqual([true, 1]);
    expect((await ask([{ kind: 'http', status: 404 }])).requests).toBe(1);
    expect((await ask([{ kind: 'rejected', failureBit: 14 }])).requests).toBe(2);
  });

  it('refuses tokens of a stranger, and of another trust', async () => {
    const signer = { signer: stranger.members.timestamp, chain: stranger.chainOf('timestamp') };
    const { outcome } = await ask([{ kind: 'signer', ...signer }], { delaysMs: [] });
    expect((outcome as PipelineError).code).toBe('CHAIN_UNTRUSTED_ROOT');
    const apple = (await ask([], { trust: appleTrust(), delaysMs: [] })).outcome as PipelineError;
    expect(apple.hint).toContain('http://timestamp.apple.com/ts01');
  });

  it('refuses tokens of a certificate that is not for timestamps', async () => {
    const signer = { signer: authority.members.installer, chain: authority.chainOf('installer') };
    const { outcome } = await ask([{ kind: 'signer', ...signer }], { delaysMs: [] });
    expect((outcome as PipelineError).code).toBe('LEAF_KEY_PURPOSE');
  });

  it('stops when it is interrupted', async () => {
    const client = timestampClient({ url: 'http://127.0.0.1:9/', trust: authority.trust });
    await expect(client.token(SIGNATURE, AbortSignal.abort())).rejects.toThrow('interrupted');
  });
});
