import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from '../../../src/pki/x509/certificate.ts';
import type { CommandContext, CommandResult } from '../../command.ts';
import { githubReport } from '../../report/github.ts';
import { gh, ghApi, repositoryOf } from '../gh.ts';
import { packageCertificates } from './package-certificates.ts';
import { readPins } from './pins.ts';

/** Days before the end of a certificate from which on the issue is opened: Apple takes weeks for a new team agent. */
const WARNING_DAYS = 60;
const DAY_MS = 86_400_000;

/**
 * Looks when the certificates of the last published package end; needs no signing secret, as a package carries them.
 *
 * Its findings, one line each, go to the output `findings`, joined by `; `, empty when all is well.
 */
export async function expiringCertificates(context: CommandContext): Promise<CommandResult> {
  const folder = await mkdtemp(join(tmpdir(), 'expiry-'));
  try {
    const repository = repositoryOf(context.env);
    const releases = await ghApi<{ draft: boolean; tag_name: string }[]>(
      context,
      `repos/${repository}/releases?per_page=20`,
    );
    const newest = releases.find(({ draft }) => !draft);
    if (!newest) return report(context, 'certificates', [], ['nothing is published yet']);
    const { tag_name: tag } = newest;
    await gh(context, [
      'release',
      'download',
      tag,
      '--repo',
      repository,
      '--dir',
      folder,
      '--pattern',
      '*.pkg',
      '--output',
      join(folder, 'package'),
    ]);
    const certificates = await packageCertificates(join(folder, 'package'), folder, context.signal);
    const lines = certificates.map((certificate) => lifetime(certificate, new Date()));
    return report(
      context,
      'certificates',
      lines.filter(({ ends }) => ends).map(({ text }) => `${tag}: ${text}`),
      lines.map(({ text }) => text),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Looks whether the tag of each pinned action is still at the commit that pins.json gives, and whether it may be fetched. */
export async function movedPins(context: CommandContext): Promise<CommandResult> {
  const findings: string[] = [];
  const entries: string[] = [];
  for (const [action, { tag, commit }] of Object.entries(await readPins(context.root))) {
    // The endpoint peels annotated tags; `git/ref` would give the tag object.
    const { sha } = await ghApi<{ sha: string }>(context, `repos/${action}/commits/${tag}`);
    entries.push(`${action} ${tag}`);
    if (sha !== commit) findings.push(`${action}: ${tag} is now at ${sha}, pins.json says ${commit}`);
  }
  return report(context, 'pins', findings, entries);
}

function lifetime({ commonName, notAfter }: Certificate, now: Date): { ends: boolean; text: string } {
  const days = Math.floor((notAfter.getTime() - now.getTime()) / DAY_MS);
  return {
    ends: days < WARNING_DAYS,
    text: `${commonName} ends in ${days} days, on ${notAfter.toISOString().slice(0, 10)}`,
  };
}

async function report(
  context: CommandContext,
  subject: string,
  findings: readonly string[],
  entries: readonly string[],
): Promise<CommandResult> {
  await githubReport(context.env).output('findings', findings.join('; '));
  const reported = findings.length === 0 ? entries : findings;
  return { document: { schema: 1, subject, findings }, text: reported.map((line) => `${line}\n`).join('') };
}
