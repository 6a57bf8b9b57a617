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
import { type FileProblem, fileProblem } from '../src/base/place/file-problem.ts';
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

/** Returns the exit code for an error: who has to act decides. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return 2;
  if (error instanceof ToolError) return 3;
  if (error instanceof RefusedError) return 4;
  if (error instanceof NetworkError) return 5;
  if (error instanceof FormatError || error instanceof VerificationError) return 6;
  if (error instanceof InterruptedError) return 130;
  // The file system said no to a path that the person named or to the disk: theirs to mend.
  return problemOf(error) ? 2 : 1;
}

/** An error as `--json` prints it. */
export interface ErrorDocument {
  readonly schema: 1;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint: string | null;
    /** The command that comes to the end once the cause is gone; null where what was typed must be changed. */
    readonly again: string | null;
    readonly exitCode: number;
    /** What the words of a tool or service in the message stand for. */
    readonly known: readonly Explanation[];
  };
}

/** The commands with which a run that ended early comes to its end. */
export interface GoingOn {
  /** Goes on with what is there. */
  readonly again: string;
  /** Makes everything anew, where what is there was refused for good. */
  readonly anew: string;
}

/** What Apple refused by its bytes: the same bytes get the same answer. */
const REFUSED_BYTES: ReadonlySet<string> = new Set(['NOTARY_INVALID', 'NOTARY_PREDICTED']);

/** Returns an error as a document for programs. */
export function errorDocument(error: unknown, goingOn?: GoingOn): ErrorDocument {
  const exitCode = exitCodeOf(error);
  return {
    schema: 1,
    error: {
      code: error instanceof PipelineError ? error.code : ((error as NodeJS.ErrnoException | null)?.code ?? 'BUG'),
      message: messageOf(error),
      hint: hintOf(error, exitCode),
      again: (goingOn && wayOn(error, goingOn)?.command) ?? null,
      exitCode,
      known: explanationsOf(error),
    },
  };
}

/**
 * Returns an error as a person reads it: the message, then what to do next. The stack only for bugs, and under --verbose. Where time,
 * space, the network or Apple's consent was missing, the last line is the command that goes on.
 */
export function renderError(error: unknown, verbose: boolean, goingOn?: GoingOn): string {
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
  const way = goingOn && wayOn(error, goingOn);
  if (way && !lines.at(-1)?.endsWith(way.command)) lines.push(`${way.when}: ${way.command}`);
  return `${lines.join('\n')}\n`;
}

/** The command that comes to the end, and when; undefined where something that was typed or written must be changed first. */
function wayOn(error: unknown, { again, anew }: GoingOn): { when: string; command: string } | undefined {
  if (error instanceof RefusedError) {
    return { when: 'Once that is mended', command: REFUSED_BYTES.has(error.code) ? anew : again };
  }
  const isOutside = error instanceof InterruptedError || error instanceof NetworkError || error instanceof ToolError;
  return isOutside || problemOf(error)?.isFull ? { when: 'To go on', command: again } : undefined;
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

/** Returns what happened, in words for a person. */
export function messageOf(error: unknown): string {
  return problemOf(error)?.message ?? (error instanceof Error ? error.message : String(error));
}

/** What the file system refused; undefined for any other error. */
function problemOf(error: unknown): FileProblem | undefined {
  if (error instanceof PipelineError || !(error instanceof Error)) return undefined;
  return fileProblem(error);
}

/** Returns what to do now; null where nothing better than the message is known. */
export function hintOf(error: unknown, exitCode = exitCodeOf(error)): string | null {
  if (error instanceof FormatError)
    return error.hint ?? 'The file is damaged, or not what its name says. Fetch or build it anew.';
  if (error instanceof PipelineError) return error.hint ?? null;
  if (exitCode === 1) return 'This is a bug. Please report it with the lines below; they hold no secret.';
  return problemOf(error)?.hint ?? null;
}
