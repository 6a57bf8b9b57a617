import { afterEach, describe, expect, it } from 'vitest';
import { exitCodeOf } from '../../../build/exit-code.ts';
import { preflight } from '../../../build/notary/preflight.ts';
import { notaryApi } from '../../../src/notary/rest/api.ts';
import type { Fault } from '../../../src/rehearsal/fault.ts';
import { type RehearsalServices, startRehearsalServices } from '../../../src/rehearsal/services.ts';
import { authority } from '../../notary/rehearsed.ts';
import { standingClock } from '../../support/standing-clock.ts';

let services: RehearsalServices | undefined;
afterEach(() => services?.close());

async function check(faults: readonly Fault[], aheadMs = 0, ticketUrl?: string) {
  const now = Date.now();
  services = await startRehearsalServices({
    authority: await authority(),
    faults,
    clock: standingClock(new Date(now)),
  });
  const clock = standingClock(new Date(now + aheadMs));
  const notary = notaryApi({ url: services.notaryUrl, key: services.key, clock, timeoutMs: 60_000 });
  const places = { ticketUrl: ticketUrl ?? services.ticketUrl, timestampUrl: services.ticketUrl };
  return preflight({ notary, ...places, timeoutMs: 60_000 }).then(
    () => undefined,
    (error) => error,
  );
}

const AGREEMENT = '{"errors":[{"title":"A required agreement is missing or has expired."}]}';

describe('preflight', () => {
  it('passes when key, agreements, clock and services are right', async () => expect(await check([])).toBeUndefined());

  it.each([
    ['an agreement', [{ at: 'history', kind: 'http', status: 403, body: AGREEMENT }], 0, 'NOTARY_AGREEMENT', 4],
    ['the key', [{ at: 'history', kind: 'http', status: 401, times: 2 }], 0, 'NOTARY_UNAUTHENTICATED', 2],
    ['the service', [{ at: 'history', kind: 'http', status: 503, times: 9 }], 0, 'NOTARY_BUSY', 5],
  ] as const)('stops for %s', async (_name, faults, ahead, code, exit) => {
    const error = await check(faults, ahead);
    expect([error.code, exitCodeOf(error)]).toEqual([code, exit]);
  });

  it('lists a wrong clock beside the key that it makes unusable', async () => {
    const error = await check([], -3_600_000);
    expect([error.code, exitCodeOf(error)]).toEqual(['PREFLIGHT_FAILED', 2]);
    expect(error.message).toMatch(/(3599|3600) s behind the notary/);
    expect(error.message).toContain('HTTP status code: 401');
  });

  it('stops for a service that cannot be reached', async () => {
    const error = await check([], 0, 'http://127.0.0.1:1/');
    expect([error.code, exitCodeOf(error)]).toEqual(['NETWORK_UNREACHABLE', 5]);
  });
});
