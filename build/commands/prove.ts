import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Check } from '../../src/base/check.ts';
import { UsageError } from '../../src/base/errors.ts';
import { digestFile } from '../../src/base/files.ts';
import { demandFolder } from '../../src/base/place/folder.ts';
import { readWhole, withFile } from '../../src/base/with-file.ts';
import type { Trust } from '../../src/pki/x509/apple-roots.ts';
import { verifyPackage } from '../../src/verify/verify-package.ts';
import {
  type CommandContext,
  type CommandResult,
  type CommonOptions,
  type Execute,
  example,
  pathOption,
  trustOption,
} from '../command.ts';
import { checkAttestation } from '../evidence/attestation.ts';
import { attestationTrust, signerOption, trustedRootOption } from '../evidence/attestation-options.ts';
import { proveContents } from '../prove/prove.ts';
import { renderProof } from '../prove/render-proof.ts';
import { demandKind, FLAT_PACKAGE, refuseFolder } from '../report/demand-kind.ts';
import { formOf, trustOf } from './verify.ts';

/** Options of `prove` as the command line gives them. */
export interface ProveOptions {
  readonly source?: string;
  readonly trust?: Trust['name'];
  readonly attestation?: string;
  readonly trustedRoot?: string;
  readonly signer?: string;
}

/** Adds the options of `prove`. */
export function configureProve(command: Command, execute: Execute): void {
  command
    .argument('<file>', 'flat package of this project')
    .addOption(pathOption('--source <folder>', 'checkout of the tag that it was made from (default: this checkout)'))
    .addOption(trustOption("whose signatures are believed: Apple's, or the rehearsal authority of this checkout"))
    .addOption(pathOption('--attestation <file>', 'Sigstore bundles of the release, one a line'))
    .addOption(trustedRootOption())
    .addOption(signerOption())
    .addHelpText('after', example('npm run -s cli -- prove Escrow.Buddy-1.1.0.pkg --source ../escrow-buddy-1.1.0'))
    .action((file: string, options: ProveOptions & CommonOptions) =>
      execute((context) => prove(context, file, options), options),
    );
}

/**
 * Makes a package again from its sources, compares every byte that no key is needed for, and checks the rest as `verify` does; exit 0
 * when it is proven, 6 otherwise.
 */
export async function prove(context: CommandContext, file: string, options: ProveOptions): Promise<CommandResult> {
  const source = resolve(options.source ?? context.root);
  await demandFolder(source);
  const trust = await trustOf(context, options.trust);
  await refuseFolder(file, FLAT_PACKAGE);
  await withFile(file, (access) => demandKind(access, file, ['package'], FLAT_PACKAGE));
  const attested = await attestationChecks(file, options);
  const { signal, env } = context;
  const proof = await proveContents({ file, source, sourceDateEpoch: env.SOURCE_DATE_EPOCH, trust, signal });
  const report = await withFile(file, async (access) =>
    verifyPackage(access, {
      trust,
      now: new Date(),
      ours: await formOf(file, access, source, { trust, madeBy: undefined }),
    }),
  );
  const checks = [...proof.checks, ...report.checks, ...attested];
  const proven = checks.every(({ status }) => status !== 'fail');
  const { version, commit, tools } = proof;
  return {
    document: { schema: 1, file, source, version, commit, tools, trust: trust.name, checks, proven },
    text: renderProof(file, proof, checks, proven),
    exitCode: proven ? 0 : 6,
  };
}

async function attestationChecks(file: string, options: ProveOptions): Promise<readonly Check[]> {
  const trust = await attestationTrust(options, options.attestation !== undefined);
  if (options.attestation === undefined) return [];
  if (!trust) {
    throw new UsageError('ATTESTATION_TRUST', '--attestation needs --trusted-root and --signer', {
      hint: 'Nobody is believed by default: name the file with the root and the workflow that must have attested.',
    });
  }
  const { sha256 } = await digestFile(file);
  return checkAttestation(await readWhole(resolve(options.attestation)), sha256, trust);
}
