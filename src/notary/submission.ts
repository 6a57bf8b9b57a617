import { systemClock } from '../base/clock.ts';
import { RefusedError, VerificationError } from '../base/errors.ts';
import { type NotaryLog, renderIssues } from './log.ts';
import type { Notary, SubmissionState, SubmittedFile } from './notary.ts';
import { fetchLog, VERDICTS, type WaitOptions, waitForVerdict } from './wait.ts';

/** A submission as it must be kept on the disk: from it a run that was killed goes on. */
export interface SubmissionRecord {
  readonly id: string;
  /** `Uploading` until the object store has confirmed the file; from then on what the notary says. */
  readonly status: string;
  /** ISO 8601. */
  readonly submittedAt: string;
}

const IN_PROGRESS = 'In Progress';
/** Status of a record whose upload was not confirmed. */
export const UPLOADING = 'Uploading';

/** The file to be notarized. */
export interface NotarizedFile extends SubmittedFile {
  /** TOC digest of the package, hex: a ticket for other bytes is of no use. */
  readonly tocDigest: string;
}

/** Whom to ask, what is known already, and where to keep what becomes known. */
export interface NotarizeOptions extends WaitOptions {
  readonly notary: Notary;
  /** What an earlier run recorded. */
  readonly recorded: SubmissionRecord | null;
  /** Keeps a record; the next step waits for it. */
  readonly record: (record: SubmissionRecord) => Promise<void>;
  /** Keeps the log as soon as it is there, whatever the verdict. */
  readonly keepLog?: (log: NotaryLog) => Promise<void>;
  /** A submission whose upload was never confirmed is given up after this, in milliseconds from its creation. Default 15 min. */
  readonly lostUploadMs?: number;
}

/** An accepted submission. */
export interface Notarized {
  readonly id: string;
  readonly submittedAt: string;
  /** Null when it could not be fetched; the ticket alone decides then. */
  readonly log: NotaryLog | null;
}

/** 98 of 100 submissions have their answer by then, says Apple. */
const LOST_UPLOAD_MS = 15 * 60 * 1000;

/**
 * Returns the accepted submission of a file: an earlier one when there is one, else a new one.
 *
 * The same bytes are never submitted twice as long as an earlier submission may still come to an end: its name carries the start of
 * the file's SHA-256, and the team's history is looked at first.
 *
 * @throws RefusedError `NOTARY_INVALID` with the issues by path, `NOTARY_REJECTED`; VerificationError when the notary saw other
 *   bytes; NetworkError `NOTARY_WAIT` when the time to wait is over; what the API throws
 * @example await notarize(file, { notary, recorded: manifest.submission, record, tell, warn, goOn })
 */
export async function notarize(file: NotarizedFile, options: NotarizeOptions): Promise<Notarized> {
  const earlier = await findEarlier(file, options);
  const record =
    (earlier && (await bringToEnd(earlier, options))) ?? (await bringToEnd(await submit(file, options), options));
  if (record === null) throw new TypeError('a confirmed upload was given up');
  const log = await fetchLog(record.id, options);
  if (log) await options.keepLog?.(log);
  check(record, log, file);
  for (const warning of warningsOf(log)) options.warn(warning);
  return { id: record.id, submittedAt: record.submittedAt, log };
}

/** Returns the name under which a file is submitted: `Example-1.0.0.pkg` with `0123456789abcdef` makes `Example-1.0.0.0123456789abcdef.pkg`. */
export function submissionName(file: Pick<NotarizedFile, 'name' | 'sha256'>): string {
  const dot = file.name.lastIndexOf('.');
  return `${file.name.slice(0, dot)}.${file.sha256.slice(0, 16)}${file.name.slice(dot)}`;
}

async function findEarlier(file: NotarizedFile, options: NotarizeOptions): Promise<SubmissionRecord | null> {
  const { recorded, notary, signal } = options;
  // A team that was not allowed to notarize then may be now.
  if (recorded && recorded.status !== 'Rejected') return recorded;
  const name = submissionName(file);
  const same = (await notary.history(signal)).filter((one) => one.name === name && one.status !== 'Rejected');
  // An accepted one first, then any other verdict, then the newest that is under way.
  const found = same.find(isAccepted) ?? same.find(({ status }) => VERDICTS.has(status)) ?? same[0];
  if (!found) return null;
  options.tell(`the notary knows these bytes: submission ${found.id}, ${found.status}`);
  const status = VERDICTS.has(found.status) ? found.status : UPLOADING;
  const record = { id: found.id, status, submittedAt: found.createdDate };
  await options.record(record);
  return record;
}

const isAccepted = ({ status }: SubmissionState) => status === 'Accepted';

async function submit(file: NotarizedFile, options: NotarizeOptions): Promise<SubmissionRecord> {
  const { notary, tell, warn, signal, clock = systemClock } = options;
  let record: SubmissionRecord | undefined;
  const announced = async (id: string) => {
    record = { id, status: UPLOADING, submittedAt: clock.now().toISOString() };
    await options.record(record);
  };
  await notary.submit({ ...file, name: submissionName(file) }, { announced, tell, warn, signal });
  if (!record) throw new TypeError('a submission was made and its id never said');
  const uploaded = { ...(record as SubmissionRecord), status: IN_PROGRESS };
  await options.record(uploaded);
  return uploaded;
}

/** Waits for the verdict and records it; null when the upload of an earlier run seems never to have been finished. */
async function bringToEnd(record: SubmissionRecord, options: NotarizeOptions): Promise<SubmissionRecord | null> {
  const { clock = systemClock } = options;
  const confirmed = record.status !== UPLOADING;
  const giveUpAt = confirmed ? undefined : Date.parse(record.submittedAt) + (options.lostUploadMs ?? LOST_UPLOAD_MS);
  options.tell('waiting for the notary');
  const state = await waitForVerdict(record, { ...options, ...(giveUpAt && { giveUpAt }) });
  if (!VERDICTS.has(state.status)) {
    const minutes = Math.round((clock.now().getTime() - Date.parse(record.submittedAt)) / 60_000);
    options.warn(
      `submission ${record.id} is in progress for ${minutes} min and its upload was never confirmed: the package is submitted anew`,
    );
    return null;
  }
  const ended = { ...record, status: state.status };
  await options.record(ended);
  return ended;
}

function check(record: SubmissionRecord, log: NotaryLog | null, file: NotarizedFile): void {
  const { id, status } = record;
  if (status !== 'Accepted') throw refusal(id, status, log);
  if (!log) return;
  if (log.sha256 !== null && log.sha256 !== file.sha256) {
    const message = `the notary accepted other bytes: SHA-256 ${log.sha256}, ours is ${file.sha256} (submission ${id})`;
    throw new VerificationError('NOTARY_OTHER_BYTES', message, { hint: 'Run again without --resume.' });
  }
  const wanted = file.tocDigest.slice(0, 40);
  const named = log.ticketContents.map(({ cdhash }) => cdhash);
  if (named.length > 0 && !named.includes(wanted)) {
    const message = `no ticket of submission ${id} is for this package (TOC digest ${wanted})`;
    throw new VerificationError('NOTARY_OTHER_PACKAGE', message, { hint: 'Run again without --resume.' });
  }
}

function refusal(id: string, status: string, log: NotaryLog | null): RefusedError {
  if (status === 'Rejected') {
    const message = `the notary rejected submission ${id}: ${log?.statusSummary || 'no reason was given'}`;
    return new RefusedError('NOTARY_REJECTED', message, {
      hint: 'The account holder must ask Apple: https://developer.apple.com/contact/, topic Development and Technical.',
    });
  }
  const issues = log ? renderIssues(log.issues) : 'its log could not be fetched';
  const summary = log?.statusSummary ? ` (${log.statusSummary})` : '';
  return new RefusedError('NOTARY_INVALID', `the notary refused submission ${id}: ${status}${summary}\n${issues}`, {
    hint: 'Mend what is named above and make the package anew: the same bytes get the same answer.',
  });
}

function warningsOf(log: NotaryLog | null): string[] {
  return log && log.issues.length > 0 ? [`the notary warns:\n${renderIssues(log.issues)}`] : [];
}
