import type { Command } from 'commander';
import { addCommand, type CommandContext, type CommandResult, type Configure, type Execute } from '../command.ts';
import { configurePack } from './pack.ts';
import { checkVersion, plan } from './release/plan.ts';
import { configurePublish } from './release/publish.ts';
import { configureReview } from './release/review.ts';
import { configureSummary } from './release/summary.ts';
import { configureVerifyRelease } from './release/verify-release.ts';
import { expiringCertificates, movedPins } from './upkeep/expiry.ts';
import { fileIssue } from './upkeep/issue.ts';
import { notaryAccess } from './upkeep/notary-access.ts';
import { endingPlatforms } from './upkeep/platforms.ts';

/** What the workflows in .github/ call. Each runs on a laptop too, with gh signed in. */
const COMMANDS: readonly (readonly [name: string, summary: string, configure: Configure])[] = [
  [
    'plan',
    'decide whether this run releases the version: it has a date, no tag, and this push set it',
    withoutOptions(plan),
  ],
  ['check-version', 'hold version and CHANGELOG.md to the rules of a release', withoutOptions(checkVersion)],
  ['pack', 'pack a folder into one archive with a digest that only its content decides', configurePack],
  ['review', 'tell whoever approves the use of a key what is about to be signed, and what changed', configureReview],
  ['summary', 'write what a run made into the page of the run', configureSummary],
  ['publish', 'draft, upload, read back, publish: an immutable release with exactly our assets', configurePublish],
  ['verify-release', 'download a published release as anybody would and check it', configureVerifyRelease],
  [
    'expiring-certificates',
    'tell which certificates of the last published package end soon',
    withoutOptions(expiringCertificates),
  ],
  [
    'notary-access',
    'tell whether the notary accepts the key, and so the agreement is signed',
    withoutOptions(notaryAccess),
  ],
  ['moved-pins', 'tell which tags of pinned actions have moved', withoutOptions(movedPins)],
  ['ending-platforms', 'tell which machines of the workflows end soon', withoutOptions(endingPlatforms)],
  ['issue', 'open, update or close the one issue with what the weekly check found', withoutOptions(fileIssue)],
];

/** Adds the commands `github ...`. */
export function configureGitHub(github: Command, execute: Execute): void {
  github.description('What the workflows in .github/ call.');
  // Options that both commands have are taken by the outer one, wherever they stand.
  const executeInner: Execute = (work, options) => execute(work, { ...github.opts(), ...options });
  for (const [name, summary, configure] of COMMANDS) configure(addCommand(github, name, summary), executeInner);
}

function withoutOptions(work: (context: CommandContext) => Promise<CommandResult>): Configure {
  return (command, execute) => command.action((options) => execute(work, options));
}
