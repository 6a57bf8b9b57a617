import { UsageError } from '../../../src/base/errors.ts';
import { compareVersions } from '../../../src/base/version.ts';
import type { CommandContext, CommandResult } from '../../command.ts';
import { readConfig } from '../../plan/config.ts';
import { readVersion } from '../../plan/plan.ts';
import { githubReport } from '../../report/github.ts';
import { checkCertificates } from '../../signing/replay.ts';
import { commitOf, taggedVersions } from '../gh.ts';
import { type ChangelogEntry, changelogEntry, readChangelog } from './changelog.ts';
import { keysOf } from './keys.ts';
import { notOwnedReason } from './owner.ts';

/**
 * Runner images by toolchain: the one place that the switch in the configuration reaches the workflows.
 *
 * An image holds several Xcodes and its default moves, so DEVELOPER_DIR names one. Xcode 26.6 is the default of macos-26 since the
 * autumn of 2026 (release notes of actions/runner-images); that it stays there under this name is UNCERTAIN: once it is gone,
 * xcrun says `missing DEVELOPER_DIR path`, and this line and the workflows name a newer one. Linux has none.
 */
const RUNNERS = {
  apple: { runner: 'macos-26', 'developer-dir': '/Applications/Xcode_26.6.app/Contents/Developer' },
  portable: { runner: 'ubuntu-24.04', 'developer-dir': '' },
  auto: { runner: 'ubuntu-24.04', 'developer-dir': '' },
} as const;

/**
 * Decides whether this run releases the version: CHANGELOG.md gives it a date, it has no tag yet, nothing above it is published, and
 * it was this push that set it.
 *
 * It remembers nothing and looks at the repository alone, so it may run any number of times.
 *
 * @throws UsageError `CHANGELOG_HEADING`, `CHANGELOG_MISSING`, `HISTORY_MISSING`, `SIGNING_KEYS`, and those of `checkCertificates`
 */
export async function plan(context: CommandContext): Promise<CommandResult> {
  const version = await readVersion(context.root);
  const tag = `v${version}`;
  const [tags, entries, config] = await Promise.all([
    taggedVersions(context),
    readChangelog(context.root),
    readConfig(context.root),
  ]);
  const reason = await notReleasedReason(context, version, { tags, entries });
  const skipped = skippedVersions(entries, [...tags.keys()], version);
  const release = reason === null;
  const machine = RUNNERS[config.signing.toolchain];
  const keys = keysOf(context.env.SIGNING_KEYS, config);
  // A job whose key is elsewhere needs its certificate: better missed here than behind an approval.
  if (release && keys !== 'keychain') await checkCertificates({ root: context.root, config }, context.trust);
  const github = githubReport(context.env);
  for (const [name, value] of Object.entries({ release: String(release), version, tag, keys, ...machine })) {
    await github.output(name, value);
  }
  const where = keys === 'keychain' ? 'on a Mac' : `by keys in a service (${keys})`;
  const signed = keys === 'stored' ? '' : `, signed ${where}`;
  const headline = release ? `releases ${version} from ${commitOf(context.env)}${signed}` : `no release: ${reason}`;
  const skippedLines = skipped
    .map((one) => `${one} has a date in CHANGELOG.md and was never published: it is skipped\n`)
    .join('');
  await github.summary(`**${headline}**\n\n${skippedLines}`);
  return {
    document: { schema: 1, release, version, tag, runner: machine.runner, keys, reason, skipped },
    text: `${headline}\n${skippedLines}`,
  };
}

interface Known {
  readonly tags: ReadonlyMap<string, string>;
  readonly entries: readonly ChangelogEntry[];
}

async function notReleasedReason(
  context: CommandContext,
  version: string,
  { tags, entries }: Known,
): Promise<string | null> {
  const tagged = tags.get(version);
  if (tagged !== undefined) return `v${version} is published, at ${tagged}`;
  const entry = entries.find((one) => one.version === version);
  if (!entry) throw changelogMissing(version);
  if (!entry.released) return `CHANGELOG.md gives ${version} no date`;
  const newest = [...tags.keys()].at(-1);
  if (newest !== undefined && compareVersions(version, newest) < 0)
    return `${version} is below ${newest}, which is published`;
  return notOwnedReason(context.root, context.env, version);
}

/** Versions that have a date, lie between the newest published one and this one, and never got a tag. */
function skippedVersions(entries: readonly ChangelogEntry[], tags: readonly string[], version: string): string[] {
  const newest = tags.filter((tag) => compareVersions(tag, version) < 0).at(-1) ?? '0.0.0';
  return entries
    .filter((entry) => entry.released && !tags.includes(entry.version))
    .map((entry) => entry.version)
    .filter((one) => compareVersions(one, newest) > 0 && compareVersions(one, version) < 0)
    .sort(compareVersions);
}

/**
 * Holds a change to the rules of versions: the version is the newest tag's or higher, and CHANGELOG.md has an entry for it.
 *
 * @throws UsageError `VERSION_LOWER`, `CHANGELOG_MISSING`, `CHANGELOG_HEADING`
 */
export async function checkVersion(context: CommandContext): Promise<CommandResult> {
  const version = await readVersion(context.root);
  const newest = [...(await taggedVersions(context)).keys()].at(-1) ?? null;
  if (newest !== null && compareVersions(version, newest) < 0) {
    throw new UsageError('VERSION_LOWER', `package.json says ${version}, and ${newest} is published`, {
      hint: `Set a version above ${newest}.`,
    });
  }
  if ((await changelogEntry(context.root, version)) === null) throw changelogMissing(version);
  return {
    document: { schema: 1, version, newest },
    text: `${version}: ${newest === null ? 'nothing is published yet' : `newest published is ${newest}`}\n`,
  };
}

function changelogMissing(version: string): UsageError {
  return new UsageError('CHANGELOG_MISSING', `CHANGELOG.md has no heading for ${version}`, {
    hint: `Add "## ${version}, not released" and a line on what a user can act on.`,
  });
}
