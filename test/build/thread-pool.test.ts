import { createHook } from 'node:async_hooks';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { keepThreadPoolAwake } from '../../build/thread-pool.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('the thread pool, of which a thread may sleep on', () => {
  it('is given a file operation every second', () => {
    vi.useFakeTimers();
    let operations = 0;
    const counts = createHook({ init: (_, type) => void (type === 'FSREQCALLBACK' && operations++) }).enable();
    keepThreadPoolAwake();
    vi.advanceTimersByTime(999);
    const early = operations;
    vi.advanceTimersByTime(2_001);
    counts.disable();
    expect([early, operations]).toEqual([0, 3]);
  });

  it('keeps no process alive', () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const made = vi.spyOn(globalThis, 'setInterval');
    const before = timers();
    keepThreadPoolAwake();
    const after = timers();
    clearInterval(made.mock.results[0]?.value);
    expect([made.mock.calls.length, after]).toEqual([1, before]);
  });
});
