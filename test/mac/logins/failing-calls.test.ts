import { describe, expect, it } from 'vitest';
import { expectFailing, FAILING_CALLS } from '../login-host/failing-calls.ts';
import { canRun, host, type Run, type Slice } from '../login-host/host.ts';
import { able, NO_HURRY_MS, useHosts } from './held.ts';

const held = useHosts(able.slice(0, 1));

describe.skipIf(able.length === 0)(`a login in odd surroundings${able.length ? '' : canRun('x86_64').note}`, () => {
  const slice = able[0] as Slice;

  it.each(FAILING_CALLS.map((row) => [row.why, row.symbols.join(' '), row] as const))(
    '%s: %s',
    (_why, _symbols, row) => expectFailing(held.out, slice, held.plugins[slice] as string, row),
    NO_HURRY_MS,
  );

  it('goes the same way each time, byte for byte', async () => {
    const ids = ['rotates', 'not-awaited-then-rotated', 'backs-off', 'flood-both', 'filevault-hangs'];
    const [first, second] = await Promise.all(
      [1, 2].map(() => host<Run>(held.out, slice, held.plugins[slice] as string, ['run', ...ids])),
    );
    expect(first).toHaveLength(ids.length);
    expect(second).toEqual(first);
  });
});
