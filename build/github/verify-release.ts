import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NetworkError, ToolError, VerificationError } from '../../src/base/errors.ts';
import { digestFile } from '../../src/base/files.ts';
import { retry } from '../../src/base/retry.ts';
import type { CommandContext, CommandResult } from '../cli.ts';
import { verify } from '../commands/verify.ts';
import { type Check, renderChecks } from '../report/checks.ts';
import { githubReport } from '../report/github.ts';
import type { ListedAsset } from './assets.ts';
import { commitOf, gh, ghApi, REHEARSAL_REPOSITORY, repositoryOf } from './gh.ts';

/** Options of `github verify-release` as the command line gives them. */
export interface VerifyReleaseOptions {
  /** SHA-256 that the package had when it was finished. */
  readonly expect?: string;
  /** Minutes to wait for GitHub's attestation of the release. */
  readonly wait?: string;
}

/**
 * Downloads a published release as anybody would and judges it: assets and digests, provenance, GitHub's attestation of the
 * release, and the package itself. Exit 0 when all is well, 6 otherwise.
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
    const package_ = await download(context, tag, folder, options);
    await examine('digests', () => package_.digests());
    await examine('provenance', () => provenance(context, package_.path));
    await examine('release-attestation', () => releaseAttestation(context, tag, Number(options.wait ?? '30')));
    await examine('package', () => judge(context, package_.path));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const ok = checks.every(({ status }) => status === 'pass');
  const table = renderChecks(checks);
  await githubReport(context.env).summary(`### ${tag} as a stranger sees it\n\n\`\`\`\n${table}\n\`\`\``);
  return { document: { schema: 1, tag, checks, ok }, text: `${table}\n`, exitCode: ok ? 0 : 6 };
}

interface Downloaded {
  readonly path: string;
  digests(): Promise<string>;
}

async function download(
  context: CommandContext,
  tag: string,
  folder: string,
  { expect }: VerifyReleaseOptions,
): Promise<Downloaded> {
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
  const path = join(folder, package_.name);
  return {
    path,
    async digests() {
      for (const { name, digest } of assets) {
        const found = `sha256:${(await digestFile(join(folder, name))).sha256}`;
        if (found !== digest) throw new VerificationError('ASSET_CHANGED', `${name}: ${found}, GitHub lists ${digest}`);
      }
      const { sha256 } = await digestFile(path);
      if (expect && sha256 !== expect) {
        throw new VerificationError('PACKAGE_CHANGED', `${package_.name}: sha256 ${sha256}, finished was ${expect}`);
      }
      return `${assets.length} assets, package sha256 ${sha256}`;
    },
  };
}

async function provenance(context: CommandContext, path: string): Promise<string> {
  const repository = repositoryOf(context.env);
  const argv = ['attestation', 'verify', path, '--repo', repository];
  const from = ['--signer-workflow', `${repository}/.github/workflows/release.yml`, '--source-ref', 'refs/heads/main'];
  await gh(context, [...argv, ...from, '--source-digest', commitOf(context.env), '--deny-self-hosted-runners']);
  return `made by release.yml from ${commitOf(context.env)}`;
}

/** GitHub signs its statement of a release some minutes after publication; up to 20 were seen. */
async function releaseAttestation(context: CommandContext, tag: string, minutes: number): Promise<string> {
  await retry(() => gh(context, ['release', 'verify', tag, '--repo', repositoryOf(context.env)]), {
    delaysMs: Array.from({ length: minutes * 2 }, () => 30_000),
    retryable: (error) => error instanceof ToolError || error instanceof NetworkError,
    signal: context.signal,
  });
  return `GitHub attests ${tag}`;
}

async function judge(context: CommandContext, path: string): Promise<string> {
  const trust = context.env.GITHUB_REPOSITORY === REHEARSAL_REPOSITORY ? 'rehearsal' : 'apple';
  const { exitCode, text } = await verify(context, path, { trust });
  if (exitCode === 0) return text.trim().split('\n').at(-1) ?? '';
  throw new VerificationError('PACKAGE_INVALID', text);
}
