import { UsageError, VerificationError } from '../../../src/base/errors.ts';
import type { CommandContext } from '../../command.ts';
import { commitOf, ghApi, repositoryOf } from '../gh.ts';
import type { ListedAsset } from './assets.ts';

/** A release as GitHub's REST API shows it; `immutable` since API version 2022-11-28 of autumn 2025. */
export interface Release {
  readonly id: number;
  readonly tag_name: string;
  readonly draft: boolean;
  readonly immutable?: boolean;
  readonly html_url: string;
  readonly target_commitish: string;
  readonly body: string | null;
  readonly author: { readonly login: string } | null;
  readonly assets: readonly ListedAsset[];
}

/** Who makes a release with a job's token. Other workflows do too, so it is not enough to call a draft ours. */
const JOB_AUTHOR = 'github-actions[bot]';
/** Stands at the end of each release page of ours, and does not show. */
export const OUR_MARK = '<!-- written by release.yml -->';

/** Returns the repository's releases and drafts, newest first. */
export async function listReleases(context: CommandContext): Promise<readonly Release[]> {
  return ghApi<Release[]>(context, `repos/${repositoryOf(context.env)}/releases?per_page=100`);
}

/**
 * Deletes the drafts of a tag that an earlier attempt of this run left, so that the tag names one release.
 *
 * A draft of somebody else is left unchanged and stops the run, and so does one of ours for another commit: that commit has a
 * finished package, and one version is one package.
 *
 * @throws UsageError `DRAFT_OF_SOMEBODY`; VerificationError `VERSION_RESERVED`
 */
export async function clearDrafts(context: CommandContext, tag: string, releases: readonly Release[]): Promise<void> {
  const drafts = releases.filter((release) => release.draft && release.tag_name === tag);
  const commit = commitOf(context.env);
  for (const { author, body, html_url: url, target_commitish: target } of drafts) {
    if (author?.login !== JOB_AUTHOR || !body?.includes(OUR_MARK)) {
      throw new UsageError('DRAFT_OF_SOMEBODY', `${author?.login ?? 'somebody'} has a draft of ${tag}: ${url}`, {
        hint: 'Delete that draft or give it another tag, then re-run the failed job: two releases of one tag cannot be told apart.',
      });
    }
    if (target !== commit) {
      throw new VerificationError('VERSION_RESERVED', `a draft reserves ${tag} for the package of ${target}: ${url}`, {
        hint: `Re-run the failed jobs of the run of ${target}; or give its package up: delete the draft, then re-run this job.`,
      });
    }
  }
  for (const { id } of drafts) {
    context.progress.note('detail', `deleting the draft ${id} of an earlier run`);
    await ghApi(context, `repos/${repositoryOf(context.env)}/releases/${id}`, { method: 'DELETE' });
  }
}
