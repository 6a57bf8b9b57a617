import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ToolError } from '../../base/errors.ts';
import { runTool } from '../../base/run-tool.ts';

/** LLVM versions that link our bundle; Debian and Ubuntu put the version behind a program's name. */
const LLVM_VERSIONS = Array.from({ length: 12 }, (_, index) => 14 + index);

/**
 * Returns the name under which an LLVM program is on PATH: plain, or with its version behind it (`ld64.lld-14`).
 *
 * @throws ToolError `TOOL_MISSING` with the command that installs it
 */
export function findLlvmProgram(program: string, path = process.env.PATH ?? ''): string {
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  for (const name of [program, ...LLVM_VERSIONS.map((version) => `${program}-${version}`)]) {
    if (folders.some((folder) => existsSync(join(folder, name)))) return name;
  }
  throw new ToolError('TOOL_MISSING', program, `${program} is not on PATH (LLVM 14 or later)`, {
    hint: 'Debian, Ubuntu: sudo apt-get install -y clang lld    macOS: brew install llvm lld',
  });
}

/** Returns the version an LLVM program prints, such as `14.0.6`. */
export async function llvmVersion(program: string): Promise<string> {
  const { stdout } = await runTool(program, ['--version']);
  return /\b(\d+\.\d+\.\d+)\b/.exec(stdout)?.[1] ?? 'unknown';
}
