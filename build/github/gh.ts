import { UsageError } from '../../src/base/errors.ts';
import { runTool, type ToolResult } from '../../src/base/run-tool.ts';
import { compareVersions, isVersion } from '../../src/base/version.ts';

/** What `gh` needs to know of the job it runs in. */
export interface GitHubContext {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly signal: AbortSignal;
}

/** Minutes that an upload of a package may take on a slow runner, in milliseconds. */
const UPLOAD_TIMEOUT_MS = 600_000;

/** Runs GitHub's own command line; the token goes through the environment, never through argv. */
export async function gh(
  { env, signal }: GitHubContext,
  argv: readonly string[],
  options: { input?: string; cwd?: string } = {},
): Promise<ToolResult> {
  return runTool('gh', argv, {
    env: {
      GH_PROMPT_DISABLED: '1',
      GH_NO_UPDATE_NOTIFIER: '1',
      NO_COLOR: '1',
      ...(env.GH_TOKEN ? { GH_TOKEN: env.GH_TOKEN } : {}),
    },
    timeoutMs: UPLOAD_TIMEOUT_MS,
    signal,
    hint: 'Install gh (https://cli.github.com) and sign in, or set GH_TOKEN; then run again.',
    ...options,
  });
}

/** Returns the answer of GitHub's REST API. `body` is sent as JSON. */
export async function ghApi<T>(
  context: GitHubContext,
  path: string,
  { method = 'GET', body }: { method?: string; body?: object } = {},
): Promise<T> {
  const argv = ['api', '--method', method, path, ...(body ? ['--input', '-'] : [])];
  const { stdout } = await gh(context, argv, body ? { input: JSON.stringify(body) } : {});
  return (stdout.trim() === '' ? null : JSON.parse(stdout)) as T;
}

/**
 * Repository of a replay on a machine of one's own, whose release is a rehearsal. An owner on GitHub has no dot in its name, so
 * that no repository there can be taken for it.
 */
export const REHEARSAL_REPOSITORY = 'rehearsal.invalid/escrow-buddy';

/** Returns `owner/name` of the repository the job runs in. */
export function repositoryOf(env: GitHubContext['env']): string {
  const name = env.GITHUB_REPOSITORY ?? '';
  if (/^[\w.-]+\/[\w.-]+$/.test(name)) return name;
  throw new UsageError('REPOSITORY_UNKNOWN', `GITHUB_REPOSITORY: ${JSON.stringify(name)}: allowed is OWNER/NAME`, {
    hint: 'GitHub Actions sets it; elsewhere: GITHUB_REPOSITORY=OWNER/NAME.',
  });
}

/** Returns the commit that the run is for. */
export function commitOf(env: GitHubContext['env']): string {
  const commit = env.GITHUB_SHA ?? '';
  if (/^[0-9a-f]{40}$/.test(commit)) return commit;
  throw new UsageError('COMMIT_UNKNOWN', `GITHUB_SHA: ${JSON.stringify(commit)}: allowed are 40 hex digits`);
}

/** Returns the commit of a tag, or null when there is no such tag. */
export async function tagCommit(context: GitHubContext, tag: string): Promise<string | null> {
  // matching-refs answers an empty list where `ref` answers 404, which a missing permission answers too.
  const refs = await ghApi<{ ref: string; object: { sha: string } }[]>(
    context,
    `repos/${repositoryOf(context.env)}/git/matching-refs/tags/${tag}`,
  );
  return refs.find(({ ref }) => ref === `refs/tags/${tag}`)?.object.sha ?? null;
}

/** Returns the commit of each version that has a tag `vX.Y.Z`, oldest version first. */
export async function taggedVersions(context: GitHubContext): Promise<Map<string, string>> {
  const path = `repos/${repositoryOf(context.env)}/git/matching-refs/tags/v`;
  const refs = await ghApi<{ ref: string; object: { sha: string } }[]>(context, path);
  const versions = refs
    .map(({ ref, object }) => [ref.slice('refs/tags/v'.length), object.sha] as const)
    .filter(([version]) => version.split('.').length === 3 && isVersion(version));
  return new Map(versions.sort(([a], [b]) => compareVersions(a, b)));
}
