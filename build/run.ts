import { InterruptedError } from '../src/base/errors.ts';
import { makeFolder } from '../src/base/place/folder.ts';
import { messageOf } from './exit-code.ts';
import { type Manifest, writeManifest } from './plan/manifest.ts';
import type { Plan } from './plan/plan.ts';
import type { Progress, StageProgress } from './report/progress.ts';

/** The stages of a release, in order. */
export const STAGES = [
  'compile',
  'generate-scripts',
  'sign-code',
  'assemble-payload',
  'build-package',
  'sign-package',
  'notarize',
  'staple',
  'verify',
  'publish',
] as const;
export type StageName = (typeof STAGES)[number];

/** The stages up to the signed package: a later run need not repeat them as long as it is unchanged. */
export const SIGNING_STAGES = STAGES.slice(0, STAGES.indexOf('sign-package') + 1);

/** A stage's result, the summary that the terminal shows for it, and the facts it adds to the manifest. */
export interface StageResult<T> {
  readonly value: T;
  readonly summary: string;
  readonly facts?: Partial<Manifest>;
}

/** What a stage is given beside its input. */
export interface StageContext {
  readonly plan: Plan;
  readonly progress: StageProgress;
  readonly note: Progress['note'];
  readonly signal: AbortSignal;
  /** The command that goes on where the run stops. */
  readonly again: string;
  /** Puts facts into the manifest at once, so that they outlive a run that is killed amid the stage. */
  readonly record: (facts: Partial<Manifest>) => Promise<void>;
}

/** Thrown when the stage named by --until is done; the release ends there as a success. */
export class ReachedStage extends Error {}

/** Thrown by a stage that was asked to begin something and not to wait for its end; the release ends there as a success. */
export class BegunOnly extends ReachedStage {}

/** One run: it times the stages, tells their story and writes the manifest after each of them. */
export class Run {
  readonly plan: Plan;
  readonly signal: AbortSignal;
  readonly #progress: Progress;
  readonly #until: StageName | undefined;
  readonly #again: string;
  #manifest: Manifest;

  constructor(options: {
    plan: Plan;
    progress: Progress;
    signal: AbortSignal;
    manifest: Manifest;
    again: string;
    until?: StageName | undefined;
  }) {
    this.plan = options.plan;
    this.signal = options.signal;
    this.#progress = options.progress;
    this.#until = options.until;
    this.#manifest = options.manifest;
    this.#again = options.again;
  }

  /** What happened so far, as release.json has it. */
  get manifest(): Manifest {
    return this.#manifest;
  }

  /** Puts facts into the manifest and writes it, so that a killed run can be resumed from them. */
  async record(facts: Partial<Manifest>): Promise<void> {
    this.#manifest = { ...this.#manifest, ...facts };
    await makeFolder(this.plan.outFolder);
    await writeManifest(this.plan.outFolder, this.#manifest);
  }

  /** Says that a stage need not run, because what it made in an earlier run is still there. */
  skip(name: StageName, summary: string): void {
    this.#progress.begin(name, this.#place(name));
    this.#progress.end('skipped', summary, 0);
    if (name === this.#until) throw new ReachedStage(name);
  }

  /** Runs one stage and returns what it made. */
  async stage<T>(name: StageName, work: (context: StageContext) => Promise<StageResult<T>>): Promise<T> {
    if (this.signal.aborted) throw new InterruptedError();
    const since = performance.now();
    const seconds = () => Math.round(performance.now() - since) / 1000;
    const progress = this.#progress.begin(name, this.#place(name));
    const record = (facts: Partial<Manifest>) => this.record(facts);
    const { plan, signal } = this;
    const context = { plan, progress, note: this.#progress.note, signal, again: this.#again, record };
    try {
      const { value, summary, facts } = await work(context);
      this.#progress.end('done', summary, seconds());
      await this.#recordStage(name, seconds(), 'done', facts);
      if (name === this.#until) throw new ReachedStage(name);
      return value;
    } catch (error) {
      if (error instanceof BegunOnly) this.#progress.end('done', error.message, seconds());
      if (!(error instanceof ReachedStage)) {
        this.#progress.end('failed', signal.aborted ? 'interrupted' : firstLine(error), seconds());
        await this.#recordStage(name, seconds(), 'failed').catch(() => undefined);
      }
      throw error;
    }
  }

  /** Which stage it is, of those that run when nothing fails. */
  #place(name: StageName): string {
    const last = this.#until === undefined ? STAGES.length : STAGES.indexOf(this.#until) + 1;
    return `${STAGES.indexOf(name) + 1}/${last}`;
  }

  async #recordStage(
    name: StageName,
    seconds: number,
    outcome: 'done' | 'failed',
    facts: Partial<Manifest> = {},
  ): Promise<void> {
    const others = this.#manifest.stages.filter((stage) => stage.name !== name);
    await this.record({ ...facts, stages: [...others, { name, seconds, outcome }] });
  }
}

function firstLine(error: unknown): string {
  return messageOf(error).split('\n')[0] as string;
}
