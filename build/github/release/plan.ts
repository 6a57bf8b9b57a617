import { UsageError } from '../../../src/base/errors.ts';
import { compareVersions } from '../../../src/base/version.ts';
import type { CommandContext, CommandResult } from '../../command.ts';
import { readConfig } from '../../plan/config.ts';
import { readVersion } from '../../plan/plan.ts';
import { githubReport } from '../../report/github.ts';
import { commitOf, tagCommit, taggedVersions } from '../gh.ts';
import { changelogEntry } from './changelog.ts';

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
 * Decides whether this commit is a release: its version has no tag yet, and CHANGELOG.md gives that version a date.
 *
 * It remembers nothing, so it may run any number of times: once the tag is there the answer is no.
 */
export async function plan(context: CommandContext): Promise<CommandResult> {
  const version = await readVersion(context.root);
  const tag = `v${version}`;
  const [tagged, entry, config] = await Promise.all([
    tagCommit(context, tag),
    changelogEntry(context.root, version),
    readConfig(context.root),
  ]);
  const reason =
    tagged !== null
      ? `${tag} is published, at ${tagged}`
      : entry?.released
        ? null
        : `CHANGELOG.md gives ${version} no date`;
  const release = reason === null;
  const machine = RUNNERS[config.signing.toolchain];
  const github = githubReport(context.env);
  for (const [name, value] of Object.entries({ release: String(release), version, tag, ...machine })) {
    await github.output(name, value);
  }
  const words = release ? `releases ${version} from ${commitOf(context.env)}` : `no release: ${reason}`;
  await github.summary(`**${words}**`);
  return { document: { schema: 1, release, version, tag, runner: machine.runner, reason }, text: `${words}\n` };
}

/**
 * Holds a change to the rules of versions: the version is the newest tag's or higher, and CHANGELOG.md has an entry for it.
 *
 * @throws UsageError `VERSION_LOWER`, `CHANGELOG_MISSING`
 */
export async function checkVersion(context: CommandContext): Promise<CommandResult> {
  const version = await readVersion(context.root);
  const newest = (await taggedVersions(context)).at(-1) ?? null;
  if (newest !== null && compareVersions(version, newest) < 0) {
    throw new UsageError('VERSION_LOWER', `package.json says ${version}, and ${newest} is published`, {
      hint: `Set a version above ${newest}.`,
    });
  }
  if ((await changelogEntry(context.root, version)) === null) {
    throw new UsageError('CHANGELOG_MISSING', `CHANGELOG.md has no heading for ${version}`, {
      hint: `Add "## ${version}, not released" and a line on what a user can act on.`,
    });
  }
  return {
    document: { schema: 1, version, newest },
    text: `${version}: ${newest === null ? 'nothing is published yet' : `newest published is ${newest}`}\n`,
  };
}
