import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type NetworkError, RefusedError } from '../../src/base/errors.ts';
import { writeWhole } from '../../src/base/files.ts';
import { accessBuffer } from '../../src/base/random-access.ts';
import { renderIssues } from '../../src/notary/log.ts';
import type { Notary } from '../../src/notary/notary.ts';
import { predictNotary } from '../../src/notary/predict/predict.ts';
import { type NotarizedFile, notarize, type SubmissionRecord } from '../../src/notary/submission.ts';
import { readXar } from '../../src/xar/read.ts';
import type { NotaryConnection } from '../notary/connection.ts';
import type { Manifest } from '../plan/manifest.ts';
import { LOG_FILE } from '../plan/output-files.ts';
import { githubReport } from '../report/github.ts';
import { BegunOnly, type StageContext, type StageResult } from '../run.ts';
import { packagePaths } from './build-package.ts';

/** A package that the notary has accepted. */
export interface NotarizedPackage {
  readonly kind: 'notarized-package';
  readonly path: string;
  readonly submissionId: string;
}

/**
 * Has the notary accept the package; an earlier submission of the same bytes is gone on with.
 *
 * What Apple surely refuses is refused here, before anything is sent.
 */
export async function notarizePackage(
  notary: Notary,
  connection: NotaryConnection,
  context: Pick<StageContext, 'plan' | 'progress' | 'note' | 'signal' | 'record'>,
  manifest: Pick<Manifest, 'submission'>,
): Promise<StageResult<NotarizedPackage>> {
  const { plan, progress, note, signal } = context;
  const path = packagePaths(plan).product;
  const file = await unstapledFile(path);
  await refuseHopeless(file, connection);
  const { id, log } = await notarize(file, {
    notary,
    ...connection.waiting,
    recorded: manifest.submission,
    record: announcer(connection, context),
    keepLog: async ({ source }) => void (await writeWhole(join(plan.outFolder, LOG_FILE), source)),
    goOn: () => 'npm start -- --resume',
    tell: progress.update,
    warn: (words) => note('warning', words),
    signal,
  }).catch((error: unknown) => {
    // Not to wait at all is what `release --submit-only` asks for: the id is in the manifest, and `--resume` goes on from it.
    if (connection.waiting.maxWaitMs !== 0 || (error as NetworkError).code !== 'NOTARY_WAIT') throw error;
    throw new BegunOnly('submitted; not waiting for the verdict, as asked');
  });
  const warnings = log?.issues.length ?? 0;
  const where = connection.mode === 'rehearsal' ? ' by the rehearsal notary' : '';
  return {
    value: { kind: 'notarized-package', path, submissionId: id },
    words: `Accepted${where}, ${warnings === 0 ? 'no issues' : `${warnings} warnings`}: ${id}`,
  };
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
    hint: 'Nothing was sent. Mend what is named above, then run npm start again, without --resume.',
  });
}

/** Writes each new record to the manifest, and an id to the terminal and the job's summary the first time it is seen. */
function announcer(
  { jobSummary }: NotaryConnection,
  { note, record }: Pick<StageContext, 'note' | 'record'>,
): (submission: SubmissionRecord) => Promise<void> {
  let announced: string | undefined;
  return async (submission) => {
    await record({ submission: { ...submission } });
    if (announced === submission.id) return;
    announced = submission.id;
    note('fact', `submission id: ${submission.id}`);
    const command = `npm run -s cli -- notarize --wait ${submission.id}`;
    await githubReport({ GITHUB_STEP_SUMMARY: jobSummary }).summary(
      `Notary submission \`${submission.id}\`; to wait for it elsewhere: \`${command}\``,
    );
  };
}
