import { existsSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ToolError } from '../../base/errors.ts';
import { runTool } from '../../base/run-tool.ts';

/** LLVM versions that link our bundle; Debian and Ubuntu put the version behind a program's name. */
const LLVM_VERSIONS = Array.from({ length: 12 }, (_, index) => 14 + index);

/**
 * Returns the name under which an LLVM program is on PATH: plain, or with its version behind it (`ld64.lld-14`).
 *
 * A plain name that is not known to be LLVM 14 or later gives way to one with a version. The set-up step has asked each of them
 * for its version; here the place where the program really lies must do, which costs nothing.
 *
 * @throws ToolError `TOOL_MISSING` with the command that installs it
 */
export function findLlvmProgram(program: string, path = process.env.PATH ?? ''): string {
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  const placeOf = (name: string) => folders.map((folder) => join(folder, name)).find(existsSync);
  const plain = placeOf(program);
  const versioned = LLVM_VERSIONS.map((version) => `${program}-${version}`).find(placeOf);
  if (plain !== undefined && (versioned === undefined || isNewEnough(plain))) return program;
  if (versioned !== undefined) return versioned;
  throw new ToolError('TOOL_MISSING', program, `${program} is not on PATH (LLVM 14 or later)`, {
    hint: 'Debian, Ubuntu: sudo apt-get install -y clang lld    macOS: brew install llvm lld',
  });
}

/** Whether links lead to a file with a version in its path, such as /usr/lib/llvm-14/bin/clang, and that is one of ours. */
function isNewEnough(place: string): boolean {
  const version = /.*\b(?:llvm|clang|lld)[-@](\d+)\b/.exec(realpathSync(place))?.[1];
  return version !== undefined && Number(version) >= (LLVM_VERSIONS[0] as number);
}

/** Returns the version an LLVM program prints, such as `14.0.6`. */
export async function llvmVersion(program: string): Promise<string> {
  const { stdout } = await runTool(program, ['--version']);
  return /\b(\d+\.\d+\.\d+)\b/.exec(stdout)?.[1] ?? 'unknown';
}
