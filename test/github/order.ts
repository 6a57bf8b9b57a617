import { type Ending, type JobResult, runSchedule, settled } from './schedule.ts';
import type { Job, Workflow } from './workflow.ts';

/** The jobs that sign, by where the keys are. */
const SIGNING = {
  stored: ['code', 'code-key', 'packages', 'packages-key', 'signed'],
  aws: ['code', 'code-service', 'packages', 'packages-service', 'signed'],
  azure: ['code', 'code-service', 'packages', 'packages-service', 'signed'],
  keychain: ['sign'],
} as const;
type Keys = keyof typeof SIGNING;
/** The jobs of a release; none may begin before the one in front of it has really succeeded. */
const chainOf = (keys: Keys): readonly string[] => [
  ...['plan', 'build', 'review', ...SIGNING[keys]],
  ...['submit', 'wait', 'staple', 'look', 'smoke', 'attest', 'publish', 'verify'],
];

/** How one job ends, where all others succeed if they begin. */
interface Accident {
  readonly job: string;
  readonly words: string;
  /** Undefined where the whole run is cancelled at the job's beginning. */
  readonly end?: (job: Job) => Pick<JobResult, 'result' | 'outcome'>;
  readonly cancel?: boolean;
}

/**
 * Returns where a release workflow does something it must not, when any of its jobs, or any step of one, ends in any way: attests
 * what no Mac installed, publishes what is not attested, publishes and does not verify, signs twice, or releases nothing when all
 * goes well; wherever the keys are.
 *
 * No script runs here: every job ends as it is told.
 */
export async function orderProblems(workflow: Workflow): Promise<string[]> {
  const variants = Object.keys(SIGNING) as Keys[];
  const all = new Set(variants.flatMap(chainOf));
  const problems = [...all].filter((id) => !workflow.jobs[id]).map((id) => `${id} is missing`);
  for (const keys of variants) {
    // What may happen with keys in Azure happens with keys in AWS.
    for (const accident of [undefined, ...(keys === 'azure' ? [] : accidentsOf(workflow))])
      problems.push(...(await problemsAfter(workflow, keys, accident)));
  }
  for (const keys of variants) {
    const { begun } = await play(workflow, undefined, { release: 'false', keys });
    if (begun.join() !== 'plan') problems.push(`the plan says no, and there begin ${begun.join(', ')}`);
  }
  // The plan refuses such a choice; nothing may depend on that alone.
  for (const keys of ['', 'gcp', 'stored,aws']) {
    const { begun } = await play(workflow, undefined, { release: 'true', keys });
    const more = begun.filter((id) => !['plan', 'build', 'review'].includes(id));
    if (more.length > 0) problems.push(`keys in ${JSON.stringify(keys)}: there begin ${more.join(', ')}`);
  }
  // Code of npm runs in the plan: what it says may not bring other code of npm beside the keys.
  for (const variable of ['', 'aws', 'azure']) {
    const { begun } = await play(workflow, undefined, { release: 'true', keys: 'keychain' }, variable);
    if (begun.includes('sign')) problems.push(`the plan alone says keychain, and there begins sign`);
  }
  return [...new Set(problems)];
}

async function problemsAfter(workflow: Workflow, keys: Keys, accident: Accident | undefined): Promise<string[]> {
  const problems: string[] = [];
  const chain = chainOf(keys);
  const { ended, begun } = await play(workflow, accident, { release: 'true', keys });
  const where = keys === 'stored' ? '' : `${keys}, `;
  const after = accident ? `${where}${accident.job} ${accident.words}: ` : `${where}all well: `;
  for (const [index, id] of chain.entries()) {
    const earlier = chain
      .slice(0, index)
      .find((one) => ended[one] && (ended[one].outcome ?? ended[one].result) !== 'success');
    if (earlier && begun.includes(id)) problems.push(`${after}${id} begins, and ${earlier} did not succeed`);
  }
  const strangers = begun.filter((id) => !chain.includes(id));
  if (strangers.length > 0) problems.push(`${after}${strangers.join(', ')} begins too`);
  if (!accident)
    problems.push(...chain.filter((id) => !begun.includes(id)).map((id) => `${after}${id} does not begin`));
  // Whoever cancels a run after it has published has to look for themselves.
  const unverified = ended.publish?.result === 'success' && !begun.includes('verify') && !accident?.cancel;
  if (unverified) problems.push(`${after}nobody verifies`);
  return problems;
}

function accidentsOf(workflow: Workflow): Accident[] {
  return Object.entries(workflow.jobs).flatMap(([id, job]) => {
    const endings: Ending[] = ['failure', 'cancelled', 'skipped', 'waiting'];
    return [
      ...endings.map((ending) => ({ job: id, words: `ends as ${ending}`, end: (one: Job) => settled(one, ending) })),
      { job: id, words: 'cancelled with its run', cancel: true },
      ...(job.steps ?? []).map((step, index) => ({
        job: id,
        words: `fails in step ${index + 1}`,
        end: (one: Job) =>
          step['continue-on-error']
            ? { result: 'success' as const, outcome: 'failure' as const }
            : settled(one, 'failure'),
      })),
    ];
  });
}

async function play(
  workflow: Workflow,
  accident: Accident | undefined,
  outputs: { readonly release: string; readonly keys: string },
  variable: string = outputs.keys,
) {
  const begun: string[] = [];
  let cancelled = false;
  const ended = await runSchedule(workflow, {
    contexts: { github: { event_name: 'push', ref: 'refs/heads/main' }, vars: { SIGNING_KEYS: variable } },
    before: {},
    cancelled: (id) => {
      cancelled ||= accident?.cancel === true && accident.job === id;
      return cancelled;
    },
    run: async (id, job) => {
      begun.push(id);
      const end = accident?.job === id ? accident.end?.(job) : undefined;
      return { ...(end ?? { result: 'success' }), outputs: { ...outputs }, workspaces: [], log: '' };
    },
  });
  return { begun, ended };
}
