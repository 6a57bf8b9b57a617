import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { PipelineError, UsageError } from '../../src/base/errors.ts';
import { demandWritable, writeUnlessOther } from '../../src/base/files.ts';
import { KIND_HEAD_SIZE, KIND_NAMES, kindOfFile } from '../../src/base/input/file-kind.ts';
import { shownPath } from '../../src/base/place/shown.ts';
import type { RandomAccess } from '../../src/base/random-access.ts';
import { readWhole, withFile } from '../../src/base/with-file.ts';
import { type OpenPackage, openPackage } from '../../src/package/open-package.ts';
import { appleTrust, type Trust } from '../../src/pki/x509/apple-roots.ts';
import { openRehearsalAuthority, REHEARSAL_FOLDER, REHEARSAL_TEAM } from '../../src/rehearsal/authority.ts';
import type { OurForm } from '../../src/verify/expectations.ts';
import { verifyPackage } from '../../src/verify/verify-package.ts';
import {
  type CommandContext,
  type CommandResult,
  type CommonOptions,
  type Execute,
  example,
  insteadOf,
  pathOption,
  trustOption,
} from '../command.ts';
import { attestationTrust, signerOption, trustedRootOption } from '../evidence/attestation-options.ts';
import type { EvidenceSubject } from '../evidence/check-evidence.ts';
import { CONFIG_FILE, readConfig } from '../plan/config.ts';
import { readPolicy } from '../plan/policy.ts';
import { demandKind, FLAT_PACKAGE, refuseFolder } from '../report/demand-kind.ts';
import { renderVerificationPage } from '../report/verification/page.ts';
import { renderVerification } from '../report/verification.ts';
import { verificationDocument } from '../report/verification-document.ts';
import { claimedPackage, makerOf, ourForm } from '../stages/our-form.ts';

/** Options of `verify` as the command line gives them. */
export interface VerifyOptions {
  readonly trust?: Trust['name'];
  readonly policy?: string;
  readonly madeBy?: OurForm['madeBy'];
  /** Where to write the report as a page. */
  readonly html?: string;
  /** Let the page take the place of another one. */
  readonly replace?: boolean;
  readonly evidence?: string;
  readonly trustedRoot?: string;
  readonly signer?: string;
}

/** Adds the options of `verify`. */
export function configureVerify(command: Command, execute: Execute): void {
  command
    .argument('<file>', 'flat package')
    .addOption(trustOption("whose signatures are believed: Apple's, or the rehearsal authority of this checkout"))
    .addOption(
      pathOption(
        '--policy <file>',
        'JSON file with demands of your own: team, minimumMacOS, allowedPaths, allowedMechanisms, forbid',
      ),
    )
    .addOption(
      new Option(
        '--made-by <tools>',
        'whose tools made a package of this project (default: as configured, or as the release.json beside it records)',
      ).choices(['portable', 'apple']),
    )
    .addOption(pathOption('--html <file>', 'write the report as one page of HTML, too'))
    .addOption(new Option('--replace', 'let that page take the place of another one'))
    .addOption(pathOption('--evidence <zip>', 'what `evidence` gathered: holds every statement in it to the package'))
    .addOption(trustedRootOption())
    .addOption(signerOption())
    .addHelpText('after', example('npm run -s cli -- verify Escrow.Buddy-1.1.0.pkg --policy policy.json'))
    .action((file: string, options: VerifyOptions & CommonOptions) =>
      execute((context) => verify(context, file, options), options),
    );
}

/** Checks a finished package, ours or another's; exit 0 when every check passed, 6 otherwise. */
export async function verify(context: CommandContext, file: string, options: VerifyOptions): Promise<CommandResult> {
  const trust = await trustOf(context, options.trust);
  const policy = options.policy === undefined ? undefined : await readPolicy(resolve(options.policy));
  const evidence = options.evidence === undefined ? undefined : await readWhole(options.evidence);
  const attestation = await attestationTrust(options, evidence !== undefined);
  if (options.html !== undefined) await demandPage(options.html);
  await refuseFolder(file, FLAT_PACKAGE);
  return withFile(file, async (access) => {
    // What is of no known kind may be a damaged package: the report says so.
    await demandKind(access, file, ['package', 'unknown'], FLAT_PACKAGE);
    const ours = await formOf(file, access, context.root, { trust, madeBy: options.madeBy });
    const checked = await verifyPackage(access, { trust, now: new Date(), ours, policy });
    const more = evidence ? await checkEvidence(evidence, { file, trust, ours, attestation }) : [];
    const valid = checked.valid && more.every(({ status }) => status !== 'fail');
    const report = { ...checked, checks: [...checked.checks, ...more], valid };
    if (options.html !== undefined) await writePage(context, options, renderVerificationPage(file, report, trust));
    return {
      document: verificationDocument(file, report, trust),
      text: renderVerification(file, report, { trust, verbose: context.verbose }),
      exitCode: report.valid ? 0 : 6,
    };
  });
}

/** Loaded when it is asked for: Sigstore's library takes a tenth of the time of all else. */
async function checkEvidence(zip: Buffer, subject: EvidenceSubject) {
  const { checkEvidence } = await import('../evidence/check-evidence.ts');
  return checkEvidence(zip, subject);
}

async function writePage({ progress }: CommandContext, { html = '', replace }: VerifyOptions, page: string) {
  const written = await writeUnlessOther(html, page, replace === true);
  progress.note('fact', `Wrote ${shownPath(html)}${insteadOf(written)}.`);
}

/** Another page may go when that is asked for; whatever else has that name, perhaps the package itself, never. */
async function demandPage(path: string): Promise<void> {
  await demandWritable(path);
  if (!existsSync(path)) return;
  const kind = await withFile(path, async (access) => {
    const head = await access.read(0, Math.min(KIND_HEAD_SIZE, access.size));
    return kindOfFile(head, Buffer.alloc(0));
  });
  if (kind === 'html' || kind === 'empty') return;
  throw new UsageError('TARGET_EXISTS', `${shownPath(path)} is there already, and is ${KIND_NAMES[kind]}`, {
    hint: 'Name another file with --html.',
  });
}

/** Returns whose signatures a command believes: what --trust names; without it, what it was called with, or Apple's roots. */
export async function trustOf(context: CommandContext, name: Trust['name'] | undefined): Promise<Trust> {
  return name === 'rehearsal' ? rehearsalTrust(context.root) : (context.trust ?? appleTrust());
}

/** Returns the trust of the rehearsal authority that a checkout keeps. */
async function rehearsalTrust(root: string): Promise<Trust> {
  const folder = join(root, REHEARSAL_FOLDER);
  if (existsSync(folder)) return (await openRehearsalAuthority(folder)).trust;
  throw new UsageError('REHEARSAL_MISSING', `there is no rehearsal authority in ${folder}`, {
    hint: 'A rehearsal is verified in the checkout that made it: run `npm start` there first.',
  });
}

/** Whatever says it is a package of this project is held to the form in which this project makes it. */
export async function formOf(
  file: string,
  access: RandomAccess,
  root: string,
  { trust, madeBy }: { readonly trust: Trust; readonly madeBy: OurForm['madeBy'] | undefined },
): Promise<OurForm | null> {
  // Outside a checkout nothing is ours; in one whose configuration is wrong nobody knows what is.
  if (!existsSync(join(root, CONFIG_FILE))) return null;
  const config = await readConfig(root);
  const name = claimedPackage(config, await openedPackage(access), file);
  if (!name) return null;
  const teamIdentifier = trust.name === 'rehearsal' ? REHEARSAL_TEAM : config.signing.teamIdentifier;
  const known = { madeBy: await makerOf(file, config, madeBy), teamIdentifier, version: null };
  return ourForm({ root, config }, name, known);
}

/** A package that cannot be opened is checked all the same: its report says why it cannot. */
async function openedPackage(access: RandomAccess): Promise<OpenPackage | undefined> {
  try {
    return await openPackage(access);
  } catch (error) {
    if (error instanceof PipelineError) return undefined;
    throw error;
  }
}
