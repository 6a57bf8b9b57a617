import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import type { Check } from '../../../src/base/check.ts';
import { NetworkError, ToolError, VerificationError } from '../../../src/base/errors.ts';
import { digestFile } from '../../../src/base/files.ts';
import { retry } from '../../../src/base/retry.ts';
import type { CommandContext, CommandResult, CommonOptions, Execute } from '../../command.ts';
import { verify } from '../../commands/verify.ts';
import { readConfig } from '../../plan/config.ts';
import { renderChecks } from '../../report/checks.ts';
import { githubReport } from '../../report/github.ts';
import type { VerificationDocument } from '../../report/verification-document.ts';
import { commitOf, gh, ghApi, REHEARSAL_REPOSITORY, repositoryOf } from '../gh.ts';
import { ATTESTATION_ASSET, assetSetProblems, type ListedAsset, SBOM_PREDICATE } from './assets.ts';
import { checkReport, checkSbom, checkSmoke, checkSums } from './verify-documents.ts';

/** Options of `github verify-release` as the command line gives them. */
export interface VerifyReleaseOptions {
  /** SHA-256 that the package had when it was finished. */
  readonly expect?: string;
  /** Minutes to wait for GitHub's attestation of the release. */
  readonly wait?: string;
}

/** Adds the options of `github verify-release`. */
export function configureVerifyRelease(command: Command, execute: Execute): void {
  command
    .argument('<tag>', 'such as v1.1.0')
    .option('--expect <sha256>', 'digest that the package had when it was finished')
    .option('--wait <minutes>', "how long to wait for GitHub's attestation of the release (default: 30)")
    .action((tag: string, options: VerifyReleaseOptions & CommonOptions) =>
      execute((context) => verifyRelease(context, tag, options), options),
    );
}

/**
 * Downloads a published release as anybody would and checks it: assets and digests, provenance, GitHub's attestation of the
 * release, the package itself, and what its report and its SBOM say of it. Exit 0 when all is well, 6 otherwise.
 */
export async function verifyRelease(
  context: CommandContext,
  tag: string,
  options: VerifyReleaseOptions,
): Promise<CommandResult> {
  const folder = await mkdtemp(join(tmpdir(), 'release-'));
  const checks: Check[] = [];
  const examine = async (id: string, work: () => Promise<string>) => {
    checks.push(
      await work().then(
        (reason): Check => ({ id, status: 'pass', reason }),
        (error: Error): Check => ({ id, status: 'fail', reason: error.message }),
      ),
    );
  };
  try {
    const { assets, path } = await download(context, tag, folder);
    const names = assets.map(({ name }) => name);
    await examine('assets', () => assetSet(context, tag, names));
    await examine('digests', () => digests(folder, assets, path, options));
    await examine('sums', () => checkSums(folder, names));
    await examine('smoke', () => checkSmoke(folder, path));
    await examine('provenance', () => provenance(context, folder, names));
    await examine('sbom-attestation', () => attested(context, path, ['--predicate-type', SBOM_PREDICATE]));
    await examine('release-attestation', () => releaseAttestation(context, tag, options.wait));
    const trust = context.env.GITHUB_REPOSITORY === REHEARSAL_REPOSITORY ? 'rehearsal' : 'apple';
    const checked = verify(context, path, { trust });
    await examine('package', async () => verdict(await checked));
    await examine('report', async () => checkReport(folder, (await checked).document as VerificationDocument));
    await examine('sbom', () => checkSbom(folder, path));
  } finally {
    await rm(folder, { recursive: true });
  }
  const ok = checks.every(({ status }) => status === 'pass');
  const table = renderChecks(checks);
  await githubReport(context.env).summary(`### ${tag} as a stranger sees it\n\n\`\`\`\n${table}\n\`\`\``);
  return { document: { schema: 1, tag, checks, ok }, text: `${table}\n`, exitCode: ok ? 0 : 6 };
}

interface Downloaded {
  readonly assets: readonly ListedAsset[];
  /** The package. */
  readonly path: string;
}

async function download(context: CommandContext, tag: string, folder: string): Promise<Downloaded> {
  const repository = repositoryOf(context.env);
  await gh(context, ['release', 'download', tag, '--repo', repository, '--dir', folder]);
  const { assets } = await ghApi<{ assets: ListedAsset[] }>(context, `repos/${repository}/releases/tags/${tag}`);
  const packages = assets.filter(({ name }) => name.endsWith('.pkg'));
  const [package_] = packages;
  if (!package_ || packages.length !== 1) {
    throw new VerificationError(
      'PACKAGE_MISSING',
      `${tag} has ${packages.length} assets that end in .pkg instead of one`,
    );
  }
  return { assets, path: join(folder, package_.name) };
}

async function assetSet(context: CommandContext, tag: string, names: readonly string[]): Promise<string> {
  const problems = assetSetProblems(names, await readConfig(context.root), tag.replace(/^v/, ''));
  if (problems.length > 0) throw new VerificationError('ASSETS_WRONG', problems.join('\n'));
  return `${names.length}, one of them a package`;
}

async function digests(
  folder: string,
  assets: readonly ListedAsset[],
  path: string,
  { expect }: VerifyReleaseOptions,
): Promise<string> {
  for (const { name, digest } of assets) {
    const found = `sha256:${(await digestFile(join(folder, name))).sha256}`;
    if (found !== digest) throw new VerificationError('ASSET_CHANGED', `${name}: ${found}, GitHub lists ${digest}`);
  }
  const { sha256 } = await digestFile(path);
  if (expect && sha256 !== expect) {
    throw new VerificationError('PACKAGE_CHANGED', `${basename(path)}: sha256 ${sha256}, finished was ${expect}`);
  }
  return `package sha256 ${sha256}`;
}

/** Every asset was attested but the attestation itself. */
async function provenance(context: CommandContext, folder: string, names: readonly string[]): Promise<string> {
  const files = names.filter((name) => name !== ATTESTATION_ASSET);
  for (const name of files) await attested(context, join(folder, name), []);
  return `${files.length} assets made by release.yml from ${commitOf(context.env)}`;
}

async function attested(context: CommandContext, path: string, options: readonly string[]): Promise<string> {
  const repository = repositoryOf(context.env);
  const argv = ['attestation', 'verify', path, '--repo', repository];
  const from = ['--signer-workflow', `${repository}/.github/workflows/release.yml`, '--source-ref', 'refs/heads/main'];
  await gh(context, [
    ...argv,
    ...from,
    '--source-digest',
    commitOf(context.env),
    '--deny-self-hosted-runners',
    ...options,
  ]);
  return `by release.yml from ${commitOf(context.env)}`;
}

/** GitHub signs its statement of a release some minutes after publication; up to 20 were seen. */
async function releaseAttestation(context: CommandContext, tag: string, wait: string | undefined): Promise<string> {
  await retry(() => gh(context, ['release', 'verify', tag, '--repo', repositoryOf(context.env)]), {
    delaysMs: attestationPauses(wait),
    retryable: (error) => error instanceof ToolError || error instanceof NetworkError,
    signal: context.signal,
  });
  return `GitHub attests ${tag}`;
}

/** Returns the pauses between questions for GitHub's attestation, in milliseconds, that last so many minutes; 30 without a word. */
export function attestationPauses(minutes = '30'): number[] {
  return Array.from({ length: Number(minutes) * 2 }, () => 30_000);
}

function verdict({ exitCode, text }: CommandResult): string {
  if (exitCode === 0) return text.trim().split('\n').at(-1) as string;
  throw new VerificationError('PACKAGE_INVALID', text);
}
