import { describe, expect, it } from 'vitest';
import { NetworkError, UsageError } from '../../src/base/errors.ts';
import { ServiceBusyError } from '../../src/base/retry.ts';
import { fetchLog, waitForVerdict } from '../../src/notary/wait.ts';
import { standingClock } from '../support/standing-clock.ts';

const SUBMITTED = '2026-01-01T00:00:00.000Z';
const since = Date.parse(SUBMITTED);
const down = new NetworkError('NOTARY_NETWORK', 'no answer');
const busy = (retryAfterMs: number) => new ServiceBusyError('NOTARY_BUSY', 'busy', retryAfterMs);
const unknown = new UsageError('NOTARY_UNKNOWN_ID', 'unknown');

/** Waits at a notary that gives these answers, the last of them again and again; tells how long each pause was and what was said. */
async function wait(
  answers: readonly (string | Error)[],
  options: {
    readonly giveUpAt?: number;
    readonly maxWaitMs?: number;
    readonly from?: number;
    readonly pollMs?: (waitedMs: number) => number;
  } = {},
) {
  const { from = since, ...rest } = options;
  const clock = standingClock(new Date(from));
  const said: string[] = [];
  let asked = 0;
  const status = async (id: string) => {
    const answer = answers[Math.min(asked++, answers.length - 1)] as string | Error;
    if (answer instanceof Error) throw answer;
    return { id, status: answer, name: '', createdDate: SUBMITTED };
  };
  const outcome = await waitForVerdict(
    { id: '1', submittedAt: SUBMITTED },
    {
      notary: { status, log: async () => null },
      clock,
      pollMs: () => 4000,
      goOn: () => 'again',
      tell: (words) => said.push(words),
      warn: (words) => said.push(`warning: ${words}`),
      ...rest,
    },
  ).catch((error) => error);
  return { outcome: outcome.status ?? outcome.code, slept: clock.slept, said, message: outcome.message };
}

describe('a wait for the verdict', () => {
  it('doubles its pauses while the service is away, up to a minute, and begins anew when it answers', async () => {
    const away = [down, down, down, down, down, down];
    expect(await wait([...away, 'In Progress', down, 'Accepted'])).toEqual({
      outcome: 'Accepted',
      slept: [5000, 10_000, 20_000, 40_000, 60_000, 60_000, 4000, 5000],
      said: [
        'warning: no answer; asking again until it answers',
        'the notary answers again',
        'In Progress',
        'warning: no answer; asking again until it answers',
        'the notary answers again',
        'Accepted',
      ],
    });
  });

  it.each([
    [4999, 5000],
    [5001, 5001],
    [300_000, 300_000],
    [300_001, 300_000],
  ])('pauses for a Retry-After of %i ms as long as %i ms', async (asked, slept) => {
    expect((await wait([busy(asked), 'Accepted'])).slept).toEqual([slept]);
  });

  it('forgets a Retry-After once the service answered', async () => {
    expect((await wait([busy(90_000), 'In Progress', down, 'Accepted'])).slept).toEqual([90_000, 4000, 5000]);
  });

  it.each([
    [59_999, 'Accepted'],
    [60_000, 'NOTARY_UNKNOWN_ID'],
  ])('takes an id that is unknown %i ms after it was made: %s', async (age, outcome) => {
    expect((await wait([unknown, 'Accepted'], { from: since + age })).outcome).toBe(outcome);
  });

  it('gives up at the time it was given, to the millisecond, but not before the service has said anything', async () => {
    expect(await wait(['In Progress'], { giveUpAt: since + 6000 })).toMatchObject({
      outcome: 'In Progress',
      slept: [4000, 2000],
    });
    expect(await wait([down, 'In Progress'], { giveUpAt: since })).toMatchObject({
      outcome: 'In Progress',
      slept: [5000],
    });
  });

  it('ends when its time is over, also in the middle of a pause', async () => {
    expect(await wait(['In Progress'], { maxWaitMs: 10_000 })).toMatchObject({
      outcome: 'NOTARY_WAIT',
      slept: [4000, 4000, 2000],
    });
    expect(await wait([down], { maxWaitMs: 4000 })).toMatchObject({ outcome: 'NOTARY_WAIT', slept: [4000] });
  });

  it('asks how long to pause by how long it has waited', async () => {
    const waited: number[] = [];
    const pollMs = (ms: number) => waited.push(ms) * 1000;
    expect((await wait(['In Progress', 'In Progress', 'In Progress', 'Accepted'], { pollMs })).slept).toEqual([1000, 2000, 3000]);
    expect(waited).toEqual([0, 1000, 3000]);
  }); // biome-ignore format: short

  it.each([
    [90_000, '1.5'],
    [3_600_000, '60'],
    [10_000, '0.2'],
    [8999, '0.1'],
    [9000, '0.2'],
  ])('says of %i ms that they are %s min, and what the last answer was', async (maxWaitMs, minutes) => {
    const words = `submission 1 had no verdict within ${minutes} min`;
    expect((await wait(['In Progress'], { maxWaitMs })).message).toBe(words);
    expect((await wait([down], { maxWaitMs })).message).toBe(`${words}; the last answer was: ${down.message}`);
  });

  it('tells each status once, and warns of one that is new', async () => {
    expect((await wait(['In Progress', 'In Progress', 'Held', 'Held', 'Rejected'])).said).toEqual([
      'In Progress',
      'warning: the notary says "Held", which is new to us; waiting on',
      'Held',
      'Rejected',
    ]);
  });
});

describe('the log of a submission', () => {
  const LOG = { id: '1', status: 'Accepted' };

  /** Asks for a log that is there at the given question, or never. */
  async function fetchAt(question: number, problem?: Error) {
    const clock = standingClock(new Date(since));
    const warned: string[] = [];
    let asked = 0;
    const log = async () => {
      if (problem) throw problem;
      return ++asked === question ? LOG : null;
    };
    const notary = { log, status: () => Promise.reject(down) } as never;
    const found = await fetchLog('1', { notary, clock, goOn: String, tell: () => {}, warn: (one) => warned.push(one) });
    return { found, slept: clock.slept, warned };
  }

  it('is waited for when it comes a little later than the verdict', async () => {
    expect(await fetchAt(1)).toEqual({ found: LOG, slept: [], warned: [] });
    expect(await fetchAt(3)).toEqual({ found: LOG, slept: [1000, 2000], warned: [] });
  });

  it('is left out after two minutes, with a warning', async () => {
    expect(await fetchAt(0)).toEqual({
      found: null,
      slept: [1000, 2000, 4000, 8000, 16_000, 30_000, 60_000],
      warned: ['the notary has no log of submission 1 yet'],
    });
  });

  it('is left out, with a warning, when the network fails, and with nothing else', async () => {
    expect(await fetchAt(1, down)).toEqual({ found: null, slept: [], warned: ['no answer'] });
    await expect(fetchAt(1, unknown)).rejects.toBe(unknown);
  });
});
