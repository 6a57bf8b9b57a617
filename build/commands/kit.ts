import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { demandWritable, writeUnlessOther } from '../../src/base/files.ts';
import { shownPath } from '../../src/base/place/shown.ts';
import { readWhole } from '../../src/base/with-file.ts';
import {
  type CommandContext,
  type CommandResult,
  type CommonOptions,
  type Execute,
  example,
  insteadOf,
  pathOption,
  replaceFileOption,
} from '../command.ts';
import { checkKit } from '../kit/check-kit.ts';
import { readKitFacts } from '../kit/facts.ts';
import { downloadUrl, makeKit } from '../kit/make-kit.ts';
import { zip } from '../kit/zip.ts';
import { readConfig } from '../plan/config.ts';
import { EXTRA_PACKAGES, type ExtraPackage, REHEARSAL_SUFFIX } from '../plan/plan.ts';
import { renderChecks } from '../report/checks.ts';

/** Options of `kit` as the command line gives them. */
export interface KitOptions {
  readonly check?: string;
  readonly url?: string;
  readonly extras?: string;
  readonly out?: string;
  /** Take the place of a file with other contents. */
  readonly replace?: boolean;
}

/** Adds the options of `kit`. */
export function configureKit(command: Command, execute: Execute): void {
  command
    .argument('<file>', 'finished package of this project')
    .addOption(pathOption('--check <zip>', 'make nothing: tell whether this kit belongs to the package'))
    .option('--url <address>', 'address from which Macs will fetch the package')
    .addOption(
      pathOption(
        '--extras <folder>',
        'folder with the Guard, Uninstall and Request packages (default: extras/ beside the package)',
      ),
    )
    .addOption(pathOption('--out <file>', 'zip to write (default: beside the package)'))
    .addOption(replaceFileOption())
    .addHelpText(
      'after',
      example(
        'npm run -s cli -- kit out/1.1.0/Escrow.Buddy-1.1.0.pkg --url https://dl.example.org/Escrow.Buddy-1.1.0.pkg',
      ),
    )
    .action((file: string, options: KitOptions & CommonOptions) =>
      execute((context) => kit(context, file, options), options),
    );
}

/** Makes the MDM kit of a finished package, or tells whether one belongs to it (exit 6 when not). */
export async function kit(context: CommandContext, file: string, options: KitOptions): Promise<CommandResult> {
  return options.check === undefined ? make(context, file, options) : check(context, file, options.check);
}

async function check({ root }: CommandContext, file: string, archive: string): Promise<CommandResult> {
  const checks = await checkKit(root, await readWhole(archive), resolve(file));
  const valid = checks.every(({ status }) => status !== 'fail');
  const verdict = valid ? `${archive} belongs to ${file}.` : `${archive} does not belong to ${file}.`;
  return {
    document: { schema: 1, checks, valid },
    text: `${renderChecks(checks)}\n${verdict}\n`,
    exitCode: valid ? 0 : 6,
  };
}

async function make({ root }: CommandContext, file: string, options: KitOptions): Promise<CommandResult> {
  if (options.out !== undefined) await demandWritable(options.out);
  const packagePath = resolve(file);
  const { version } = await readKitFacts(packagePath);
  const config = await readConfig(root);
  const { output } = config;
  // A rehearsal says in the names of all its files what it is.
  const suffix = basename(packagePath).endsWith(`${REHEARSAL_SUFFIX}.pkg`) ? REHEARSAL_SUFFIX : '';
  const named = (template: string) => template.replaceAll('{version}', `${version}${suffix}`);
  const folder = resolve(options.extras ?? join(dirname(packagePath), 'extras'));
  const extras = Object.fromEntries(EXTRA_PACKAGES.map((name) => [name, join(folder, named(output[name]))])) as Record<
    ExtraPackage,
    string
  >;
  const url = checkedUrl(options.url ?? downloadUrl(config, version, basename(packagePath)));
  const files = await makeKit({ root, packagePath, extras, url });
  const path = resolve(options.out ?? join(dirname(packagePath), named(output.kit)));
  const written = await writeUnlessOther(path, zip(files, 0), options.replace === true);
  return {
    document: {
      schema: 1,
      path,
      size: written.size,
      sha256: written.sha256,
      files: files.map(({ path: name }) => name).sort(),
    },
    text: `Made ${shownPath(path)}${insteadOf(written)}: ${files.length} files\n`,
  };
}

function checkedUrl(url: string): string {
  if (/^https:\/\/[^\s"'<>\\]+$/.test(url) && URL.canParse(url)) return url;
  throw new UsageError(
    'URL_INVALID',
    `--url ${JSON.stringify(url)}: allowed is an https address without blanks and quotes`,
  );
}
