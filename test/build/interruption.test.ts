import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { listenForInterruption } from '../../build/interruption.ts';
import { InterruptedError } from '../../src/base/errors.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A run that listens, and what it was told so far. */
function listening() {
  const source = new EventEmitter();
  const left: number[] = [];
  const { signal, expired } = listenForInterruption(source, (exitCode) => left.push(exitCode));
  let reason: unknown;
  expired.catch((error: unknown) => {
    reason = error;
  });
  const told = async () => {
    await vi.advanceTimersByTimeAsync(0);
    return { aborted: signal.aborted, expired: reason instanceof InterruptedError, left };
  };
  return { source, told };
}

describe('a run that is interrupted', () => {
  it('hears nothing while there is no signal', async () => {
    const { told } = listening();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await told()).toEqual({ aborted: false, expired: false, left: [] });
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('is aborted by %s, and over two seconds later', async (name) => {
    const { source, told } = listening();
    source.emit(name);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(await told()).toEqual({ aborted: true, expired: false, left: [] });
    await vi.advanceTimersByTimeAsync(1);
    expect(await told()).toEqual({ aborted: true, expired: true, left: [] });
  });

  it('is over at the second signal, of whatever name, and gone at the third', async () => {
    const { source, told } = listening();
    source.emit('SIGINT');
    source.emit('SIGHUP');
    expect(await told()).toEqual({ aborted: true, expired: true, left: [] });
    source.emit('SIGTERM');
    expect(await told()).toEqual({ aborted: true, expired: true, left: [130] });
  });

  it('leaves no rejection that nobody handles', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const source = new EventEmitter();
    listenForInterruption(source, () => undefined);
    source.emit('SIGINT');
    source.emit('SIGINT');
    vi.useRealTimers();
    await new Promise((done) => setImmediate(done));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});
