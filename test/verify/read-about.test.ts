import { describe, expect, it } from 'vitest';
import { CheckList } from '../../src/base/check.ts';
import { FormatError, InterruptedError, NetworkError, ToolError, UsageError } from '../../src/base/errors.ts';
import { readAbout } from '../../src/verify/read-about.ts';

/** What a reading that ends so leaves behind. */
async function outcome(read: () => Promise<unknown>) {
  const list = new CheckList('a');
  const value = await readAbout(list, 'part', read);
  return { value, checks: list.checks };
}
const throwing = (error: unknown) => outcome(() => Promise.reject(error));

describe('readAbout', () => {
  it('returns what was read, even nothing, and records nothing', async () => {
    for (const value of [7, '', null]) expect(await outcome(async () => value)).toEqual({ value, checks: [] });
  });

  it.each([
    ['of a format', new FormatError('FORMAT_INVALID', 'Header', 4, 'expected 28, found 27')],
    ['of a tool', new ToolError('TOOL_FAILED', 'a', 'it failed')],
    ['of the network', new NetworkError('NETWORK', 'no answer')],
    ['of an argument', new UsageError('USAGE', 'no such file')],
  ])('records an error %s', async (_, error) => {
    const failed = { id: 'part', status: 'fail', reason: error.message, subject: 'a' };
    expect(await throwing(error)).toEqual({ value: undefined, checks: [failed] });
  });

  it.each([new InterruptedError(), new TypeError('a fault of ours'), new Error('another'), 'a text'])(
    'lets %s through',
    async (error) => {
      await expect(throwing(error)).rejects.toBe(error);
    },
  );
});
