import { APPLE_TABLES } from '../../apple-messages/apple-tables.ts';
import { findMessages } from '../../apple-messages/find-messages.ts';
import type { KnownMessage } from '../../apple-messages/message.ts';
import { NetworkError, type PipelineError, RefusedError, ToolError, VerificationError } from '../../base/errors.ts';
import type { ToolResult } from '../../base/run-tool.ts';

/** Apple's programs that this toolchain runs. */
export type AppleTool =
  | 'clang'
  | 'ld'
  | 'lipo'
  | 'codesign'
  | 'pkgbuild'
  | 'productbuild'
  | 'productsign'
  | 'notarytool'
  | 'stapler'
  | 'pkgutil'
  | 'spctl'
  | 'security'
  | 'xcrun';

/**
 * Returns the error for a tool that failed: the one its words name, else ToolError `TOOL_FAILED` with the whole text. An unknown
 * failure is never taken for a success, and no exit code is trusted to say more than 'failed'.
 *
 * @example throw toolError('codesign', { exitCode: 1, stdout: '', stderr: 'X.bundle: errSecInternalComponent' })
 */
export function toolError(tool: AppleTool, result: ToolResult): PipelineError {
  const output = `${result.stdout}\n${result.stderr}`.trim();
  const message = `${tool} ended with ${result.exitCode}${output === '' ? ' and said nothing' : `:\n${output}`}`;
  return namedFailure(tool, output, message) ?? new ToolError('TOOL_FAILED', tool, message);
}

/**
 * Returns the error that a tool's words name, or undefined: then nothing is known but that it failed.
 *
 * @example namedFailure('stapler', 'out.pkg does not have a ticket stapled to it.', 'stapler failed')?.code // 'STAPLE_MISSING'
 */
export function namedFailure(tool: AppleTool, output: string, message: string): PipelineError | undefined {
  for (const one of findMessages(APPLE_TABLES, output, tool)) {
    const error = errorOf(tool, one, message);
    if (error) return error;
  }
  return undefined;
}

/** Whoever has to act decides the class of the error; what stops nothing is not an error. */
function errorOf(tool: AppleTool, { kind, code, next }: KnownMessage, message: string): PipelineError | undefined {
  const details = { hint: next };
  switch (kind) {
    case 'tool':
      return new ToolError(code, tool, message, details);
    case 'refused':
      return new RefusedError(code, message, details);
    case 'network':
    case 'wait':
      return new NetworkError(code, message, details);
    case 'verification':
      return new VerificationError(code, message, details);
    case 'warning':
    case 'harmless':
    case 'silent':
      return undefined;
  }
}
