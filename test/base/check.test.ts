import { describe, expect, it } from 'vitest';
import { CheckList } from '../../src/base/check.ts';
import {
  BlockedError,
  FormatError,
  InterruptedError,
  NetworkError,
  PipelineError,
  ToolError,
  UsageError,
} from '../../src/base/errors.ts';

function listOf(use: (list: CheckList) => void) {
  const list = new CheckList('x');
  use(list);
  return list.checks;
}

describe('CheckList', () => {
  it('keeps what passed, failed and was skipped, each of its subject', () => {
    const checks = listOf((list) => {
      list.pass('a');
      list.pass('b', 'but');
      list.fail('c', 'no');
      list.skip('d', 'not here');
      list.add([{ id: 'e', status: 'pass' }]);
    });
    expect(checks).toStrictEqual([
      { id: 'a', status: 'pass', subject: 'x' },
      { id: 'b', status: 'pass', subject: 'x', reason: 'but' },
      { id: 'c', status: 'fail', subject: 'x', reason: 'no' },
      { id: 'd', status: 'skipped', subject: 'x', reason: 'not here' },
      { id: 'e', status: 'pass' },
    ]);
  });

  it.each([
    [[], [], 'pass', undefined],
    [[false, undefined], [false, undefined], 'pass', undefined],
    [[false], [undefined, 'one', 'two'], 'pass', 'one; two'],
    [[], ['one'], 'pass', 'one'],
    [['one', false, 'two'], ['three'], 'fail', 'one; two'],
    [[''], [], 'fail', ''],
  ] as const)('of problems %j and remarks %j is a %s: %s', (problems, remarks, status, reason) => {
    const [check] = listOf((list) => list.check('a', problems, remarks));
    expect(check).toStrictEqual({ id: 'a', status, subject: 'x', ...(reason === undefined ? {} : { reason }) });
  });

  it('shows 20 problems, and counts the others', () => {
    const shown = (count: number) => listOf((list) => list.check('a', Array<string>(count).fill('p')))[0]?.reason;
    expect(shown(20)).toBe(Array(20).fill('p').join('; '));
    expect(shown(21)).toBe(`${Array(20).fill('p').join('; ')}; and 1 more`);
    expect(shown(100)).toContain('; and 80 more');
  });

  it('takes errors about the file for failures, and no others', () => {
    const list = new CheckList('x');
    expect(list.read('a', () => 7)).toBe(7);
    expect(list.checks).toEqual([]);
    const broken = () => {
      throw new FormatError('F', 'Bom', 3, 'bad');
    };
    expect(list.read('a', broken)).toBeUndefined();
    expect(list.checks).toEqual([{ id: 'a', status: 'fail', subject: 'x', reason: 'Bom, offset 3: bad' }]);
    const bug = () => {
      throw new TypeError('bug');
    };
    expect(() => list.read('b', bug)).toThrow('bug');
    expect(list.checks).toHaveLength(1);
  });
});

describe('PipelineError', () => {
  it('carries code, hint and cause, and has no cause when there is none', () => {
    const cause = new Error('c');
    const error = new UsageError('U', 'words', { hint: 'do', cause });
    expect(error).toMatchObject({ name: 'UsageError', code: 'U', message: 'words', hint: 'do' });
    expect(error.cause).toBe(cause);
    const bare = new UsageError('U', 'words');
    expect(bare.hint).toBeUndefined();
    expect('cause' in bare).toBe(false);
    expect('cause' in new UsageError('U', 'words', { cause: null })).toBe(true);
  });

  it('has kinds that say who has to act', () => {
    expect(new FormatError('F', 'Bom', 3, 'bad', { hint: 'h' })).toMatchObject({
      ...{ name: 'FormatError', code: 'F', format: 'Bom', offset: 3, hint: 'h', message: 'Bom, offset 3: bad' },
    });
    expect(new ToolError('T', 'xar', 'failed', { hint: 'h' })).toMatchObject({ tool: 'xar', code: 'T', hint: 'h' });
    expect(new InterruptedError()).toMatchObject({ code: 'INTERRUPTED', message: 'interrupted' });
    expect(new InterruptedError('by you').message).toBe('by you');
    expect(new BlockedError('B', 'b')).toBeInstanceOf(NetworkError);
    expect(new NetworkError('N', 'n')).not.toBeInstanceOf(BlockedError);
    expect(new NetworkError('N', 'n')).toBeInstanceOf(PipelineError);
  });
});
