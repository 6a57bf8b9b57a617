/** Which runs of a concurrency group run, wait or were cancelled, in the order they came. */
export interface Line {
  readonly running: string | undefined;
  readonly waiting: readonly string[];
  readonly cancelled: readonly string[];
}

/** Most runs that wait in a group with `queue: max`. Source: GitHub's changelog of 2026-05-07. */
const LONGEST_QUEUE = 100;
export const EMPTY_LINE: Line = { running: undefined, waiting: [], cancelled: [] };

/**
 * Returns a group once a run has come to it: it runs at once, or waits; without `queue: max` only the newest waits.
 *
 * @param concurrency value of the workflow's key
 * @throws Error for settings that the replay does not know
 */
export function arrive(line: Line, run: string, concurrency: unknown): Line {
  const { queue, cancels } = settings(concurrency);
  if (line.running === undefined) return { ...line, running: run };
  if (cancels) return { running: run, waiting: [], cancelled: [...line.cancelled, line.running, ...line.waiting] };
  if (queue === 'single') return { ...line, waiting: [run], cancelled: [...line.cancelled, ...line.waiting] };
  if (line.waiting.length >= LONGEST_QUEUE) return { ...line, cancelled: [...line.cancelled, run] };
  return { ...line, waiting: [...line.waiting, run] };
}

/** Returns a group once its running run has ended: the next in line runs. */
export function leave(line: Line): Line {
  const [next, ...waiting] = line.waiting;
  return { ...line, running: next, waiting };
}

function settings(concurrency: unknown): { queue: 'single' | 'max'; cancels: boolean } {
  const {
    group,
    queue = 'single',
    'cancel-in-progress': cancels = false,
    ...others
  } = concurrency as Record<string, unknown>;
  const known = typeof group === 'string' && !group.includes('${{') && typeof cancels === 'boolean';
  if (
    !known ||
    Object.keys(others).length > 0 ||
    (queue !== 'single' && queue !== 'max') ||
    (queue === 'max' && cancels)
  )
    throw new Error(`concurrency that the replay does not know: ${JSON.stringify(concurrency)}`);
  return { queue, cancels };
}
