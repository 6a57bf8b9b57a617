import { basename } from 'node:path';
import {
  FormatError,
  InterruptedError,
  NetworkError,
  PipelineError,
  RefusedError,
  ToolError,
  UsageError,
  VerificationError,
} from '../src/base/errors.ts';
import { type Explanation, explain, renderExplanation } from './messages/advice.ts';

/** What each exit code means, for --help. */
export const EXIT_CODES: Readonly<Record<number, string>> = {
  0: 'done',
  1: 'a bug of this program',
  2: 'usage or configuration',
  3: 'a tool failed',
  4: 'refused by Apple',
  5: 'network or time limit',
  6: 'verification failed',
  130: 'interrupted',
};

/** What a file system answers to a wrong path, missing rights, or a disk, quota or table that is full. Source: errno(3). */
const FILE_SYSTEM_CODES = new Set([
  ...['ENOENT', 'EACCES', 'EPERM', 'ENOTDIR', 'EISDIR', 'EROFS', 'EEXIST', 'ENAMETOOLONG', 'ELOOP', 'EBUSY', 'ETXTBSY'],
  ...['ENOSPC', 'EDQUOT', 'EFBIG', 'EMFILE', 'ENFILE', 'EIO'],
]);

/** Returns the exit code for an error: who has to act decides. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return 2;
  if (error instanceof ToolError) return 3;
  if (error instanceof RefusedError) return 4;
  if (error instanceof NetworkError) return 5;
  if (error instanceof FormatError || error instanceof VerificationError) return 6;
  if (error instanceof InterruptedError) return 130;
  // The file system said no to a path that the person named or to the disk: theirs to mend.
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code !== undefined && FILE_SYSTEM_CODES.has(code)) return 2;
  return 1;
}

/** An error as `--json` prints it. */
export interface ErrorDocument {
  readonly schema: 1;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint: string | null;
    readonly exitCode: number;
    /** What the words of a tool or service in the message stand for. */
    readonly known: readonly Explanation[];
  };
}

/** Returns an error as a document for programs. */
export function errorDocument(error: unknown): ErrorDocument {
  const exitCode = exitCodeOf(error);
  return {
    schema: 1,
    error: {
      code: error instanceof PipelineError ? error.code : ((error as NodeJS.ErrnoException | null)?.code ?? 'BUG'),
      message: messageOf(error),
      hint: hintOf(error, exitCode),
      exitCode,
      known: explanationsOf(error),
    },
  };
}

/**
 * Returns an error as a person reads it: the message, then what to do next. The stack only for bugs, and under --verbose.
 */
export function renderError(error: unknown, verbose: boolean): string {
  const exitCode = exitCodeOf(error);
  const lines = [`error: ${messageOf(error)}`];
  const hint = hintOf(error, exitCode);
  const known = explanationsOf(error);
  if (hint !== null && !known.some(({ next }) => hint === next)) lines.push(`next: ${hint}`);
  lines.push(...known.map((one) => renderExplanation(one)));
  if ((verbose || exitCode === 1) && error instanceof Error) {
    lines.push(error.stack ?? '');
    for (let cause = error.cause; cause instanceof Error; cause = cause.cause)
      lines.push(`caused by: ${cause.stack ?? cause.message}`);
  }
  return `${lines.join('\n')}\n`;
}

/** What is known of the words of Apple's tools and services in an error, each cause once; what is harmless raises no alarm. */
function explanationsOf(error: unknown): Explanation[] {
  if (!(error instanceof PipelineError)) return [];
  const known = toolsIn(error).flatMap((tool) => explain(error.message, tool));
  const causes = new Map(known.map((one) => [one.code, one]));
  return [...causes.values()].filter(({ kind }) => kind !== 'harmless');
}

/** Whose words an error carries: its message begins with the tool that ended with another status than 0, whatever its class. */
function toolsIn(error: PipelineError): string[] {
  if (/^(NOTARY|UPLOAD)_/.test(error.code)) return ['notary-log', 'notary-api'];
  if (error instanceof ToolError) return [basename(error.tool)];
  const [, tool] = /^(\S+) ended with /.exec(error.message) ?? [];
  return tool === undefined ? [] : [tool];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function hintOf(error: unknown, exitCode: number): string | null {
  if (error instanceof FormatError)
    return error.hint ?? 'The file is damaged, or not what its name says. Fetch or build it anew.';
  if (error instanceof PipelineError) return error.hint ?? null;
  if (exitCode === 1) return 'This is a bug. Please report it with the lines below; they hold no secret.';
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC') return 'The disk is full. Free some space and run again; nothing half-written was left.';
  if (code === 'EDQUOT' || code === 'EFBIG')
    return 'You may not write that much there. Raise the limit or use another folder.';
  if (code === 'ENOENT') return 'Check the path.';
  return 'Check the path and who may read or write there.';
}
