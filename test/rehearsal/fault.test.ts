import { describe, expect, it } from 'vitest';
import { FaultScript } from '../../src/rehearsal/fault.ts';

describe('what goes wrong', () => {
  it('goes wrong in its order, at its call, as often as it says, and then no more', () => {
    const script = new FaultScript([
      { at: 'status', kind: 'lost' },
      { at: 'log', kind: 'cut', times: 2 },
      { at: 'status', kind: 'hang-up' },
    ]);
    const kinds = (...calls: Parameters<FaultScript['next']>[0][]) => calls.map((call) => script.next(call)?.kind);
    expect(script.unused).toBe(3);
    expect(kinds('log', 'status', 'submit')).toEqual(['cut', 'lost', undefined]);
    expect(script.unused).toBe(2);
    expect(kinds('status', 'log', 'status', 'log')).toEqual(['hang-up', 'cut', undefined, undefined]);
    expect(script.unused).toBe(0);
  });

  it('may go wrong for ever, which nobody waits for', () => {
    const script = new FaultScript([{ at: 'ticket', kind: 'garbage', times: Number.POSITIVE_INFINITY }]);
    for (let call = 0; call < 5; call++) expect(script.next('ticket')?.kind).toBe('garbage');
    expect(script.unused).toBe(0);
  });

  it('is nothing by default', () => {
    expect([new FaultScript().next('submit'), new FaultScript().unused]).toEqual([undefined, 0]);
    expect(new FaultScript([{ at: 'submit', kind: 'lost', times: 0 }]).next('submit')).toBeUndefined();
  });
});
