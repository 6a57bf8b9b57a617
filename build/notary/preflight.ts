import { NetworkError, type PipelineError, RefusedError, UsageError } from '../../src/base/errors.ts';
import { request } from '../../src/base/http.ts';
import type { Notary } from '../../src/notary/notary.ts';

/** One thing that a real release needs from outside, and how to find out. */
export interface OutsideCheck {
  readonly id: string;
  /** Returns what was found, for the person. Throws when it is not as it should be. */
  examine(): Promise<string>;
}

/** What is asked. */
export interface PreflightInput {
  readonly notary: Pick<Notary, 'history' | 'clockSkewMs'>;
  readonly ticketUrl: string;
  readonly timestampUrl: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Timestamps are refused when further from this machine's clock, and tokens from the future are not accepted. */
const CLOCK_TOLERANCE_MS = 60_000;
const TIMEOUT_MS = 15_000;

/**
 * Returns the checks of everything outside that a release depends on, so that it fails before the build and not after.
 *
 * The notary's history needs a valid key, and Apple answers it only while all agreements are in force.
 */
export function preflightChecks({
  notary,
  ticketUrl,
  timestampUrl,
  timeoutMs = TIMEOUT_MS,
  signal,
}: PreflightInput): OutsideCheck[] {
  const reach = (id: string, url: string): OutsideCheck => ({
    id,
    examine: async () => {
      await request({ purpose: `reach the ${id}`, url, timeoutMs, signal });
      return new URL(url).host;
    },
  });
  return [
    {
      id: 'notary',
      examine: async () => {
        const { length } = await notary.history(signal);
        return `the key is valid, agreements are in force, ${length} submissions in the history`;
      },
    },
    { id: 'clock', examine: async () => examineClock(notary.clockSkewMs()) },
    reach('ticket-service', ticketUrl),
    reach('timestamp-authority', timestampUrl),
  ];
}

function examineClock(skewMs: number | null): string {
  if (skewMs === null) return 'the notary did not say its time, so the clock was not compared';
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  if (Math.abs(skewMs) <= CLOCK_TOLERANCE_MS) return `within ${Math.max(1, seconds)} s of the notary's`;
  const message = `the clock of this machine is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} the notary's`;
  throw new UsageError('CLOCK_WRONG', message, {
    hint: 'Set it right (timedatectl set-ntp true, or System Settings), then run again.',
  });
}

/**
 * Makes sure that everything outside is ready, all at once.
 *
 * @throws UsageError, RefusedError or NetworkError `PREFLIGHT_FAILED` that lists every failure; the most serious decides the class
 */
export async function preflight(input: PreflightInput): Promise<void> {
  const [notary, ...others] = preflightChecks(input);
  const failures: PipelineError[] = [];
  const run = async ({ examine }: OutsideCheck) => {
    await examine().catch((error: unknown) => void failures.push(pipelineError(error)));
  };
  // The clock is compared with an answer of the notary.
  if (notary) await run(notary);
  await Promise.all(others.map(run));
  const [first] = failures;
  if (!first) return;
  if (failures.length === 1) throw first;
  const worst = failures.find((error) => error instanceof UsageError || error instanceof RefusedError) ?? first;
  const list = failures.map(({ message, hint }) => `  ${message}${hint ? `\n    ${hint}` : ''}`).join('\n');
  const message = `${failures.length} things outside are not ready for a release:\n${list}`;
  const details = { cause: worst, hint: 'Nothing was built. To see all checks: npm run -s cli -- doctor' };
  if (worst instanceof UsageError) throw new UsageError('PREFLIGHT_FAILED', message, details);
  if (worst instanceof RefusedError) throw new RefusedError('PREFLIGHT_FAILED', message, details);
  throw new NetworkError('PREFLIGHT_FAILED', message, details);
}

function pipelineError(error: unknown): PipelineError {
  if (error instanceof UsageError || error instanceof RefusedError || error instanceof NetworkError) return error;
  throw error;
}
