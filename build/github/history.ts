import { UsageError } from '../../src/base/errors.ts';
import { runTool } from '../../src/base/run-tool.ts';

/** The history of a checkout, read through git. */
export interface History {
  /** Full commit that a name stands for, or null when the history does not have it. */
  resolve(name: string): Promise<string | null>;
  /** Text of a file at a commit, or null when it was not there. */
  read(commit: string, path: string): Promise<string | null>;
  /** Lines that git prints; the command must succeed. */
  lines(...argv: string[]): Promise<string[]>;
}

/**
 * Returns the history of a work tree.
 *
 * @throws UsageError `HISTORY_MISSING` where git is missing, `root` is not a repository, or the checkout is a shallow one: what came
 *   before a commit would look as if it had never been
 */
export async function openHistory(root: string): Promise<History> {
  // The repository may belong to another user, as in a container; reading it is harmless.
  const git = async (...argv: string[]) =>
    (await runTool('git', ['-c', `safe.directory=${root}`, '-c', 'core.quotePath=true', '-C', root, ...argv])).stdout;
  const attempt = (...argv: string[]) => git(...argv).catch(() => null);
  if ((await attempt('rev-parse', '--is-shallow-repository'))?.trim() !== 'false') {
    throw new UsageError('HISTORY_MISSING', `${root} does not have the whole history of its commit`, {
      hint: 'Check out with `fetch-depth: 0`, or run `git fetch --unshallow`.',
    });
  }
  return {
    resolve: async (name) => (await attempt('rev-parse', '--verify', '--quiet', `${name}^{commit}`))?.trim() || null,
    read: (commit, path) => attempt('show', `${commit}:${path}`),
    lines: async (...argv) => (await git(...argv)).split('\n').filter((line) => line !== ''),
  };
}
