import { basename } from 'node:path';
import * as z from 'zod';
import type { Trust } from '../../src/pki/x509/apple-roots.ts';
import type { PackageReport } from '../../src/verify/expectations.ts';

/** Schema of what `verify --json` prints and of verify-report.json. */
export const VERIFICATION_SCHEMA = z.strictObject({
  schema: z.literal(1),
  file: z.string().describe('The file that was checked, as it was named; in verify-report.json its name alone'),
  trust: z.enum(['apple', 'rehearsal']).describe('Whose signatures were believed; no Mac trusts a rehearsal'),
  checks: z.array(
    z.strictObject({
      id: z.string().describe('Stable, for programs'),
      status: z.enum(['pass', 'fail', 'skipped']),
      subject: z.string().optional().describe('The file, component or slice that was looked at'),
      reason: z.string().optional(),
    }),
  ),
  facts: z.strictObject({
    identifier: z.string().nullable(),
    version: z.string().nullable(),
    tocDigest: z
      .string()
      .nullable()
      .describe("Digest of the archive's table of contents, hex: what the signature covers"),
    signer: z.string().nullable(),
    teamIdentifier: z.string().nullable(),
    timestamp: z.iso.datetime().nullable(),
    ticketIssuedAt: z.iso.datetime().nullable(),
  }),
  installs: z
    .array(
      z.object({
        identifier: z.string(),
        version: z.string(),
        installLocation: z.string(),
        numberOfFiles: z.number().describe('As PackageInfo says'),
      }),
    )
    .optional()
    .describe('What each component lays down; reports of before there was this list lack it'),
  mayDo: z
    .array(
      z.object({
        ability: z.string().describe('Stable, for programs: a name that a policy can forbid'),
        before: z.boolean().describe('Whether Installer does it before anybody has agreed'),
        found: z.string().describe('Where the package says so, and with which words'),
      }),
    )
    .optional()
    .describe('What the package may do beyond laying down files; reports of before there was this list lack it'),
  verdict: z.enum(['pass', 'fail']),
});

/** A checked package, as programs read it. */
export type VerificationDocument = z.infer<typeof VERIFICATION_SCHEMA>;

/** Returns the document about a checked package: every check with its result, what the package says of itself, the verdict. */
export function verificationDocument(
  file: string,
  { checks, facts, valid, installs, abilities }: PackageReport,
  trust: Pick<Trust, 'name'>,
): VerificationDocument {
  const { slices: _, timestamp, ticketIssuedAt, ...others } = facts;
  return {
    schema: 1,
    file,
    trust: trust.name,
    checks: [...checks],
    facts: {
      ...others,
      timestamp: timestamp?.toISOString() ?? null,
      ticketIssuedAt: ticketIssuedAt?.toISOString() ?? null,
    },
    installs: [...installs],
    mayDo: [...abilities],
    verdict: valid ? 'pass' : 'fail',
  };
}

/** Returns the text of verify-report.json; it names no folder of the machine that checked. */
export function renderVerifyReport(path: string, report: PackageReport, trust: Pick<Trust, 'name'>): string {
  return `${JSON.stringify(verificationDocument(basename(path), report, trust), null, 2)}\n`;
}
