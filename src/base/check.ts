import { PipelineError } from './errors.ts';

/** One thing that was looked at. `id` is stable for programs; `subject` names the file or slice when there are several. */
export interface Check {
  readonly id: string;
  readonly status: 'pass' | 'fail' | 'skipped';
  readonly reason?: string;
  readonly subject?: string;
}

/** Problems that are shown of one check; a file can have a hundred thousand. */
const MOST_SHOWN = 20;

function listed(problems: readonly string[]): string {
  const shown = problems.slice(0, MOST_SHOWN).join('; ');
  return problems.length > MOST_SHOWN ? `${shown}; and ${problems.length - MOST_SHOWN} more` : shown;
}

/** Collects checks about one subject; nothing that a file holds makes it throw. */
export class CheckList {
  readonly checks: Check[] = [];
  readonly #subject: string;

  constructor(subject: string) {
    this.#subject = subject;
  }

  /** @param reason what a person should know all the same */
  pass(id: string, reason?: string): void {
    this.checks.push({ id, status: 'pass', subject: this.#subject, ...(reason === undefined ? {} : { reason }) });
  }

  fail(id: string, reason: string): void {
    this.checks.push({ id, status: 'fail', reason, subject: this.#subject });
  }

  skip(id: string, reason: string): void {
    this.checks.push({ id, status: 'skipped', reason, subject: this.#subject });
  }

  /**
   * Records a failure with all `problems`, or a pass without any.
   *
   * @param remarks what a person should know all the same, when it passes
   */
  check(
    id: string,
    problems: readonly (string | false | undefined)[],
    remarks: readonly (string | false | undefined)[] = [],
  ): void {
    const isText = (problem: string | false | undefined) => typeof problem === 'string';
    const [found, notes] = [problems.filter(isText), remarks.filter(isText)];
    if (found.length > 0) this.fail(id, listed(found));
    else this.pass(id, notes.length > 0 ? listed(notes) : undefined);
  }

  /** Returns what `read` returns; when it throws an error about the file, records a failure and returns undefined. */
  read<T>(id: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      this.fail(id, error.message);
      return undefined;
    }
  }

  add(checks: readonly Check[]): void {
    this.checks.push(...checks);
  }
}
