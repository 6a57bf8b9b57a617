import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { demandWritable, writeUnlessOther } from '../../src/base/files.ts';
import { demandFolder } from '../../src/base/place/folder.ts';
import { shownPath } from '../../src/base/place/shown.ts';
import { readWhole } from '../../src/base/with-file.ts';
import type { CommandContext, CommandResult, CommonOptions, Execute } from '../command.ts';
import { example, insteadOf, pathOption, replaceFileOption } from '../command.ts';
import { makeEvidence } from '../evidence/make-evidence.ts';
import { zip } from '../kit/zip.ts';
import { readPolicy } from '../plan/policy.ts';

/** Options of `evidence` as the command line gives them. */
export interface EvidenceOptions {
  readonly policy?: string;
  readonly attestation?: string;
  readonly out?: string;
  /** Take the place of a file with other contents. */
  readonly replace?: boolean;
}

/** Adds the options of `evidence`. */
export function configureEvidence(command: Command, execute: Execute): void {
  command
    .argument('<folder>', 'folder of a finished release, such as out/1.1.0')
    .addOption(pathOption('--policy <file>', 'policy that the package was held to'))
    .addOption(pathOption('--attestation <file>', 'Sigstore bundles of the release, one a line'))
    .addOption(pathOption('--out <file>', 'zip to write (default: in the folder)'))
    .addOption(replaceFileOption())
    .addHelpText('after', example('npm run -s cli -- evidence out/1.1.0 --policy policy.json'))
    .action((folder: string, options: EvidenceOptions & CommonOptions) =>
      execute((context) => evidence(context, folder, options), options),
    );
}

/** Gathers what speaks for a finished package in one zip, which `verify FILE --evidence ZIP` checks without the network. */
export async function evidence(_: CommandContext, folder: string, options: EvidenceOptions): Promise<CommandResult> {
  await demandFolder(folder);
  if (options.out !== undefined) await demandWritable(options.out);
  if (options.policy !== undefined) await readPolicy(resolve(options.policy));
  const read = async (path: string | undefined) => (path === undefined ? undefined : readWhole(resolve(path)));
  const { files, manifest } = await makeEvidence({
    folder: resolve(folder),
    policy: await read(options.policy),
    bundles: await read(options.attestation),
  });
  const suffix = manifest.mode === 'rehearsal' ? '-rehearsal' : '';
  const path = resolve(options.out ?? join(folder, `EscrowBuddy-${manifest.version}${suffix}-evidence.zip`));
  const written = await writeUnlessOther(path, zip(files, manifest.sourceDateEpoch), options.replace === true);
  const names = files.map(({ path: name }) => name).sort();
  return {
    document: { schema: 1, path, size: written.size, sha256: written.sha256, files: names },
    text: `Made ${shownPath(path)}${insteadOf(written)}: ${names.join(', ')}\n`,
  };
}
