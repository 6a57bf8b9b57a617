import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Artifacts, type Attempt } from './artifacts.ts';
import { type Contexts, interpolate } from './expression.ts';
import { JobRun } from './job-run.ts';
import type { Keeping } from './kept-jobs.ts';
import { type JobResult, notRun, runSchedule, settled } from './schedule.ts';
import { combinationsOf, environmentOf, type Job, parseWorkflow, type Workflow } from './workflow.ts';

/** A stand-in for GitHub Actions: it runs the jobs of a workflow file of ours, each in a folder of its own. */
export interface RunnerOptions {
  /** Where everything of this run lies. */
  readonly scratch: string;
  /** Repository that `actions/checkout` clones; its workflows are the ones that run. */
  readonly origin: string;
  readonly repository: string;
  /** Folders put before PATH: `gh`, and for macOS jobs the tools of a Mac. */
  readonly bin: string;
  readonly macBin: string;
  /** Value of each secret by environment; may be changed between attempts. */
  readonly secrets: Record<string, Readonly<Record<string, string>>>;
  /** The repository's variables; may be changed between runs. */
  readonly variables: Record<string, string>;
  /** What a job with `id-token: write` finds in its environment. @param subject claim `sub` of its tokens */
  readonly tokensFor?: (subject: string) => Readonly<Record<string, string>>;
  /** Puts what an environment stands for into a job's folder, such as the rehearsal's keys. */
  readonly prepare: (at: string, environment: string | undefined, workspace: string) => void;
  /** Told the subjects of an attestation, its commit, and the SBOM when it is about one. */
  readonly attested: (commit: string, digests: readonly string[], sbom: object | undefined) => void;
  /** Kills a step once, as it begins or as its command line writes words: a time limit of the service, or a machine that dies. */
  readonly kill?: { readonly at: string; readonly step: string; readonly words?: string } | undefined;
  /** Only the first combination of each matrix, but for the Macs that a release is tried on. */
  readonly short?: boolean;
  /** Jobs that were played before are given again. */
  readonly keeping?: Keeping;
  /** Jobs whose command line this process plays (answered-node.ts). */
  readonly answers?: (at: string) => boolean;
  /** Variables of the stand-ins of a Mac, by image. */
  readonly onMac?: (image: string) => Readonly<Record<string, string>>;
}

/** What starts a run. */
export interface Trigger {
  readonly commit: string;
  /** Name of the event; `push` by default. */
  readonly event?: string;
  /** The event's file. */
  readonly payload?: object;
}

/** A run of a workflow file: its attempts share commit, event, artifacts and results. */
export interface Run extends Attempt, Trigger {
  readonly file: string;
  readonly jobs: Readonly<Record<string, JobResult>>;
}

/** What a step's script saw; for tests of who sees what. */
export interface Executed {
  readonly at: string;
  readonly step: string;
  readonly run: string;
  readonly env: Readonly<Record<string, string>>;
  readonly status: number | null;
}

/** Runs workflows. */
export class Runner {
  readonly executed: Executed[] = [];
  readonly artifacts: Artifacts;
  /** Environments whose reviewer has not approved yet: their jobs wait. */
  readonly unapproved = new Set<string>();
  /** Jobs by their place, such as `release.yml/code-key`, that the reviewer lets in all the same, or rejects. */
  readonly approved = new Set<string>();
  readonly rejected = new Set<string>();
  /** Job at whose beginning somebody cancels the run. */
  cancelAt: string | undefined;
  readonly options: RunnerOptions;
  #runs = 0;
  #killed = false;

  constructor(options: RunnerOptions) {
    this.options = options;
    this.artifacts = new Artifacts(join(options.scratch, 'artifacts'));
  }

  /** Starts a workflow file anew. */
  async start(file: string, trigger: Trigger): Promise<Run> {
    this.#runs++;
    return this.#attempt({ ...trigger, file, run: this.#runs, attempt: 1, jobs: {} });
  }

  /** "Re-run failed jobs": what succeeded or was not meant to run is kept; commit and event stay those of the run. */
  async rerun(run: Run): Promise<Run> {
    return this.#attempt({ ...run, attempt: run.attempt + 1 });
  }

  async #attempt(run: Run): Promise<Run> {
    return { ...run, jobs: await this.#runJobs(run, run.file, {}, run.jobs) };
  }

  async #runJobs(
    run: Run,
    file: string,
    inputs: Contexts,
    before: Readonly<Record<string, JobResult>>,
  ): Promise<Record<string, JobResult>> {
    const workflow = this.#read(file);
    let cancelled = false;
    return runSchedule(workflow, {
      contexts: { inputs, github: this.github(run), vars: this.options.variables },
      before,
      cancelled: (id) => {
        cancelled ||= this.cancelAt === `${file}/${id}`;
        return cancelled;
      },
      run: (id, job, needs, earlier) => this.#runJob(run, `${file}/${id}`, job, { needs, inputs }, earlier?.legs),
    });
  }

  #read(file: string): Workflow {
    const text = readFileSync(join(this.options.origin, '.github/workflows', file), 'utf8');
    const workflow = parsed.get(text) ?? parseWorkflow(text);
    parsed.set(text, workflow);
    return workflow;
  }

  /** The context `github`, as far as workflows of ours name it. */
  github({ commit, event = 'push', payload = {}, attempt }: Run): Contexts {
    return {
      token: 'token-of-the-job',
      event_name: event,
      event: payload,
      sha: commit,
      ref: 'refs/heads/main',
      repository: this.options.repository,
      run_attempt: String(attempt),
    };
  }

  async #runJob(
    run: Run,
    at: string,
    job: Job,
    given: { needs: Contexts; inputs: Contexts },
    earlier: readonly JobResult[] = [],
  ): Promise<JobResult> {
    if (this.unapproved.has(environmentOf(job) ?? '') && !this.approved.has(at)) return notRun('waiting');
    // A rejected deployment fails its job.
    if (this.rejected.has(at)) return notRun('failure');
    if (job.uses) return this.#callWorkflow(run, job, given);
    const legs: JobResult[] = [];
    const all = combinationsOf(job);
    const played = this.options.short && at !== 'release.yml/smoke' ? all.slice(0, 1) : all;
    for (const [index, matrix] of played.entries()) {
      const before = earlier[index] ?? this.#asAnother(at, matrix.image as string | undefined, legs);
      const kept = before?.result === 'success' ? before : undefined;
      legs.push(kept ?? (await new JobRun(this, run, { at, job, given: { ...given, matrix } }).run()));
      if (legs.at(-1)?.result === 'failure' && job.strategy?.['fail-fast'] !== false) break;
    }
    return joinLegs(job, legs);
  }

  /** By day what a release does on a Mac with which nothing is wrong is played on one image: the others find the same. */
  #asAnother(at: string, image: string | undefined, legs: readonly JobResult[]): JobResult | undefined {
    const { keeping, onMac } = this.options;
    const isPlayed = !keeping || onMac?.(image ?? '').SMOKE_FAULT;
    if (at !== 'release.yml/smoke' || !image || isPlayed) return undefined;
    for (const leg of legs) {
      const [, found] = Object.entries(leg.outputs).find(([, value]) => value !== '') ?? [];
      if (found !== undefined) return { ...leg, outputs: { [image]: JSON.stringify({ ...JSON.parse(found), image }) } };
    }
    return undefined;
  }

  async #callWorkflow(run: Run, job: Job, given: { needs: Contexts; inputs: Contexts }): Promise<JobResult> {
    if (!job.uses?.startsWith('$/.github/workflows/'))
      throw new Error(`a workflow that the replay does not know: ${job.uses}`);
    const file = basename(job.uses);
    const inputs = Object.fromEntries(
      Object.entries(job.with ?? {}).map(([name, value]) => [name, interpolate(String(value), given)]),
    );
    refuseGrants(job, this.#read(file));
    const results = await this.#runJobs(run, file, inputs, {});
    const declared = (this.#read(file).on as { workflow_call: { outputs: Record<string, { value: string }> } })
      .workflow_call.outputs;
    const all = Object.values(results);
    const undecided = all.some(({ result }) => result === 'waiting') ? 'waiting' : 'failure';
    return {
      result: all.every(({ result }) => result === 'success') ? 'success' : undecided,
      outputs: Object.fromEntries(
        Object.entries(declared).map(([name, { value }]) => [name, interpolate(value, { jobs: results })]),
      ),
      workspaces: all.flatMap(({ workspaces }) => workspaces),
      log: all.map(({ log }) => log).join(''),
    };
  }

  /** Says whether this step is the one to be killed; true only once. */
  takeKill(at: string, step: string): RunnerOptions['kill'] {
    const { kill } = this.options;
    if (this.#killed || kill?.at !== at || kill.step !== step) return undefined;
    this.#killed = true;
    return kill;
  }
}

/** By their text: a story has many runs of one. */
const parsed = new Map<string, Workflow>();

/** One result for all combinations: an output that several set is the last one's, and an empty one sets nothing. */
function joinLegs(job: Job, legs: readonly JobResult[]): JobResult {
  const outcome = legs.every(({ result }) => result === 'success') ? 'success' : 'failure';
  const outputs = legs.flatMap((leg) => Object.entries(leg.outputs)).filter(([, value]) => value !== '');
  return {
    ...settled(job, outcome),
    outputs: Object.fromEntries(outputs),
    workspaces: legs.flatMap(({ workspaces }) => workspaces),
    log: legs.map(({ log }) => log).join(''),
    ...(job.strategy && { legs }),
  };
}

/** A called workflow whose jobs want more than the caller may: the service does not begin such a run. */
function refuseGrants({ permissions }: Job, called: Workflow): void {
  const granted = (permissions ?? {}) as Record<string, string>;
  for (const [id, job] of Object.entries(called.jobs)) {
    const more = Object.entries((job.permissions ?? {}) as Record<string, string>).filter(
      ([name, level]) => granted[name] !== level && granted[name] !== 'write',
    );
    if (more.length > 0) throw new Error(`${id} asks for ${more.join(', ')}, and its caller may not`);
  }
}
