import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { NetworkError, UsageError, VerificationError } from '../../../src/base/errors.ts';
import { compareVersions } from '../../../src/base/version.ts';
import {
  type CommandContext,
  type CommandResult,
  type CommonOptions,
  type Execute,
  pathOption,
} from '../../command.ts';
import { readConfig } from '../../plan/config.ts';
import { type Manifest, readManifest } from '../../plan/manifest.ts';
import { githubReport } from '../../report/github.ts';
import { commitOf, gh, ghApi, REHEARSAL_REPOSITORY, repositoryOf, tagCommit } from '../gh.ts';
import { assetDifferences, releaseAssets } from './assets.ts';
import { changelogEntry } from './changelog.ts';
import { clearDrafts, listReleases, OUR_MARK, type Release } from './drafts.ts';
import { readReleasePage, releaseNotes } from './notes.ts';
import { verdictProblems } from './verdicts.ts';

/** Options of `github publish` as the command line gives them. */
export interface PublishOptions {
  readonly folder: string;
  readonly bundle: string;
  readonly verdicts: string;
}

/** Adds the options of `github publish`. */
export function configurePublish(command: Command, execute: Execute): void {
  command
    .addOption(pathOption('--folder <folder>', 'folder of the finished version, out/<version>').makeOptionMandatory())
    .addOption(pathOption('--bundle <file>', 'Sigstore bundle of the attestation').makeOptionMandatory())
    .addOption(pathOption('--verdicts <file>', 'what each Mac found that installed the package').makeOptionMandatory())
    .action((options: PublishOptions & CommonOptions) => execute((context) => publish(context, options), options));
}

/**
 * Publishes a finished version: draft, exact set of assets, digests read again, published, immutable.
 *
 * Every step can be repeated: a draft that an earlier attempt left is deleted by its id, and a release that was published with the
 * same assets is only checked.
 *
 * @throws VerificationError `SMOKE_INCOMPLETE`, `VERSION_RESERVED`, `RELEASE_DIFFERS`, `RELEASE_MUTABLE`, `TAG_ELSEWHERE`; UsageError
 *   `DRAFT_OF_SOMEBODY`, `TAG_RULE`
 */
async function publish(context: CommandContext, options: PublishOptions): Promise<CommandResult> {
  const folder = resolve(options.folder);
  const manifest = await readManifest(folder);
  if (!manifest) throw new UsageError('NOTHING_TO_PUBLISH', `${folder} holds no release.json`);
  refuseRehearsal(manifest.mode, context.env);
  const config = await readConfig(context.root);
  const later = { bundle: resolve(options.bundle), verdicts: resolve(options.verdicts) };
  const assets = await releaseAssets(folder, later, { config, manifest });
  await checkVerdicts(later.verdicts, assets, manifest);
  const tag = `v${manifest.version}`;
  const releases = await listReleases(context);
  const earlier = releases.find((release) => !release.draft && release.tag_name === tag);
  if (!earlier) await clearDrafts(context, tag, releases);
  const page = await readReleasePage(folder, manifest);
  const published =
    earlier ?? (await publishDraft(context, tag, { assets, manifest, page, latest: isNewest(releases, tag) }));
  const problems = assetDifferences(assets, published.assets);
  if (problems.length > 0) throw differs(tag, problems);
  await checkPublished(context, tag, published);
  await githubReport(context.env).summary(
    `Published [${tag}](${published.html_url})\n\n${assets.map(({ name, sha256 }) => `- \`${sha256}\` ${name}`).join('\n')}`,
  );
  return {
    document: { schema: 1, tag, id: published.id, url: published.html_url, assets },
    text: `Published ${published.html_url}\n${assets.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('')}`,
  };
}

/** No Mac trusts a rehearsal; it may only go where no Mac fetches anything. */
function refuseRehearsal(mode: string, env: CommandContext['env']): void {
  if (mode === 'release' || env.GITHUB_REPOSITORY === REHEARSAL_REPOSITORY) return;
  throw new UsageError('REHEARSAL_UNPUBLISHABLE', `release.json says mode ${mode}: no Mac trusts this package`, {
    hint: 'Set the secrets of the environments `signing` and `notary`; see docs/releasing.md.',
  });
}

/** Every Mac installed exactly this package. */
async function checkVerdicts(path: string, assets: Assets, manifest: Manifest): Promise<void> {
  const [{ name, sha256 }] = assets;
  const expected = { name, sha256, team: manifest.package?.teamIdentifier ?? null };
  const problems = verdictProblems(await readFile(path, 'utf8'), expected);
  if (problems.length === 0) return;
  throw new VerificationError('SMOKE_INCOMPLETE', `not every Mac installed this package:\n  ${problems.join('\n  ')}`, {
    hint: 'Re-run the job `install on` of each image that is named; attest and publish follow by themselves.',
  });
}

/** A version that is published after a higher one must not become the one that everybody is offered. */
function isNewest(releases: readonly Release[], tag: string): boolean {
  const published = releases.filter(({ draft, tag_name }) => !draft && /^v\d+\.\d+\.\d+$/.test(tag_name));
  return published.every(({ tag_name: other }) => compareVersions(other.slice(1), tag.slice(1)) < 0);
}

type Assets = Awaited<ReturnType<typeof releaseAssets>>;

interface Draft {
  readonly assets: Assets;
  readonly manifest: Manifest;
  /** Markdown of the release page. */
  readonly page: string;
  /** Whether no higher version is published. */
  readonly latest: boolean;
}

async function publishDraft(context: CommandContext, tag: string, draft: Draft): Promise<Release> {
  const repository = repositoryOf(context.env);
  const changes = (await changelogEntry(context.root, draft.manifest.version))?.text ?? '';
  const body = `${releaseNotes({ ...draft, repository, tag, changes })}\n${OUR_MARK}\n`;
  const created = await ghApi<Release>(context, `repos/${repository}/releases`, {
    method: 'POST',
    body: { tag_name: tag, target_commitish: commitOf(context.env), name: tag, body, draft: true },
  });
  const at = `repos/${repository}/releases/${created.id}`;
  for (const { path, name } of draft.assets) {
    context.progress.note('detail', `uploading ${name}`);
    await gh(context, ['release', 'upload', tag, path, '--repo', repository]);
  }
  const problems = assetDifferences(draft.assets, (await ghApi<Release>(context, at)).assets);
  if (problems.length > 0) throw differs(tag, problems);
  try {
    return await ghApi<Release>(context, at, {
      method: 'PATCH',
      body: { draft: false, make_latest: String(draft.latest) },
    });
  } catch (cause) {
    // The answer may be lost after the deed: what the release says now decides.
    const now = await ghApi<Release>(context, at);
    if (!now.draft) return now;
    if (/rule violations?|creations being restricted/i.test((cause as Error).message)) throw tagRule(tag, cause);
    throw new NetworkError('PUBLISH_FAILED', `${tag} is still a draft: ${(cause as Error).message}`, {
      cause,
      hint: 'Re-run the failed job: it deletes the draft and starts anew.',
    });
  }
}

async function checkPublished(context: CommandContext, tag: string, release: Release): Promise<void> {
  if (release.immutable !== true) {
    throw new VerificationError(
      'RELEASE_MUTABLE',
      `${tag} is published, but not immutable: its assets can be changed`,
      {
        hint: 'Enable immutable releases in the settings of the repository, then release the next patch version.',
      },
    );
  }
  const commit = await tagCommit(context, tag);
  if (commit !== commitOf(context.env)) {
    throw new VerificationError('TAG_ELSEWHERE', `${tag} is at ${commit}, this run is for ${commitOf(context.env)}`, {
      hint: 'Find out who made the tag before anybody installs this release.',
    });
  }
}

function tagRule(tag: string, cause: unknown): UsageError {
  return new UsageError('TAG_RULE', `a rule of the repository forbids to create ${tag}: ${(cause as Error).message}`, {
    cause,
    hint: "Settings, Rules: for tags v* restrict updates and deletions, not creations, which stops the job's token too. Then re-run the failed job.",
  });
}

function differs(tag: string, problems: readonly string[]): VerificationError {
  return new VerificationError(
    'RELEASE_DIFFERS',
    `${tag} does not have exactly our assets:\n  ${problems.join('\n  ')}`,
    {
      hint: 'Nothing was published by this run. Re-run the failed job; should it happen again, look who else uploads.',
    },
  );
}
