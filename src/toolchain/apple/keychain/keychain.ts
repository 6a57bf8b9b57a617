import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APPLE_TABLES } from '../../../apple-messages/apple-tables.ts';
import { findMessages } from '../../../apple-messages/find-messages.ts';
import { ToolError } from '../../../base/errors.ts';
import { Secret } from '../../../base/secret.ts';
import type { SigningIdentity, WorkOptions } from '../../toolchain.ts';
import { runAppleTool } from '../run-apple-tool.ts';
import { namedFailure } from '../tool-error.ts';
import { keychainP12 } from './keychain-p12.ts';

/** An identity to import, and the tools that may use its key without a question. */
export interface KeychainItem extends SigningIdentity {
  readonly tools: readonly string[];
}

/** securityd can hang behind a dialog nobody sees. */
const TIMEOUT_MS = 60_000;

/**
 * Runs `work` with a keychain that holds the identities and returns what it returns; the keychain is gone afterwards, and the
 * search list is what it was, whatever happens.
 *
 * The keychain has a random password that nobody learns, never locks itself (a lock in the middle makes codesign wait for a
 * dialog), and lets only the given tools use the keys. The default keychain is left alone.
 *
 * @param work is given the keychain's path
 * @throws UsageError of `keychainP12`; ToolError `KEYCHAIN_IDENTITY` and the failures of `security`
 * @example await withKeychain([{ ...identity, tools: ['codesign'] }], { signal }, (keychain) => sign(keychain))
 */
export function withKeychain<T>(
  items: readonly KeychainItem[],
  options: WorkOptions,
  work: (keychain: string) => Promise<T>,
): Promise<T> {
  const turn = queue.then(() => useKeychain(items, options, work));
  queue = turn.catch(() => undefined);
  return turn;
}

/** One at a time: each saves the search list and puts it back, so two at once would lose or keep the other's keychain. */
let queue: Promise<unknown> = Promise.resolve();

async function useKeychain<T>(
  items: readonly KeychainItem[],
  options: WorkOptions,
  work: (keychain: string) => Promise<T>,
): Promise<T> {
  const searchList = await readSearchList(options);
  const folder = await mkdtemp(join(tmpdir(), 'keychain-'));
  const keychain = join(folder, 'signing.keychain-db');
  let result: T;
  try {
    await fill(keychain, folder, items, options);
    await security(['list-keychains', '-d', 'user', '-s', keychain, ...searchList], options);
    result = await work(keychain);
  } catch (error) {
    // What went wrong first is what the person has to know.
    await tidy(keychain, folder, searchList).catch(() => undefined);
    throw error;
  }
  await tidy(keychain, folder, searchList);
  return result;
}

async function fill(
  keychain: string,
  folder: string,
  items: readonly KeychainItem[],
  options: WorkOptions,
): Promise<void> {
  const password = new Secret(randomBytes(24).toString('base64url'));
  await securitySecretly(['create-keychain', '-p', password, keychain], options);
  // Without -l, -u and -t it never locks itself.
  await security(['set-keychain-settings', keychain], options);
  await securitySecretly(['unlock-keychain', '-p', password, keychain], options);
  for (const item of items) await importItem(keychain, folder, item, options);
  // Without the list, a tool that is not an Apple-signed one with a window waits for ever; it covers what is in the keychain now.
  await securitySecretly(
    ['set-key-partition-list', '-S', 'apple-tool:,apple:', '-s', '-k', password, keychain],
    options,
  );
  const found = parseIdentities((await security(['find-identity', '-v', keychain], options)).stdout);
  for (const { identity } of items) {
    if (found.some(({ sha1 }) => sha1 === identity.certificate.sha1)) continue;
    throw new ToolError(
      'KEYCHAIN_IDENTITY',
      'security',
      `${identity.certificate.commonName} was imported but is not a valid identity of the keychain`,
      { hint: 'Put the whole chain into the .p12; `security find-identity` shows why an identity is not valid.' },
    );
  }
}

async function importItem(keychain: string, folder: string, item: KeychainItem, options: WorkOptions): Promise<void> {
  const { data, password } = await keychainP12(item);
  const file = join(folder, `${item.identity.role}.p12`);
  await writeFile(file, data, { mode: 0o600 });
  try {
    const allowed = item.tools.flatMap((tool) => ['-T', `/usr/bin/${tool}`]);
    await securitySecretly(['import', file, '-k', keychain, '-f', 'pkcs12', '-P', password, ...allowed], options);
  } finally {
    await rm(file, { force: true });
  }
}

/**
 * Puts everything back; each step is tried, and the first that failed is reported. It gets no signal: an interrupted run tidies up
 * to the end.
 */
async function tidy(keychain: string, folder: string, searchList: readonly string[]): Promise<void> {
  const failures: unknown[] = [];
  const attempt = async (step: () => Promise<unknown>) => step().catch((error: unknown) => failures.push(error));
  await attempt(() => security(['list-keychains', '-d', 'user', '-s', ...searchList], {}));
  await attempt(() => deleteKeychain(keychain));
  await attempt(() => rm(folder, { recursive: true, force: true }));
  if (failures.length > 0) throw failures[0];
}

/** A keychain that was never made is as good as one that is gone. */
async function deleteKeychain(keychain: string): Promise<void> {
  try {
    await security(['delete-keychain', keychain], {});
  } catch (error) {
    const known = error instanceof ToolError ? findMessages(APPLE_TABLES, error.message, 'security') : [];
    if (!known.some(({ code }) => code === 'KEYCHAIN_NOTHING_TO_DELETE')) throw error;
  }
}

async function readSearchList(options: WorkOptions): Promise<string[]> {
  return parseSearchList((await security(['list-keychains', '-d', 'user'], options)).stdout);
}

/**
 * Returns the paths that `security list-keychains` prints, one a line, indented and quoted.
 *
 * @example parseSearchList('    "/Users/a/Library/Keychains/login.keychain-db"\n')
 */
export function parseSearchList(stdout: string): string[] {
  return [...stdout.matchAll(/^\s*"(.*)"\s*$/gm)].map(([, path]) => path as string);
}

/** A line of `security find-identity`: certificate with its key. */
export interface ListedIdentity {
  /** Of the certificate, hex in upper case, as `Certificate.sha1`. */
  readonly sha1: string;
  readonly name: string;
  /** What is wrong with it, such as `CSSMERR_TP_CERT_EXPIRED`; null when nothing is. */
  readonly problem: string | null;
}

/** Returns the identities that `security find-identity` prints; each once, though it may list them by policy and as valid. */
export function parseIdentities(stdout: string): ListedIdentity[] {
  const lines = [...stdout.matchAll(/^\s*\d+\) ([0-9A-F]{40}) "(.*)"(?: \((\w+)\))?\s*$/gm)];
  const all = lines.map(([, sha1, name, problem]) => ({
    sha1: sha1 as string,
    name: name as string,
    problem: problem ?? null,
  }));
  return all.filter((one, index) => all.findIndex(({ sha1 }) => sha1 === one.sha1) === index);
}

function security(argv: readonly string[], { signal }: WorkOptions) {
  return runAppleTool('security', argv, { signal, timeoutMs: TIMEOUT_MS });
}

/**
 * Runs one command of `security` without showing its secrets to `ps`: `security -i` reads it from standard input.
 *
 * Its exit code is that command's, but 0 for a command that ended with -1 (Security-61901 SecurityTool, security.c): so what it
 * prints on standard error is looked at too, and `fill` looks at the result.
 */
async function securitySecretly(command: readonly (string | Secret)[], options: WorkOptions): Promise<void> {
  const words = command.map((word) => quote(typeof word === 'string' ? word : word.reveal()));
  const input = `${words.join(' ')}\n`;
  const { stderr } = await runAppleTool('security', ['-i'], { input, signal: options.signal, timeoutMs: TIMEOUT_MS });
  const failure = namedFailure('security', stderr, `security ${String(command[0])}:\n${stderr}`);
  if (failure) throw failure;
}

/**
 * Quotes a word for `security -i`, which knows double quotes and backslashes as a shell does (readline.c, split_line). Words are
 * our own: paths and passwords of base64, far from the 4,096 bytes that it reads of a line.
 */
function quote(word: string): string {
  if (/[\n\r\0]/.test(word)) throw new TypeError('a command of security is one line');
  return `"${word.replace(/["\\]/g, '\\$&')}"`;
}
