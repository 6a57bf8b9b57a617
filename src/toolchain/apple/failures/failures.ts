import { NetworkError, type PipelineError, RefusedError, ToolError, VerificationError } from '../../../base/errors.ts';
import type { ToolResult } from '../../../base/run-tool.ts';
import type { AppleTool, FailureKind, FailureRow } from './failure-row.ts';
import { NOTARY_FAILURES } from './notary-failures.ts';
import { PACKAGE_FAILURES } from './package-failures.ts';
import { SIGNING_FAILURES } from './signing-failures.ts';

/**
 * All known failures. The first row whose words occur counts, so rows that name a cause stand before those that only repeat that
 * there is one. Each has a recorded output in test/fixtures/apple-tools, with its source, but for those of a lost connection, of
 * HTTP 404 and 5xx, and of a signal.
 */
export const FAILURES: readonly FailureRow[] = [...SIGNING_FAILURES, ...PACKAGE_FAILURES, ...NOTARY_FAILURES];

/** The cause that a tool's words name. */
export interface NamedFailure {
  readonly code: string;
  readonly kind: FailureKind;
  /** What to do now. */
  readonly hint: string;
}

/**
 * Returns the cause that the words of a tool name, or undefined: then nothing is known but that it failed.
 *
 * A failure of xcrun itself, which starts some of the tools, is found under any tool's name.
 *
 * @example nameFailure('stapler', 'out.pkg does not have a ticket stapled to it.')?.code // 'STAPLE_MISSING'
 */
export function nameFailure(tool: AppleTool, words: string): NamedFailure | undefined {
  // xcrun's own words begin with its name; no other tool's do.
  const row =
    FAILURES.find(([of, , , match]) => of === tool && words.includes(match)) ??
    FAILURES.find(([of, , , match]) => of === 'xcrun' && words.includes('xcrun: error:') && words.includes(match));
  return row && { code: row[1], kind: row[2], hint: row[4] };
}

/**
 * Returns the error for a tool that failed: the one its words name, else ToolError `TOOL_FAILED` with the whole text. An unknown
 * failure is never taken for a success, and no exit code is trusted to say more than 'failed'.
 *
 * @example throw explainFailure('codesign', { exitCode: 1, stdout: '', stderr: 'X.bundle: errSecInternalComponent' })
 */
export function explainFailure(tool: AppleTool, result: ToolResult): PipelineError {
  const words = `${result.stdout}\n${result.stderr}`.trim();
  const failure = nameFailure(tool, words);
  const message = `${tool} ended with ${result.exitCode}${words === '' ? ' and said nothing' : `:\n${words}`}`;
  if (!failure) return new ToolError('TOOL_FAILED', tool, message);
  const { code, kind, hint } = failure;
  switch (kind) {
    case 'tool':
      return new ToolError(code, tool, message, { hint });
    case 'refused':
      return new RefusedError(code, message, { hint });
    case 'network':
      return new NetworkError(code, message, { hint });
    case 'verification':
      return new VerificationError(code, message, { hint });
    default:
      throw new TypeError(`no class for ${kind satisfies never}`);
  }
}
