import type { Command } from 'commander';
import type { AddCommand, Execute } from '../cli.ts';

/** Adds `github ...`: what the workflows in .github/ call. Each runs on a laptop too, with gh signed in. */
export function addGitHubCommands(program: Command, addCommand: AddCommand, execute: Execute): void {
  const github = program
    .command('github')
    .description('What the workflows in .github/ call.')
    .summary('what the workflows call');

  addCommand(
    github,
    'plan',
    'decide whether this commit is a release: its version has no tag and a date in CHANGELOG.md',
  ).action((options) => execute(async (context) => (await import('./release/plan.ts')).plan(context), options));
  addCommand(github, 'check-version', 'hold version and CHANGELOG.md to the rules of a release').action((options) =>
    execute(async (context) => (await import('./release/plan.ts')).checkVersion(context), options),
  );
  addCommand(github, 'pack', 'pack a folder into one archive with a digest that only its content decides')
    .argument('<folder>', 'folder to pack')
    .requiredOption('--to <file>', 'archive to write')
    .action((folder, options) =>
      execute(async (context) => (await import('./pack.ts')).pack(context, folder, options), options),
    );
  addCommand(github, 'summary', 'write what a run made into the page of the run')
    .argument('<folder>', 'folder with release.json')
    .action((folder, options) =>
      execute(async (context) => (await import('./release/summary.ts')).summary(context, folder), options),
    );
  addCommand(github, 'publish', 'draft, upload, read back, publish: an immutable release with exactly our assets')
    .requiredOption('--folder <folder>', 'folder of the finished version, out/<version>')
    .requiredOption('--bundle <file>', 'Sigstore bundle of the attestation')
    .action((options) =>
      execute(async (context) => (await import('./release/publish.ts')).publish(context, options), options),
    );
  addCommand(github, 'verify-release', 'download a published release as anybody would and judge it')
    .argument('<tag>', 'such as v1.1.0')
    .option('--expect <sha256>', 'digest that the package had when it was finished')
    .option('--wait <minutes>', "how long to wait for GitHub's attestation of the release (default: 30)")
    .action((tag, options) =>
      execute(
        async (context) => (await import('./release/verify-release.ts')).verifyRelease(context, tag, options),
        options,
      ),
    );
  addCommand(github, 'expiring-certificates', 'tell which certificates of the last published package end soon').action(
    (options) =>
      execute(async (context) => (await import('./upkeep/expiry.ts')).expiringCertificates(context), options),
  );
  addCommand(github, 'notary-access', 'tell whether the notary accepts the key, and so the agreement is signed').action(
    (options) => execute(async (context) => (await import('./upkeep/notary-access.ts')).notaryAccess(context), options),
  );
  addCommand(github, 'moved-pins', 'tell which tags of pinned actions have moved').action((options) =>
    execute(async (context) => (await import('./upkeep/expiry.ts')).movedPins(context), options),
  );
  addCommand(github, 'issue', 'open, update or close the one issue with what the weekly check found').action(
    (options) => execute(async (context) => (await import('./upkeep/issue.ts')).issue(context), options),
  );
}
