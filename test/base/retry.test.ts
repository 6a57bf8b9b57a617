import { describe, expect, it } from 'vitest';
import { BlockedError, InterruptedError, NetworkError, RefusedError } from '../../src/base/errors.ts';
import { type RetryOptions, retry, retryAfterMs, ServiceBusyError } from '../../src/base/retry.ts';
import { standingClock } from '../support/standing-clock.ts';

const START = new Date('2026-01-01T00:00:00Z');

/** Runs work that fails with each of `failures`, then returns its try; gives result and pauses. */
async function attempt(failures: Error[], options: Partial<RetryOptions> = {}) {
  const clock = standingClock(START);
  const left = [...failures];
  const work = async (number: number) => {
    const failure = left.shift();
    if (failure) throw failure;
    return number;
  };
  const plan = { delaysMs: [1000, 2000, 4000, 8000], random: () => 0, clock, ...options };
  const result = await retry(work, plan).catch((error: unknown) => error);
  return { result, slept: clock.slept };
}

const lost = () => new NetworkError('NETWORK_UNREACHABLE', 'no connection');

describe('retry', () => {
  it('returns the first success, after pauses that double', async () => {
    expect(await attempt([lost(), lost(), lost()])).toEqual({ result: 4, slept: [1000, 2000, 4000] });
  });

  it('waits by the clock of the system where none is given', async () => {
    let tries = 0;
    const work = async () => {
      if (tries++ === 0) throw lost();
      return tries;
    };
    expect(await retry(work, { delaysMs: [1] })).toBe(2);
  });

  it('gives up with the last error when the pauses run out', async () => {
    const last = lost();
    expect(await attempt([lost(), lost(), lost(), lost(), last])).toEqual({
      result: last,
      slept: [1000, 2000, 4000, 8000],
    });
  });

  it('does not try again what is refused', async () => {
    const refusal = new RefusedError('NO', 'no');
    expect(await attempt([refusal])).toEqual({ result: refusal, slept: [] });
  });

  it('does not try again what stays blocked, though the caller takes every failure of the network', async () => {
    const blocked = new BlockedError('NETWORK_UNREACHABLE', 'its certificate was not accepted');
    const retryable = (error: unknown) => error instanceof NetworkError;
    for (const options of [{}, { retryable }])
      expect(await attempt([blocked], options)).toEqual({ result: blocked, slept: [] });
  });

  it('adds at most the given part of a pause by chance', async () => {
    expect((await attempt([lost(), lost()], { random: () => 0.999, jitter: 0.5 })).slept).toEqual([1500, 2999]);
  });

  it('waits as long as the service asks, up to the maximum', async () => {
    const busy = (ms: number) => new ServiceBusyError('BUSY', 'busy', ms);
    const { slept } = await attempt([busy(10), busy(30_000), busy(1e9)], { maximumDelayMs: 60_000 });
    expect(slept).toEqual([1000, 30_000, 60_000]);
  });

  it('stops when it is interrupted', async () => {
    const signal = AbortSignal.abort();
    expect((await attempt([new InterruptedError()], { signal })).result).toBeInstanceOf(InterruptedError);
    expect((await attempt([lost()], { signal })).slept).toEqual([]);
  });
});

describe('retry, by default', () => {
  it('adds a fifth by chance, waits two minutes at most, and tries again after errors of the network alone', async () => {
    expect((await attempt([lost()], { random: () => 1 })).slept).toEqual([1200]);
    expect((await attempt([lost()], { random: () => 0.5, delaysMs: [1001] })).slept).toEqual([1101]);
    expect((await attempt([lost()], { delaysMs: [200_000] })).slept).toEqual([120_000]);
    expect((await attempt([new Error('bug')])).slept).toEqual([]);
    expect((await attempt([new Error('mine')], { retryable: () => true })).slept).toEqual([1000]);
    expect((await attempt([lost()], { retryable: () => false })).slept).toEqual([]);
    expect((await attempt([lost()], { delaysMs: [] })).slept).toEqual([]);
    const { random, ...plain } = { random: undefined, clock: standingClock(START) };
    const failing = [lost()];
    const work = async () => {
      const failure = failing.pop();
      if (failure) throw failure;
    };
    await retry(work, { ...plain, delaysMs: [1000] });
    expect(plain.clock.slept[0]).toBeGreaterThanOrEqual(1000);
    expect(plain.clock.slept[0]).toBeLessThanOrEqual(1200);
    expect(random).toBeUndefined();
  });

  it('tells of each try that will be made again, and of no other', async () => {
    const heard: unknown[] = [];
    const failures = [lost(), lost(), lost()];
    const onRetry = (failure: unknown) => void heard.push(failure);
    await attempt([...failures], { delaysMs: [10, 20], onRetry });
    expect(heard).toEqual([
      { error: failures[0], attempt: 1, delayMs: 10 },
      { error: failures[1], attempt: 2, delayMs: 20 },
    ]);
  });

  it('takes a service that names no time for any other', async () => {
    const busy = new ServiceBusyError('BUSY', 'busy', undefined, { hint: 'wait' });
    expect(busy).toMatchObject({ code: 'BUSY', message: 'busy', retryAfterMs: undefined, hint: 'wait' });
    expect((await attempt([busy])).slept).toEqual([1000]);
  });
});

describe('retryAfterMs', () => {
  it.each([
    ['120', 120_000],
    [' 0 ', 0],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['-5', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['999999999', 999_999_999_000],
    ['1000000000', undefined],
    ['Thu, 01 Jan 2026 00:00:00 GMT', 0],
    ['Thu, 01 Jan 2026 00:00:30', undefined],
    ['x GMT', undefined],
    ['1x', undefined],
    [undefined, undefined],
    ['', undefined],
    [null, undefined],
  ])('reads %j as %j', (header, expected) => {
    expect(retryAfterMs(header, START)).toBe(expected);
  });
});
