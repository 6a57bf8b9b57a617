import * as z from 'zod';
import { documentIn } from '../base/document.ts';

/** One thing the notary found. */
export interface NotaryIssue {
  readonly severity: 'error' | 'warning';
  readonly code: string | number | null;
  /** From the archive's name on: `Example.pkg/com.example.pkg Contents/Payload/Library/...`. */
  readonly path: string;
  readonly message: string;
  readonly docUrl: string | null;
  readonly architecture: string | null;
}

const ISSUE = z.looseObject({
  severity: z.string(),
  code: z.union([z.string(), z.number()]).nullish(),
  path: z.string().nullish(),
  message: z.string(),
  docUrl: z.string().nullish(),
  architecture: z.string().nullish(),
});

const LOG = z.looseObject({
  jobId: z.string().nullish(),
  status: z.string(),
  statusSummary: z.string().default(''),
  statusCode: z.number().nullish(),
  archiveFilename: z.string().nullish(),
  sha256: z.string().nullish(),
  ticketContents: z
    .array(z.looseObject({ path: z.string(), digestAlgorithm: z.string().nullish(), cdhash: z.string().nullish() }))
    .nullish(),
  issues: z.array(ISSUE).nullish(),
});

/** What the notary did with a submission. */
export interface NotaryLog {
  readonly status: string;
  readonly statusSummary: string;
  readonly statusCode: number | null;
  /** Digest of what was uploaded, hex; null when the log names none. */
  readonly sha256: string | null;
  readonly issues: readonly NotaryIssue[];
  /** What tickets were made for: a path, and the first 20 bytes of its digest in hex. */
  readonly ticketContents: readonly { readonly path: string; readonly cdhash: string }[];
  /** The whole log as it came. */
  readonly source: Buffer;
}

/**
 * Returns a notary log, or null when the bytes are none. Fields that are new to us are kept in `source`.
 *
 * @see https://developer.apple.com/documentation/security/resolving-common-notarization-issues
 */
export function parseNotaryLog(source: Buffer): NotaryLog | null {
  const log = documentIn(source, LOG);
  if (!log) return null;
  const { status, statusSummary, statusCode, sha256, issues, ticketContents } = log;
  return {
    status,
    statusSummary,
    statusCode: statusCode ?? null,
    sha256: sha256?.toLowerCase() ?? null,
    issues: (issues ?? []).map(issueOf),
    ticketContents: (ticketContents ?? []).map(({ path, cdhash }) => ({ path, cdhash: (cdhash ?? '').toLowerCase() })),
    source,
  };
}

/** A severity that is new to us is taken for an error: it must not be passed over. */
function issueOf(issue: z.infer<typeof ISSUE>): NotaryIssue {
  return {
    severity: issue.severity === 'warning' ? 'warning' : 'error',
    code: issue.code ?? null,
    path: issue.path ?? '',
    message: issue.message,
    docUrl: issue.docUrl ?? null,
    architecture: issue.architecture ?? null,
  };
}

/**
 * Returns issues as a person reads them, grouped by path: the path, and below it each message once with its architectures.
 *
 * @example
 * Example.pkg/com.example.pkg Contents/Payload/Example.bundle/Contents/MacOS/Example
 *   The signature does not include a secure timestamp. (x86_64, arm64)
 */
export function renderIssues(issues: readonly NotaryIssue[]): string {
  const paths = [...new Set(issues.map(({ path }) => path))];
  return paths
    .map((path) => [path, ...messagesAt(issues.filter((issue) => issue.path === path))].join('\n'))
    .join('\n');
}

function messagesAt(issues: readonly NotaryIssue[]): string[] {
  const messages = [...new Set(issues.map(({ message }) => message))];
  return messages.map((message) => {
    const same = issues.filter((issue) => issue.message === message);
    const architectures = same.flatMap(({ architecture }) => (architecture === null ? [] : [architecture]));
    const warning = same.every(({ severity }) => severity === 'warning') ? 'warning: ' : '';
    return `  ${warning}${message}${architectures.length > 0 ? ` (${architectures.join(', ')})` : ''}`;
  });
}
