import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { quickCompiler } from '../support/quick-compiler.ts';
import { attest, checkOut } from './actions.ts';
import { type Contexts, holds, interpolate } from './expression.ts';
import { keptJob, type ScriptEnd, type Scripts } from './kept-jobs.ts';
import type { Run, Runner, RunnerOptions } from './runner.ts';
import type { JobResult } from './schedule.ts';
import { environmentOf, type Job, type Step } from './workflow.ts';

/** A job, and what it is given. */
export interface JobInput {
  readonly at: string;
  readonly job: Job;
  readonly given: Contexts;
}

interface StepState {
  outputs: Record<string, string>;
  /** What really happened, and what counts where `continue-on-error` is set. */
  outcome: string;
  conclusion: string;
}

/** One job on one machine. */
export class JobRun {
  readonly #options: RunnerOptions;
  readonly #runner: Runner;
  readonly #run: Run;
  readonly #input: JobInput;
  readonly #image: string | undefined;
  readonly #home: string;
  readonly #workspace: string;
  readonly #steps: Record<string, StepState> = {};
  /** What scripts did; where that is known before they are played, they are not. */
  #scripts: Record<number, ScriptEnd> = {};
  #done: Scripts | undefined;
  #log = '';

  constructor(runner: Runner, run: Run, input: JobInput) {
    this.#options = runner.options;
    this.#runner = runner;
    this.#run = run;
    this.#input = input;
    this.#image = interpolate(String(input.job['runs-on'] ?? ''), this.#contexts());
    const varied = Object.values((input.given.matrix as object | undefined) ?? {}).join('-');
    const place = [
      `run-${run.run}`,
      `attempt-${run.attempt}`,
      `${input.at.replace('/', '-')}${varied && `-${varied}`}`,
    ];
    this.#home = join(this.#options.scratch, ...place);
    this.#workspace = join(this.#home, 'work');
    mkdirSync(this.#workspace, { recursive: true });
    for (const name of ['home', 'tmp']) mkdirSync(join(this.#home, name));
    writeFileSync(join(this.#home, 'event.json'), JSON.stringify(run.payload ?? {}));
  }

  /** Plays the job, or gives again what it did where it was played with the same. */
  async run(): Promise<JobResult> {
    const { keeping } = this.#options;
    const play = async (done?: Scripts) => {
      this.#done = done;
      return { ended: await this.#play(), scripts: this.#scripts };
    };
    if (!keeping) return (await play()).ended;
    return keptJob({ at: this.#input.at, home: this.#home, given: this.#given() }, keeping, play);
  }

  /** What decides about a job: what artifacts hold stands for their numbers, and the attempt decides nothing but their names. */
  #given(): object {
    const { jobs: _jobs, run: _run, attempt: _attempt, ...trigger } = this.#run;
    const { github: _github, ...contexts } = this.#contexts();
    const needs = Object.entries((contexts.needs ?? {}) as Record<string, JobResult>);
    const made = needs.map(([id, { result, outputs }]) => [
      id,
      result,
      Object.entries(outputs).map(([name, value]) => [name, this.#runner.artifacts.digestOf(value) ?? value]),
    ]);
    return { trigger, job: this.#input.job, ...contexts, needs: made, machine: this.#machine() };
  }

  async #play(): Promise<JobResult> {
    const { at, job } = this.#input;
    const environment = environmentOf(job);
    let failed = false;
    for (const [index, step] of (job.steps ?? []).entries()) {
      const state: StepState = { outputs: {}, outcome: 'skipped', conclusion: 'skipped' };
      if (step.id) this.#steps[step.id] = state;
      if (!holds(step.if, this.#contexts(), { success: !failed, failure: failed, cancelled: false })) continue;
      if (step.uses === undefined && !this.#done) this.#options.prepare(at, environment, this.#workspace);
      const succeeded = await this.#runStep(step, index, state.outputs).catch((error: Error) => {
        this.#log += `${error.stack}\n`;
        return false;
      });
      const tolerated = step['continue-on-error'] !== undefined && step['continue-on-error'] !== false;
      state.outcome = succeeded ? 'success' : 'failure';
      state.conclusion = succeeded || tolerated ? 'success' : 'failure';
      failed ||= state.conclusion === 'failure';
    }
    const outputs = Object.fromEntries(
      Object.entries(job.outputs ?? {}).map(([name, value]) => [name, interpolate(value, this.#contexts())]),
    );
    return { result: failed ? 'failure' : 'success', outputs, workspaces: [this.#workspace], log: this.#log };
  }

  #contexts(): Contexts {
    const { given, job } = this.#input;
    const secrets = this.#options.secrets[environmentOf(job) ?? ''] ?? {};
    const runner = { os: isMac(this.#image) ? 'macOS' : 'Linux' };
    const { variables: vars } = this.#options;
    return { ...given, github: this.#runner.github(this.#run), runner, secrets, vars, steps: this.#steps };
  }

  async #runStep(step: Step, index: number, outputs: Record<string, string>): Promise<boolean> {
    this.#log += `::: ${this.#input.at}: ${nameOf(step, index)}\n`;
    if (!step.uses) return this.#runScript(step, index, outputs);
    const action = step.uses.split('@')[0] as string;
    // Whatever a job brings for its scripts they do not need that are not played.
    if (!this.#done || /\/(upload-artifact|attest)$/.test(action))
      Object.assign(outputs, this.#runAction(action, this.#inputsOf(step)));
    return true;
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
      checkOut(this.#options.origin, this.#workspace, this.#run.commit, inputs['fetch-depth'] === '0');
      return {};
    }
    if (action === 'actions/setup-node' || action === 'ossf/scorecard-action') return {};
    if (action === 'actions/upload-artifact') {
      const path = join(this.#workspace, inputs.path ?? '');
      return { 'artifact-id': this.#runner.artifacts.keep(this.#run, inputs.name ?? '', path) };
    }
    if (action === 'actions/download-artifact') {
      const place = join(this.#workspace, inputs.path ?? '');
      mkdirSync(place, { recursive: true });
      this.#runner.artifacts.fetch(this.#run, inputs['artifact-ids'] ?? '', place);
      return {};
    }
    if (action === 'actions/attest') {
      const { digests, sbom, bundle } = attest(this.#workspace, inputs, join(this.#home, 'tmp'));
      this.#options.attested(this.#run.commit, digests, sbom);
      return { 'bundle-path': bundle };
    }
    throw new Error(`an action that the replay does not know: ${action}`);
  }

  async #runScript(step: Step, index: number, outputs: Record<string, string>): Promise<boolean> {
    const { at } = this.#input;
    const contexts = this.#contexts();
    const given = Object.entries({ ...this.#input.job.env, ...step.env });
    const own = Object.fromEntries(given.map(([key, value]) => [key, interpolate(String(value), contexts)]));
    const ended = this.#done?.[index] ?? (await this.#playScript(step, index, own));
    this.#scripts[index] = ended;
    this.#log += ended.log;
    this.#runner.executed.push({
      at,
      step: nameOf(step, index),
      run: step.run as string,
      env: own,
      status: ended.status,
    });
    for (const line of ended.output.split('\n')) {
      const [key, value] = [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)];
      if (key) outputs[key] = value;
    }
    return ended.status === 0;
  }

  async #playScript(step: Step, index: number, own: Readonly<Record<string, string>>): Promise<ScriptEnd> {
    const outputFile = join(this.#home, 'output');
    writeFileSync(outputFile, '');
    const kill = this.#runner.takeKill(this.#input.at, nameOf(step, index));
    const env = { ...this.#environment(outputFile, kill !== undefined), ...own };
    const script = join(this.#home, 'step.sh');
    // Who watches and then kills may find the step ended on a busy machine: it kills its own group.
    writeFileSync(script, kill && kill.words === undefined ? 'kill -KILL 0' : (step.run as string));
    if (kill?.words !== undefined) Object.assign(env, killedAt(kill.words));
    const { status, log } = await this.#execute(script, env);
    return { status, log, output: readFileSync(outputFile, 'utf8') };
  }

  /** @param isKilled what is killed must be a process of its own */
  #environment(outputFile: string, isKilled: boolean): Record<string, string> {
    const { bin, macBin, repository, answers } = this.#options;
    const mac = this.#machine();
    const wait = this.#input.at === 'release.yml/wait' ? [join(bin, 'of-wait')] : [];
    const answered = answers?.(this.#input.at) && !isKilled ? [join(bin, 'answered')] : [];
    const path = [...(mac ? [macBin] : []), ...wait, ...answered, bin, quickCompiler()];
    return {
      PATH: path.join(':'),
      HOME: join(this.#home, 'home'),
      TMPDIR: join(this.#home, 'tmp'),
      RUNNER_TEMP: join(this.#home, 'tmp'),
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_REPOSITORY: repository,
      GITHUB_SHA: this.#run.commit,
      GITHUB_REF: 'refs/heads/main',
      GITHUB_EVENT_NAME: this.#run.event ?? 'push',
      GITHUB_EVENT_PATH: join(this.#home, 'event.json'),
      GITHUB_RUN_ATTEMPT: String(this.#run.attempt),
      GITHUB_WORKSPACE: this.#workspace,
      GITHUB_OUTPUT: outputFile,
      GITHUB_STEP_SUMMARY: join(this.#home, 'summary.md'),
      ...this.#tokens(),
      ...mac,
    };
  }

  /** What the stand-ins of a Mac are told; undefined on another machine. */
  #machine(): Readonly<Record<string, string>> | undefined {
    const image = this.#image;
    return isMac(image) ? { FAKE_IMAGE: image, ...this.#options.onMac?.(image) } : undefined;
  }

  /** A token can be asked for by every step of a job that may; its subject names the environment, or else the branch. */
  #tokens(): Readonly<Record<string, string>> {
    const { permissions } = this.#input.job;
    if ((permissions as Record<string, string> | undefined)?.['id-token'] !== 'write') return {};
    const { repository, tokensFor } = this.#options;
    const environment = environmentOf(this.#input.job);
    return (
      tokensFor?.(`repo:${repository}:${environment ? `environment:${environment}` : 'ref:refs/heads/main'}`) ?? {}
    );
  }

  /** Runs a script as the service does, `bash -eo pipefail`; its exit code is null when it was killed. */
  #execute(script: string, env: Record<string, string>): Promise<Pick<ScriptEnd, 'status' | 'log'>> {
    let log = '';
    return new Promise((done, reject) => {
      const argv = ['--noprofile', '--norc', '-eo', 'pipefail', script];
      const child = spawn('bash', argv, {
        cwd: this.#workspace,
        env,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (log += text));
      child.on('error', reject);
      child.on('close', (status) => done({ status, log }));
    });
  }
}

/** What has a command line kill its group, and so the step, as it writes words. */
const killedAt = (words: string) => ({
  NODE_OPTIONS: `--import ${resolve('test/support/signal-at-words.mjs')}`,
  SIGNALS: 'SIGKILL',
  SIGNALS_AT: words,
  SIGNALS_TO: '0',
});

const isMac = (image: string | undefined): image is string => /^(macos|xcode)-/.test(image ?? '');

const nameOf = (step: Step, index: number) => step.name ?? step.uses ?? `step ${index + 1}`;
