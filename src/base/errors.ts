/** What every error of this project carries beside its message. */
export interface ErrorDetails {
  /** One sentence that says what to do now; printed after `next:`. */
  readonly hint?: string;
  /** What made this error happen. */
  readonly cause?: unknown;
}

/**
 * An error that somebody outside this program can act upon.
 *
 * Its subclasses say who has to act, `code` is stable for programs, the message says what was being done, to what, what was
 * expected and what was found. Anything that is thrown and is not a PipelineError is a bug of ours (exit 1).
 */
export abstract class PipelineError extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = details.hint;
  }
}

/** The person at the keyboard has to change an argument, a file or a setting: exit 2. */
export class UsageError extends PipelineError {}

/** A file is not what its format demands: exit 6, as it fails verification. */
export class FormatError extends PipelineError {
  /** Name of the structure, as its specification calls it. */
  readonly format: string;
  /** Where the fault lies, in bytes from the start of the structure named by `format`. */
  readonly offset: number;

  /**
   * @param code stable code, such as `FORMAT_TRUNCATED`
   * @param format structure being read, such as `XarHeader`
   * @param offset bytes from the start of that structure
   * @param problem what was expected and what was found
   * @example new FormatError('FORMAT_INVALID', 'XarHeader', 4, 'expected header size 28, found 27')
   */
  constructor(code: string, format: string, offset: number, problem: string, details: ErrorDetails = {}) {
    super(code, `${format}, offset ${offset}: ${problem}`, details);
    this.format = format;
    this.offset = offset;
  }
}

/** A tool that we ran did not do its work: exit 3. */
export class ToolError extends PipelineError {
  readonly tool: string;

  constructor(code: string, tool: string, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
    this.tool = tool;
  }
}

/** Apple (or its rehearsal stand-in) looked at what we sent and said no: exit 4. */
export class RefusedError extends PipelineError {}

/** A service could not be reached, or a time limit ran out: exit 5. */
export class NetworkError extends PipelineError {}

/** A service could not be reached, and waiting does not help: somebody has to see to a certificate or a proxy first. */
export class BlockedError extends NetworkError {}

/** Something that should be true of a finished file is not: exit 6. */
export class VerificationError extends PipelineError {}

/** The run was interrupted by a signal or by its caller: exit 130. */
export class InterruptedError extends PipelineError {
  constructor(message = 'interrupted') {
    super('INTERRUPTED', message);
  }
}
