import { type Contexts, holds, type Status } from './expression.ts';
import { type Job, needsOf, type Workflow } from './workflow.ts';

/** How a job ended; `waiting` for a person's approval. */
export type Ending = 'success' | 'failure' | 'cancelled' | 'skipped' | 'waiting';

/** One job's end. */
export interface JobResult {
  /** What other jobs see. */
  readonly result: Ending;
  /** What really happened, where `continue-on-error` makes a success of a failure. */
  readonly outcome?: Ending;
  readonly outputs: Readonly<Record<string, string>>;
  readonly workspaces: readonly string[];
  readonly log: string;
  /** Of a matrix, each combination's end, in order, as far as they ran. */
  readonly legs?: readonly JobResult[];
}

/** A job that never began. */
export const notRun = (result: Ending): JobResult => ({ result, outputs: {}, workspaces: [], log: '' });

/** How others see a job that ended so: one that may fail is a success to them. */
export function settled(job: Job, outcome: Ending): Pick<JobResult, 'result' | 'outcome'> {
  const tolerated = job['continue-on-error'] !== undefined && job['continue-on-error'] !== false;
  return { result: tolerated && outcome === 'failure' ? 'success' : outcome, outcome };
}

/** What decides which jobs of a workflow run. */
export interface Schedule {
  /** Contexts that conditions may name beside `needs`. */
  readonly contexts: Contexts;
  /** Results of an earlier attempt: "Re-run failed jobs" repeats those, and all that needs one. */
  readonly before: Readonly<Record<string, JobResult>>;
  /** Whether somebody cancelled the run before this job. */
  cancelled(id: string): boolean;
  /** @param before what is repeated without anything that it needs: of a matrix, only what failed runs again */
  run(
    id: string,
    job: Job,
    needs: Readonly<Record<string, JobResult>>,
    before: JobResult | undefined,
  ): Promise<JobResult>;
}

/**
 * Runs the jobs of a workflow in the order of their needs, as the service does: a job whose condition does not hold is skipped,
 * and without a status function in its condition it runs only when everything it needs, directly or not, succeeded.
 *
 * @throws Error for needs that are not there or go in a circle
 * @see https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idneeds
 */
export async function runSchedule(workflow: Workflow, schedule: Schedule): Promise<Record<string, JobResult>> {
  const results: Record<string, JobResult> = {};
  const { order, ancestors: ancestorsIn } = needsIn(workflow);
  const repeated = jobsToRepeat(ancestorsIn, schedule.before);
  for (const id of order) {
    const kept = schedule.before[id];
    if (kept && !repeated.has(id)) {
      results[id] = kept;
      continue;
    }
    const job = workflow.jobs[id] as Job;
    const needs = Object.fromEntries(needsOf(job).map((name) => [name, results[name] as JobResult]));
    const needed = [...(ancestorsIn.get(id) as ReadonlySet<string>)];
    const ancestors = needed.map((name) => results[name] as JobResult);
    if (ancestors.some(({ result }) => result === 'waiting')) {
      results[id] = notRun('waiting');
      continue;
    }
    const cancelled = schedule.cancelled(id);
    const status: Status = {
      success: !cancelled && ancestors.every(({ result }) => result === 'success'),
      failure: ancestors.some(({ result }) => result === 'failure'),
      cancelled,
    };
    const before = needed.some((name) => repeated.has(name)) ? undefined : kept;
    if (holds(job.if, { ...schedule.contexts, needs }, status))
      results[id] = await schedule.run(id, job, needs, before);
    else results[id] = notRun(cancelled ? 'cancelled' : 'skipped');
  }
  return results;
}

/** Who needs whom in a workflow: asked again for each way in which its jobs may end. */
interface Needs {
  readonly ancestors: ReadonlyMap<string, ReadonlySet<string>>;
  readonly order: readonly string[];
}
const known = new WeakMap<Workflow, Needs>();

function needsIn(workflow: Workflow): Needs {
  const before = known.get(workflow);
  if (before) return before;
  const ids = Object.keys(workflow.jobs);
  const ancestors = new Map(ids.map((id) => [id, ancestorsOf(workflow, id)]));
  const circle = ids.find((id) => ancestors.get(id)?.has(id));
  if (circle) throw new Error(`${circle} needs itself`);
  const count = (id: string) => (ancestors.get(id) as Set<string>).size;
  const needs = { ancestors, order: [...ids].sort((a, b) => count(a) - count(b)) };
  known.set(workflow, needs);
  return needs;
}

/** Jobs that failed or were ended, and all that need one of them: what a condition skipped stays skipped, unless it needs one. */
function jobsToRepeat(ancestors: Needs['ancestors'], before: Readonly<Record<string, JobResult>>): Set<string> {
  const ids = [...ancestors.keys()];
  const failed = ids.filter((id) => !['success', 'skipped'].includes(before[id]?.result ?? 'failure'));
  return new Set(ids.filter((id) => failed.includes(id) || failed.some((one) => ancestors.get(id)?.has(one))));
}

/** Everything a job needs, directly or not. */
export function ancestorsOf(workflow: Workflow, id: string, seen: Set<string> = new Set()): Set<string> {
  for (const name of needsOf(workflow.jobs[id] as Job)) {
    if (!workflow.jobs[name]) throw new Error(`${id} needs ${name}, which is not a job`);
    if (seen.has(name)) continue;
    seen.add(name);
    ancestorsOf(workflow, name, seen);
  }
  return seen;
}
