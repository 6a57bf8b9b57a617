import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { attest, checkOut } from './actions.ts';
import { type Contexts, evaluate, interpolate } from './expression.ts';
import {
  combinationsOf,
  environmentOf,
  type Job,
  needsOf,
  parseWorkflow,
  type Step,
  type Workflow,
} from './workflow.ts';

/** A stand-in for GitHub Actions: it runs the jobs of a workflow file of ours in order, each in a folder of its own. */
export interface RunnerOptions {
  /** Where everything of this run lies. */
  readonly scratch: string;
  /** Repository that `actions/checkout` clones; its workflows are the ones that run. */
  readonly origin: string;
  readonly commit: string;
  readonly repository: string;
  /** Folders put before PATH: `gh`, and for macOS jobs the tools of a Mac. */
  readonly bin: string;
  readonly macBin: string;
  /** Value of each secret by environment. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Puts what an environment stands for into a job's folder, such as the rehearsal's keys. */
  readonly prepare: (at: string, environment: string | undefined, workspace: string) => void;
  /** Told the subjects of an attestation, and the SBOM when it is about one. */
  readonly attested: (digests: readonly string[], sbom: object | undefined) => void;
  /** Kills a step once: a time limit of the service, or a machine that dies. */
  readonly kill?:
    | { readonly at: string; readonly step: string; readonly when: (workspace: string) => boolean }
    | undefined;
  /** Only the first combination of each matrix. */
  readonly short?: boolean;
  /** Name of the event that starts the run; `push` unless told. */
  readonly event?: string;
}

/** One job's end. */
export interface JobResult {
  readonly result: 'success' | 'failure' | 'skipped';
  readonly outputs: Readonly<Record<string, string>>;
  readonly workspaces: readonly string[];
  readonly log: string;
}

/** What a step's script saw; for tests of who sees what. */
export interface Executed {
  readonly at: string;
  readonly step: string;
  readonly run: string;
  readonly env: Readonly<Record<string, string>>;
  readonly status: number | null;
}

/** Runs workflows. Artifacts are kept by id between jobs and attempts, as the service does. */
export class Runner {
  readonly executed: Executed[] = [];
  readonly #options: RunnerOptions;
  readonly #artifacts = new Map<string, { name: string; path: string }>();
  #attempt = 0;
  #killed = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /**
   * Runs a workflow file and returns each job's end.
   *
   * @param before results of an earlier attempt: what succeeded is kept, the rest runs again ("Re-run failed jobs")
   */
  async run(file: string, before: Readonly<Record<string, JobResult>> = {}): Promise<Record<string, JobResult>> {
    this.#attempt++;
    const workflow = parseWorkflow(readFileSync(join(this.#options.origin, '.github/workflows', file), 'utf8'));
    return this.#runJobs(file, workflow, {}, before);
  }

  async #runJobs(
    file: string,
    workflow: Workflow,
    inputs: Contexts,
    before: Readonly<Record<string, JobResult>>,
  ): Promise<Record<string, JobResult>> {
    const results: Record<string, JobResult> = {};
    for (const [id, job] of Object.entries(workflow.jobs)) {
      const needs = Object.fromEntries(needsOf(job).map((name) => [name, results[name]]));
      if (before[id]?.result === 'success') results[id] = before[id];
      else results[id] = await this.#runJob(`${file}/${id}`, workflow, job, { needs, inputs });
    }
    return results;
  }

  async #runJob(
    at: string,
    workflow: Workflow,
    job: Job,
    given: { needs: Contexts; inputs: Contexts },
  ): Promise<JobResult> {
    const ended = Object.values(given.needs) as JobResult[];
    const allSucceeded = ended.every(({ result }) => result === 'success');
    const runs = job.if?.includes('!cancelled()') || (allSucceeded && (!job.if || evaluate(job.if, given) === true));
    if (!runs) return { result: 'skipped', outputs: {}, workspaces: [], log: '' };
    if (job.uses) return this.#callWorkflow(job, given);
    const combinations = combinationsOf(job);
    const attempts: JobResult[] = [];
    for (const matrix of this.#options.short ? combinations.slice(0, 1) : combinations) {
      attempts.push(await new JobRun(this.#options, this, { at, workflow, job, given: { ...given, matrix } }).run());
    }
    return {
      result: attempts.every(({ result }) => result === 'success') ? 'success' : 'failure',
      outputs: attempts.at(-1)?.outputs ?? {},
      workspaces: attempts.flatMap(({ workspaces }) => workspaces),
      log: attempts.map(({ log }) => log).join(''),
    };
  }

  async #callWorkflow(job: Job, given: { needs: Contexts; inputs: Contexts }): Promise<JobResult> {
    const file = basename(job.uses as string);
    const called = parseWorkflow(readFileSync(join(this.#options.origin, '.github/workflows', file), 'utf8'));
    const inputs = Object.fromEntries(
      Object.entries(job.with ?? {}).map(([name, value]) => [name, interpolate(String(value), given)]),
    );
    const results = await this.#runJobs(file, called, inputs, {});
    const declared = (called.on as { workflow_call: { outputs: Record<string, { value: string }> } }).workflow_call
      .outputs;
    const all = Object.values(results);
    return {
      result: all.every(({ result }) => result === 'success') ? 'success' : 'failure',
      outputs: Object.fromEntries(
        Object.entries(declared).map(([name, { value }]) => [name, interpolate(value, { jobs: results })]),
      ),
      workspaces: all.flatMap(({ workspaces }) => workspaces),
      log: all.map(({ log }) => log).join(''),
    };
  }

  get attempt(): number {
    return this.#attempt;
  }

  /** Keeps a copy of a file; its id never comes again, and no job can change what another kept. */
  keep(name: string, path: string): string {
    const id = String(1000 + this.#artifacts.size);
    const copy = join(this.#options.scratch, 'artifacts', id, basename(path));
    mkdirSync(join(this.#options.scratch, 'artifacts', id), { recursive: true });
    cpSync(path, copy);
    this.#artifacts.set(id, { name, path: copy });
    return id;
  }

  fetch(id: string, folder: string): void {
    const artifact = this.#artifacts.get(id);
    if (!artifact) throw new Error(`no artifact has the id ${JSON.stringify(id)}`);
    cpSync(artifact.path, join(folder, basename(artifact.path)));
  }

  /** Replaces what an artifact holds, as somebody with a foothold in another job could. */
  tamper(name: string, change: (bytes: Buffer) => Buffer): void {
    const found = [...this.#artifacts.values()].findLast((artifact) => artifact.name === name);
    if (!found) throw new Error(`no artifact is called ${name}`);
    writeFileSync(found.path, change(readFileSync(found.path)));
  }

  /** Says whether this step is the one to be killed; true only once. */
  takeKill(at: string, step: string): RunnerOptions['kill'] {
    const { kill } = this.#options;
    if (this.#killed || kill?.at !== at || kill.step !== step) return undefined;
    this.#killed = true;
    return kill;
  }
}

interface JobInput {
  readonly at: string;
  readonly workflow: Workflow;
  readonly job: Job;
  readonly given: Contexts;
}

/** One job on one machine. */
class JobRun {
  readonly #options: RunnerOptions;
  readonly #runner: Runner;
  readonly #input: JobInput;
  readonly #home: string;
  readonly #workspace: string;
  readonly #steps: Record<string, { outputs: Record<string, string> }> = {};
  #log = '';

  constructor(options: RunnerOptions, runner: Runner, input: JobInput) {
    this.#options = options;
    this.#runner = runner;
    this.#input = input;
    const image = String((input.given.matrix as { image?: string } | undefined)?.image ?? '');
    this.#home = join(
      options.scratch,
      `attempt-${runner.attempt}`,
      input.at.replace('/', '-') + (image && `-${image}`),
    );
    this.#workspace = join(this.#home, 'work');
    mkdirSync(this.#workspace, { recursive: true });
    for (const name of ['home', 'tmp']) mkdirSync(join(this.#home, name));
  }

  async run(): Promise<JobResult> {
    const { at, job } = this.#input;
    const environment = environmentOf(job);
    let succeeded = true;
    for (const [index, step] of (job.steps ?? []).entries()) {
      const name = step.name ?? step.uses ?? `step ${index + 1}`;
      if (step.uses === undefined) this.#options.prepare(at, environment, this.#workspace);
      succeeded = await this.#runStep(step, name).catch((error: Error) => {
        this.#log += `${error.stack}\n`;
        return false;
      });
      if (!succeeded) break;
    }
    const outputs = Object.fromEntries(
      Object.entries(job.outputs ?? {}).map(([name, value]) => [name, interpolate(value, this.#contexts())]),
    );
    return { result: succeeded ? 'success' : 'failure', outputs, workspaces: [this.#workspace], log: this.#log };
  }

  #contexts(): Contexts {
    const { given, job } = this.#input;
    const github = {
      token: 'token-of-the-job',
      event_name: this.#options.event ?? 'push',
      ref: 'refs/heads/main',
      repository: this.#options.repository,
    };
    const secrets = this.#options.secrets[environmentOf(job) ?? ''] ?? {};
    return { ...given, github, secrets, steps: this.#steps };
  }

  async #runStep(step: Step, name: string): Promise<boolean> {
    const outputs: Record<string, string> = {};
    if (step.id) this.#steps[step.id] = { outputs };
    this.#log += `::: ${this.#input.at}: ${name}\n`;
    if (step.uses) {
      Object.assign(outputs, this.#runAction(step.uses.split('@')[0] as string, this.#inputsOf(step)));
      return true;
    }
    return this.#runScript(step, name, outputs);
  }

  #inputsOf(step: Step): Record<string, string> {
    const contexts = this.#contexts();
    return Object.fromEntries(
      Object.entries(step.with ?? {}).map(([name, value]) => [name, interpolate(String(value), contexts)]),
    );
  }

  /** What each action of others does, as far as our workflows need it. */
  #runAction(action: string, inputs: Record<string, string>): Record<string, string> {
    if (action === 'actions/checkout') {
      checkOut(this.#options.origin, this.#workspace);
      return {};
    }
    if (action === 'actions/setup-node' || action === 'ossf/scorecard-action') return {};
    if (action === 'actions/upload-artifact') {
      return { 'artifact-id': this.#runner.keep(inputs.name ?? '', join(this.#workspace, inputs.path ?? '')) };
    }
    if (action === 'actions/download-artifact') {
      this.#runner.fetch(inputs['artifact-ids'] ?? '', this.#workspace);
      return {};
    }
    if (action === 'actions/attest') {
      const { digests, sbom, bundle } = attest(this.#workspace, inputs, join(this.#home, 'tmp'));
      this.#options.attested(digests, sbom);
      return { 'bundle-path': bundle };
    }
    throw new Error(`an action that the replay does not know: ${action}`);
  }

  async #runScript(step: Step, name: string, outputs: Record<string, string>): Promise<boolean> {
    const { at } = this.#input;
    const contexts = this.#contexts();
    const given = Object.entries({ ...this.#input.job.env, ...step.env });
    const own = Object.fromEntries(given.map(([key, value]) => [key, interpolate(String(value), contexts)]));
    const outputFile = join(this.#home, 'output');
    writeFileSync(outputFile, '');
    const env = { ...this.#environment(outputFile), ...own };
    const script = join(this.#home, 'step.sh');
    writeFileSync(script, step.run as string);
    const kill = this.#runner.takeKill(at, name);
    const status = await this.#execute(script, env, kill);
    this.#runner.executed.push({ at, step: name, run: step.run as string, env: own, status });
    for (const line of readFileSync(outputFile, 'utf8').split('\n')) {
      const [key, value] = [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)];
      if (key) outputs[key] = value;
    }
    return status === 0;
  }

  #environment(outputFile: string): Record<string, string> {
    const { bin, macBin, repository, commit } = this.#options;
    const image = String(this.#input.job['runs-on'] ?? '') + JSON.stringify(this.#input.given.matrix ?? {});
    const path = [...(image.includes('macos') ? [macBin] : []), bin, process.env.PATH];
    return {
      PATH: path.join(':'),
      HOME: join(this.#home, 'home'),
      TMPDIR: join(this.#home, 'tmp'),
      RUNNER_TEMP: join(this.#home, 'tmp'),
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_REPOSITORY: repository,
      GITHUB_SHA: commit,
      GITHUB_REF: 'refs/heads/main',
      GITHUB_WORKSPACE: this.#workspace,
      GITHUB_OUTPUT: outputFile,
      GITHUB_STEP_SUMMARY: join(this.#home, 'summary.md'),
    };
  }

  /** Runs a script as the service does, `bash -eo pipefail`, and returns its exit code; null when it was killed. */
  #execute(script: string, env: Record<string, string>, kill: RunnerOptions['kill']): Promise<number | null> {
    return new Promise((done, reject) => {
      const argv = ['--noprofile', '--norc', '-eo', 'pipefail', script];
      const child = spawn('bash', argv, {
        cwd: this.#workspace,
        env,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (this.#log += text));
      const watch =
        kill &&
        setInterval(() => {
          if (!kill.when(this.#workspace) || child.pid === undefined) return;
          clearInterval(watch);
          // The group of a process that this very call started.
          process.kill(-child.pid, 'SIGKILL');
        }, 5);
      child.on('error', reject);
      child.on('close', (status) => {
        clearInterval(watch);
        done(status);
      });
    });
  }
}
