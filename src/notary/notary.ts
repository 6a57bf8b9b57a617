import type { NotaryLog } from './log.ts';

/** What the notary says of a submission. `status` is `In Progress`, `Accepted`, `Invalid`, `Rejected`, or a word new to us. */
export interface SubmissionState {
  readonly id: string;
  readonly status: string;
  /** The name it was submitted under. */
  readonly name: string;
  /** ISO 8601. */
  readonly createdDate: string;
}

/** A file on its way to the notary. */
export interface SubmittedFile {
  /** The name under which the team's history lists it. */
  readonly name: string;
  readonly data: Buffer;
  /** Of `data`, hex. */
  readonly sha256: string;
}

/** What a submission tells while it is made. */
export interface SubmitOptions {
  /** Takes the id as soon as it is known, before the upload where that can be; the next step waits for it. */
  readonly announced: (id: string) => Promise<void>;
  readonly tell: (text: string) => void;
  readonly warn: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Apple's notary service as a release needs it, whoever speaks to it: this project's client of the REST interface, or notarytool.
 *
 * All throw UsageError for wrong credentials and unknown ids, RefusedError for what Apple refuses (a missing agreement),
 * NetworkError, InterruptedError.
 */
export interface Notary {
  /** Submits a file; what comes back means that the upload is complete. It does not wait for the verdict. */
  submit(file: SubmittedFile, options: SubmitOptions): Promise<void>;
  /** Asks once, without trying again: whoever polls comes back anyway. */
  status(id: string, signal?: AbortSignal): Promise<SubmissionState>;
  /** Returns the team's last submissions, at most 100, newest first. */
  history(signal?: AbortSignal): Promise<readonly SubmissionState[]>;
  /** Returns the log, or null while there is none. */
  log(id: string, signal?: AbortSignal): Promise<NotaryLog | null>;
  /** Returns how far this machine's clock is ahead of the notary's, in milliseconds, as of the last answer; null when that is not known. */
  clockSkewMs(): number | null;
}
