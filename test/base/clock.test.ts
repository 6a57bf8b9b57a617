import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { InterruptedError } from '../../src/base/errors.ts';
import { standingClock } from '../support/standing-clock.ts';

describe('systemClock', () => {
  afterEach(() => vi.useRealTimers());

  it('sleeps as long as it is told, and no longer', async () => {
    vi.useFakeTimers();
    let awake = false;
    const sleeping = systemClock.sleep(20).then(() => {
      awake = true;
    });
    await vi.advanceTimersByTimeAsync(19);
    expect(awake).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(awake).toBe(true);
    await sleeping;
  });

  it('wakes with InterruptedError when the signal is aborted, before or meanwhile', async () => {
    await expect(systemClock.sleep(60_000, AbortSignal.abort())).rejects.toThrow(InterruptedError);
    const controller = new AbortController();
    const sleeping = systemClock.sleep(60_000, controller.signal);
    controller.abort();
    await expect(sleeping).rejects.toThrow(InterruptedError);
  });
});

describe('systemClock, afterwards', () => {
  afterEach(() => vi.useRealTimers());

  it('leaves neither a timer nor a listener', async () => {
    vi.useFakeTimers({ now: 1_700_000_000_000 });
    expect(systemClock.now().getTime()).toBe(1_700_000_000_000);
    const controller = new AbortController();
    const [added, removed] = [
      vi.spyOn(controller.signal, 'addEventListener'),
      vi.spyOn(controller.signal, 'removeEventListener'),
    ];
    const sleeping = systemClock.sleep(20, controller.signal);
    await vi.advanceTimersByTimeAsync(20);
    await sleeping;
    expect(removed.mock.calls[0]?.slice(0, 2)).toEqual(added.mock.calls[0]?.slice(0, 2));
    const ended = systemClock.sleep(20, controller.signal);
    expect(vi.getTimerCount()).toBe(1);
    controller.abort();
    await expect(ended).rejects.toThrow(InterruptedError);
    expect(vi.getTimerCount()).toBe(0);
    await expect(systemClock.sleep(20, controller.signal)).rejects.toThrow(InterruptedError);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('standingClock', () => {
  it('moves on by what was slept, at once', async () => {
    const clock = standingClock(new Date('2026-01-01T00:00:00Z'));
    await clock.sleep(90_000);
    expect(clock.now().toISOString()).toBe('2026-01-01T00:01:30.000Z');
    expect(clock.slept).toEqual([90_000]);
  });
});
