import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { type NetworkError, RefusedError } from '../../src/base/errors.ts';
import { writeWhole } from '../../src/base/files.ts';
import { accessBuffer } from '../../src/base/random-access.ts';
import { renderIssues } from '../../src/notary/log.ts';
import type { Notary } from '../../src/notary/notary.ts';
import { predictNotary } from '../../src/notary/predict/predict.ts';
import { type NotarizedFile, notarize, type SubmissionRecord } from '../../src/notary/submission.ts';
import { readXar } from '../../src/xar/read.ts';
import type { NotaryConnection } from '../notary/connection.ts';
import { extrasWith, type Manifest, type ManifestExtra } from '../plan/manifest.ts';
import { LOG_FILE } from '../plan/output-files.ts';
import { githubReport } from '../report/github.ts';
import { BegunOnly, type StageContext, type StageResult } from '../run.ts';
import { packagePaths } from './build-package.ts';

/** Packages that the notary has accepted. */
export interface NotarizedPackages {
  readonly kind: 'notarized-packages';
  /** The product first. */
  readonly paths: readonly string[];
}

/** One package on its way through the notary. */
interface Target {
  readonly file: NotarizedFile;
  readonly path: string;
  /** What the terminal calls it, short enough to stand before what the notary says. */
  readonly label: string;
  /** Path in the manifest for an extra package; null for the product, whose submission stands there by itself. */
  readonly extra: string | null;
}

/**
 * Has the notary accept the product and the extra packages; an earlier submission of the same bytes is resumed.
 *
 * All are submitted before the first is waited for. What Apple surely refuses is refused here, before anything is sent.
 */
export async function notarizePackages(
  notary: Notary,
  connection: NotaryConnection,
  context: NotarizeContext,
  manifest: Pick<Manifest, 'submission' | 'extras'>,
): Promise<StageResult<NotarizedPackages>> {
  const targets = await targetsOf(context.plan);
  for (const { file } of targets) await refuseHopeless(file, connection);
  const courier = new Courier(notary, connection, context, manifest);
  const pending: Target[] = [];
  for (const target of targets) if (!(await courier.submitted(target))) pending.push(target);
  // Not to wait at all is what `release --submit-only` asks for: the ids are in the manifest, and `--resume` goes on from them.
  if (pending.length > 0 && connection.waiting.maxWaitMs === 0) {
    throw new BegunOnly('submitted; not waiting for the verdicts, as asked');
  }
  for (const target of pending) await courier.accepted(target);
  const where = connection.mode === 'rehearsal' ? ' by the rehearsal notary' : '';
  return {
    value: { kind: 'notarized-packages', paths: targets.map(({ path }) => path) },
    summary: `Accepted${where}, ${courier.warnings === 0 ? 'no issues' : `${courier.warnings} warnings`}`,
  };
}

type NotarizeContext = Pick<StageContext, 'plan' | 'progress' | 'note' | 'signal' | 'again' | 'record'>;

async function targetsOf(plan: StageContext['plan']): Promise<Target[]> {
  const { product, ...extras } = packagePaths(plan);
  const target = async (path: string, label: string, isExtra: boolean): Promise<Target> => ({
    file: await unstapledFile(path),
    path,
    label,
    extra: isExtra ? relative(plan.outFolder, path) : null,
  });
  return Promise.all([
    target(product, 'package', false),
    ...Object.entries(extras).map(([name, path]) => target(path, name, true)),
  ]);
}

/** Brings packages to the notary and keeps the manifest's record of each. */
class Courier {
  warnings = 0;
  readonly #notary: Notary;
  readonly #connection: NotaryConnection;
  readonly #context: NotarizeContext;
  readonly #announced = new Set<string>();
  readonly #deadline: number | undefined;
  #submission: Manifest['submission'];
  #extras: readonly ManifestExtra[];

  constructor(
    notary: Notary,
    connection: NotaryConnection,
    context: NotarizeContext,
    { submission, extras = [] }: Pick<Manifest, 'submission' | 'extras'>,
  ) {
    this.#notary = notary;
    this.#connection = connection;
    this.#context = context;
    this.#submission = submission;
    this.#extras = extras;
    const { maxWaitMs } = connection.waiting;
    this.#deadline = maxWaitMs === undefined ? undefined : Date.now() + maxWaitMs;
  }

  /** Makes sure that the notary has a package; returns whether it has accepted it already. */
  async submitted(target: Target): Promise<boolean> {
    try {
      await this.#bring(target, 0);
      return true;
    } catch (error) {
      if ((error as NetworkError).code === 'NOTARY_WAIT') return false;
      throw error;
    }
  }

  /** Waits until a package is accepted; all of them within the time that the run may wait. */
  async accepted(target: Target): Promise<void> {
    await this.#bring(target, this.#deadline && Math.max(0, this.#deadline - Date.now()));
  }

  async #bring(target: Target, maxWaitMs: number | undefined): Promise<void> {
    const { plan, progress, note, signal, again } = this.#context;
    const { log } = await notarize(target.file, {
      notary: this.#notary,
      ...this.#connection.waiting,
      ...(maxWaitMs !== undefined && { maxWaitMs }),
      recorded: this.#recorded(target),
      record: (submission) => this.#record(target, submission),
      keepLog: async ({ source }) => {
        if (target.extra === null) await writeWhole(join(plan.outFolder, LOG_FILE), source);
      },
      goOn: () => again,
      tell: (words) => progress.update(`${target.label}: ${words}`),
      warn: (text) => note('warning', text),
      signal,
    });
    this.warnings += log?.issues.length ?? 0;
  }

  #recorded({ extra }: Target): Manifest['submission'] {
    if (extra === null) return this.#submission;
    return this.#extras.find(({ path }) => path === extra)?.submission ?? null;
  }

  /** Writes each new record to the manifest, and an id to the terminal and the job's summary the first time it is seen. */
  async #record({ extra, file, label }: Target, record: SubmissionRecord): Promise<void> {
    const submission = { ...record };
    if (extra === null) this.#submission = submission;
    else this.#extras = extrasWith(this.#extras, extra, { submission });
    await this.#context.record(extra === null ? { submission } : { extras: [...this.#extras] });
    if (this.#announced.has(record.id)) return;
    this.#announced.add(record.id);
    this.#context.note('fact', `submission id: ${record.id} (${label})`);
    const command = `npm run -s cli -- notarize --wait ${record.id}`;
    await githubReport({ GITHUB_STEP_SUMMARY: this.#connection.jobSummary }).summary(
      `Notary submission \`${record.id}\` of ${file.name}; to wait for it elsewhere: \`${command}\``,
    );
  }
}

/** Returns the bytes that are submitted: without a ticket that an earlier run may have stapled already. */
async function unstapledFile(path: string): Promise<NotarizedFile> {
  const whole = await readFile(path);
  const { trailing, checksum } = await readXar(accessBuffer(whole));
  const data = whole.subarray(0, trailing.offset);
  const sha256 = createHash('sha256').update(data).digest('hex');
  return { name: basename(path), data, sha256, tocDigest: checksum.value.toString('hex') };
}

async function refuseHopeless(file: NotarizedFile, { access: { trust } }: NotaryConnection): Promise<void> {
  const { issues } = await predictNotary(accessBuffer(file.data), { archiveName: file.name, trust, now: new Date() });
  if (issues.length === 0) return;
  throw new RefusedError('NOTARY_PREDICTED', `the notary would refuse the package\n${renderIssues(issues)}`, {
    hint: 'Nothing was sent. Mend what is named above and make the package anew.',
  });
}
