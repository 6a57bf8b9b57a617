import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NetworkError, ToolError } from '../../base/errors.ts';
import type { ToolResult } from '../../base/run-tool.ts';
import type { Notary, NotaryCredentials, Submission, Verdict, WaitOptions, WorkOptions } from '../toolchain.ts';
import { runAppleTool } from './run-apple-tool.ts';

const UPLOAD_TIMEOUT_MS = 30 * 60_000;
const QUERY_TIMEOUT_MS = 120_000;
/** Given to notarytool beyond its own time limit, so that it ends by itself and says why. */
const GRACE_MS = 60_000;

/** Returns the notary reached through notarytool. */
export function appleNotary(): Notary {
  return {
    async submit(product, credentials, options) {
      const { stdout } = await run(['submit', product.path, '--no-wait'], credentials, UPLOAD_TIMEOUT_MS, options);
      return parseSubmission(stdout, new Date());
    },
    async wait(id, credentials, options) {
      const status = parseStatus(await waitFor(id, credentials, options), id);
      const log = await readLog(id, credentials, options);
      return { status, log };
    },
  };
}

async function waitFor(id: string, credentials: NotaryCredentials, options: WaitOptions): Promise<string> {
  const seconds = Math.max(1, Math.ceil(options.timeoutMs / 1000));
  const argv = ['wait', id, '--timeout', `${seconds}s`];
  const result = await run(argv, credentials, options.timeoutMs + GRACE_MS, options);
  return result.stdout;
}

/** The log helps, and its absence hides no verdict: it may lag behind it. */
async function readLog(id: string, credentials: NotaryCredentials, options: WorkOptions): Promise<unknown> {
  try {
    return lastJson((await run(['log', id], credentials, QUERY_TIMEOUT_MS, options)).stdout) ?? null;
  } catch (error) {
    if (error instanceof ToolError || error instanceof NetworkError) return null;
    throw error;
  }
}

/** The key goes through a file that only we can read: notarytool takes a path, never the key itself. */
async function run(
  argv: readonly string[],
  credentials: NotaryCredentials,
  timeoutMs: number,
  { signal }: WorkOptions,
): Promise<ToolResult> {
  const folder = await mkdtemp(join(tmpdir(), 'notary-'));
  const key = join(folder, 'AuthKey.p8');
  try {
    await writeFile(key, credentials.key.reveal(), { mode: 0o600 });
    const access = ['--key', key, '--key-id', credentials.keyId, '--issuer', credentials.issuerId];
    return await runAppleTool('notarytool', [...argv, ...access, '--output-format', 'json'], { signal, timeoutMs });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Returns the submission that `notarytool submit` reports, whatever it printed before.
 *
 * @throws ToolError `NOTARY_OUTPUT` when there is no id: then nobody knows whether the upload is complete
 */
export function parseSubmission(stdout: string, now: Date): Submission {
  const { id } = fieldsOf(lastJson(stdout));
  if (!id) throw unreadable('submit', stdout);
  return { id, submittedAt: now.toISOString() };
}

/**
 * Returns the verdict in the output of `notarytool wait` or `info`. The exit code says nothing about it: it is 0 for Invalid too
 * (observed; notarytool only failed when there is no verdict).
 *
 * @throws NetworkError `NOTARY_TIMEOUT` when it is still in progress, or has a status that nobody knows yet; ToolError
 *   `NOTARY_OUTPUT` when there is none
 */
export function parseStatus(stdout: string, id: string): Verdict['status'] {
  const status = fieldsOf(lastJson(stdout)).status ?? plainStatus(stdout);
  switch (status) {
    case 'Accepted':
    case 'Invalid':
    case 'Rejected':
      return status;
    case undefined:
      throw unreadable('wait', stdout);
    default:
      throw new NetworkError('NOTARY_TIMEOUT', `the notary has no verdict on ${id} yet: ${status}`, {
        hint: 'The submission goes on at Apple: run again with --resume.',
      });
  }
}

/** The last `status:` line of the plain output form; lines before it may repeat `Current status`. */
function plainStatus(stdout: string): string | undefined {
  return (
    [...stdout.matchAll(/^\s*status: (.+?)\s*$/gm)].at(-1)?.[1] ??
    [...stdout.matchAll(/Current status: (.+?)\.*(?=Current status|\s|$)/g)].at(-1)?.[1]
  );
}

/**
 * Returns the last JSON object in the output of a tool that prints other things before it, or undefined.
 *
 * @example lastJson('Conducting pre-submission checks...\n{"id":"1"}\n') // { id: '1' }
 */
export function lastJson(stdout: string): unknown {
  const end = stdout.lastIndexOf('}');
  for (let start = stdout.indexOf('{'); start >= 0 && start < end; start = stdout.indexOf('{', start + 1)) {
    // An object begins a line; braces inside of other words are passed over.
    if (start > 0 && stdout[start - 1] !== '\n') continue;
    try {
      return JSON.parse(stdout.slice(start, end + 1));
    } catch {
      // Not this one: what follows may be whole.
    }
  }
  return undefined;
}

function fieldsOf(value: unknown): { readonly id?: string; readonly status?: string } {
  if (typeof value !== 'object' || value === null) return {};
  const { id, status } = value as Record<string, unknown>;
  return { ...(typeof id === 'string' && { id }), ...(typeof status === 'string' && { status }) };
}

function unreadable(command: string, stdout: string): ToolError {
  return new ToolError('NOTARY_OUTPUT', 'notarytool', `notarytool ${command} printed no result:\n${stdout.trim()}`, {
    hint: 'Look at `xcrun notarytool history` before submitting again.',
  });
}
