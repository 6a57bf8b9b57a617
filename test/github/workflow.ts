import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** A step of a workflow file, as far as ours use the language. */
export interface Step {
  readonly name?: string;
  readonly id?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly 'continue-on-error'?: unknown;
}

/** What a job runs with, each value with each other; or under `include` the combinations themselves. We never write both. */
export type Matrix = Readonly<Record<string, readonly unknown[]>>;

/** A job of a workflow file. */
export interface Job {
  readonly name?: string;
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly 'runs-on'?: string;
  readonly environment?: string | { readonly name: string };
  readonly permissions?: unknown;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly strategy?: { readonly matrix: Matrix; readonly 'fail-fast'?: boolean; readonly 'max-parallel'?: number };
  readonly env?: Readonly<Record<string, string>>;
  readonly 'continue-on-error'?: unknown;
  readonly steps?: readonly Step[];
}

/** A workflow file. */
export interface Workflow {
  readonly name?: string;
  readonly on: unknown;
  readonly permissions?: unknown;
  readonly concurrency?: unknown;
  readonly defaults?: { readonly run?: { readonly shell?: string } };
  readonly jobs: Readonly<Record<string, Job>>;
}

const WORKFLOW_KEYS = ['name', 'on', 'permissions', 'concurrency', 'defaults', 'jobs'];
const JOB_KEYS = [
  ...['name', 'needs', 'if', 'uses', 'with', 'runs-on', 'environment', 'permissions', 'outputs', 'timeout-minutes'],
  ...['strategy', 'env', 'continue-on-error', 'steps'],
];
const STRATEGY_KEYS = ['matrix', 'fail-fast', 'max-parallel'];
const STEP_KEYS = ['name', 'id', 'uses', 'run', 'if', 'with', 'env', 'continue-on-error'];

/**
 * Returns the workflow in YAML text; `on` is read as a word, as GitHub does, not as YAML 1.1's `true`.
 *
 * @throws Error for any key that the replay would have to pass over: what it does not play, it refuses
 */
export function parseWorkflow(source: string): Workflow {
  const workflow = parse(source, { strict: true, uniqueKeys: true }) as Workflow;
  known('the workflow', workflow, WORKFLOW_KEYS);
  if (JSON.stringify(workflow.defaults ?? { run: { shell: 'bash' } }) !== '{"run":{"shell":"bash"}}')
    throw new Error('defaults that the replay does not know');
  for (const [id, job] of Object.entries(workflow.jobs)) {
    known(id, job, JOB_KEYS);
    if (job.strategy) known(`${id}: strategy`, job.strategy, STRATEGY_KEYS);
    if (job.strategy && Object.hasOwn(job.strategy.matrix, 'exclude')) throw new Error(`${id}: a matrix with exclude`);
    for (const step of job.steps ?? []) known(`${id}: a step`, step, STEP_KEYS);
  }
  return workflow;
}

function known(what: string, part: object, keys: readonly string[]): void {
  const unknown = Object.keys(part).filter((key) => !keys.includes(key));
  if (unknown.length > 0) throw new Error(`${what} has keys that the replay does not know: ${unknown.join(', ')}`);
}

/** Returns the text of every workflow of a project by its file name. */
export function readWorkflows(root: string): Map<string, string> {
  const folder = join(root, '.github/workflows');
  return new Map(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );
}

/** Returns the jobs that must end before a job, in the file's order. */
export function needsOf({ needs }: Job): readonly string[] {
  return typeof needs === 'string' ? [needs] : (needs ?? []);
}

/** Returns the combinations of a job's matrix, in order; one empty one without a matrix. */
export function combinationsOf({ strategy }: Job): Readonly<Record<string, unknown>>[] {
  const { include, ...axes } = strategy?.matrix ?? {};
  if (include && Object.keys(axes).length === 0) return include as Record<string, unknown>[];
  if (include) throw new Error('a matrix of ours has either axes or `include`');
  return Object.entries(axes).reduce<Record<string, unknown>[]>(
    (found, [key, values]) => found.flatMap((one) => values.map((value) => ({ ...one, [key]: value }))),
    [{}],
  );
}

/** Returns the environment a job names. */
export function environmentOf({ environment }: Job): string | undefined {
  return typeof environment === 'object' ? environment.name : environment;
}

/** Returns the scripts of a workflow file of this tree in their order, each behind its file and job. */
export const scriptsOf = (file: string): string[] =>
  Object.entries(parseWorkflow(readWorkflows('.').get(file) as string).jobs).flatMap(([job, { steps }]) =>
    (steps ?? []).filter(({ run }) => run !== undefined).map(({ run }) => `${file}/${job}: ${run}`),
  );
