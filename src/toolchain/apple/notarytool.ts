import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ToolError } from '../../base/errors.ts';
import { parseNotaryLog } from '../../notary/log.ts';
import type { Notary, SubmissionState } from '../../notary/notary.ts';
import type { NotaryKey } from '../../notary/rest/credentials.ts';
import { runAppleTool } from './run-apple-tool.ts';

const UPLOAD_TIMEOUT_MS = 30 * 60_000;
const QUERY_TIMEOUT_MS = 120_000;

/**
 * Returns the notary reached through notarytool. It never waits inside of the tool: whoever asks for the status in turns can end,
 * and go on later, at any time.
 */
export function appleNotary(key: NotaryKey): Notary {
  const ask = async (argv: readonly string[], signal: AbortSignal | undefined) =>
    inPrivateFolder((folder) => run(argv, key, folder, QUERY_TIMEOUT_MS, signal));
  return {
    async submit({ name, data }, { announced, tell, signal }) {
      tell(`notarytool uploads ${data.length} bytes`);
      const stdout = await inPrivateFolder(async (folder) => {
        // The history lists a submission under the name of its file.
        const path = join(folder, name);
        await writeFile(path, data);
        return run(['submit', path, '--no-wait'], key, folder, UPLOAD_TIMEOUT_MS, signal);
      });
      await announced(parseSubmission(stdout));
    },
    status: async (id, signal) => parseState(await ask(['info', id], signal), id),
    history: async (signal) => parseHistory(await ask(['history'], signal)),
    log: async (id, signal) => readLog(() => ask(['log', id], signal)),
    clockSkewMs: () => null,
  };
}

/** A log that lags behind its verdict makes notarytool fail, and so does any other; neither hides the verdict. */
async function readLog(ask: () => Promise<string>): ReturnType<Notary['log']> {
  try {
    const value = lastJson(await ask());
    return value === undefined ? null : parseNotaryLog(Buffer.from(JSON.stringify(value, null, 2)));
  } catch (error) {
    if (error instanceof ToolError) return null;
    throw error;
  }
}

async function inPrivateFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'notary-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The key goes through a file that only we can read: notarytool takes a path, never the key itself. */
async function run(
  argv: readonly string[],
  { key, keyId, issuerId }: NotaryKey,
  folder: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  const path = join(folder, 'AuthKey.p8');
  await writeFile(path, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const access = ['--key', path, '--key-id', keyId, '--issuer', issuerId];
  const options = { signal, timeoutMs };
  return (await runAppleTool('notarytool', [...argv, ...access, '--output-format', 'json'], options)).stdout;
}

/**
 * Returns the id that `notarytool submit` reports, whatever it printed before.
 *
 * @throws ToolError `NOTARY_OUTPUT` when there is none: then nobody knows whether the upload is complete
 */
export function parseSubmission(stdout: string): string {
  const id = fieldOf(lastJson(stdout), 'id');
  if (id === undefined) throw unreadable('submit', stdout);
  return id;
}

/**
 * Returns the state in the output of `notarytool info`, `wait` or `submit --wait`. The exit code says nothing about it: it is 0 for
 * Invalid too (observed; notarytool only fails when it knows of no state).
 *
 * @throws ToolError `NOTARY_OUTPUT` when there is none
 */
export function parseState(stdout: string, id: string): SubmissionState {
  const value = lastJson(stdout);
  const status = fieldOf(value, 'status') ?? plainStatus(stdout);
  if (status === undefined) throw unreadable('info', stdout);
  return { id, status, name: fieldOf(value, 'name') ?? '', createdDate: fieldOf(value, 'createdDate') ?? '' };
}

/**
 * Returns the submissions in the output of `notarytool history`, newest first.
 *
 * @throws ToolError `NOTARY_OUTPUT` when it is not a list
 */
export function parseHistory(stdout: string): readonly SubmissionState[] {
  const value = lastJson(stdout);
  const list = typeof value === 'object' && value !== null && 'history' in value ? value.history : undefined;
  if (!Array.isArray(list)) throw unreadable('history', stdout);
  return list
    .map((entry: unknown) => ({
      id: fieldOf(entry, 'id') ?? '',
      status: fieldOf(entry, 'status') ?? '',
      name: fieldOf(entry, 'name') ?? '',
      createdDate: fieldOf(entry, 'createdDate') ?? '',
    }))
    .sort((a, b) => b.createdDate.localeCompare(a.createdDate));
}

/** The last `status:` line of the plain output form; lines before it may repeat `Current status`. */
function plainStatus(stdout: string): string | undefined {
  return (
    [...stdout.matchAll(/^\s*status: (.+?)\s*$/gm)].at(-1)?.[1] ??
    [...stdout.matchAll(/Current status: ([A-Za-z]+(?: [A-Za-z]+)*)/g)].at(-1)?.[1]
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

function fieldOf(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const field = (value as Record<string, unknown>)[name];
  return typeof field === 'string' ? field : undefined;
}

function unreadable(command: string, stdout: string): ToolError {
  return new ToolError('NOTARY_OUTPUT', 'notarytool', `notarytool ${command} printed no result:\n${stdout.trim()}`, {
    hint: 'Look at `xcrun notarytool history` before submitting again.',
  });
}
