import { ToolError } from '../../base/errors.ts';
import { runTool, type ToolOptions, type ToolResult } from '../../base/run-tool.ts';
import { type AppleTool, toolError } from './tool-error.ts';

/** Programs of the selected Xcode, which xcrun finds; the others belong to macOS and are on PATH. */
const DEVELOPER_TOOLS: ReadonlySet<AppleTool> = new Set(['clang', 'ld', 'lipo', 'notarytool', 'stapler']);
const ANY_EXIT_CODE = Array.from({ length: 255 }, (_, index) => index + 1);

/** What is given to one of Apple's tools; `allowedExitCodes` are those whose output the caller checks. */
export type AppleToolOptions = Omit<ToolOptions, 'hint'>;

/**
 * Runs one of Apple's tools and returns what it printed.
 *
 * @throws the error of the failure that its words name: see `toolError`; what `runTool` throws for a time limit or interruption
 * @example await runAppleTool('stapler', ['validate', path], { timeoutMs: 60_000, signal })
 */
export async function runAppleTool(
  tool: AppleTool,
  argv: readonly string[],
  options: AppleToolOptions = {},
): Promise<ToolResult> {
  const [program, prefix] = DEVELOPER_TOOLS.has(tool) ? ['xcrun', ['--sdk', 'macosx', tool]] : [tool, []];
  const result = await start(tool, program, [...prefix, ...argv], options);
  const accepted = result.exitCode === 0 || options.allowedExitCodes?.includes(result.exitCode);
  if (!accepted) throw toolError(tool, result);
  return result;
}

async function start(tool: AppleTool, program: string, argv: readonly string[], options: AppleToolOptions) {
  try {
    return await runTool(program, argv, { ...options, allowedExitCodes: ANY_EXIT_CODE });
  } catch (error) {
    // Every exit code is allowed, so this is a tool that a signal ended: it crashed.
    if (error instanceof ToolError && error.code === 'TOOL_FAILED') {
      throw toolError(tool, { exitCode: 128, stdout: '', stderr: error.message });
    }
    throw error;
  }
}
