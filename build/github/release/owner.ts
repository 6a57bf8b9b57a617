import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { parseJson } from '../../../src/base/document.ts';
import type { GitHubContext } from '../gh.ts';
import { type History, openHistory } from '../history.ts';
import { parseChangelog } from './changelog.ts';

/** What of an event's file decides. @see https://docs.github.com/webhooks/webhook-events-and-payloads */
const EVENT_SCHEMA = z.object({
  /** Of a push: the commit that the branch was at before it; zeros for a new branch. */
  before: z.string().default(''),
  /** Of a repository_dispatch: what its sender wrote. */
  client_payload: z.object({ version: z.string().optional() }).nullish(),
});
type Event = z.infer<typeof EVENT_SCHEMA>;

/** How far back the commit that set a version is looked for, to name it. */
const NAMED_WITHIN = 500;

/**
 * Returns why this run does not release a version, or null when it does.
 *
 * One version is one package. While a release waits for Apple, for a re-run or for a Mac, its tag is not there yet, and every merge
 * meanwhile has the same version: only the push that gave the version its date releases it. A run without a merge names the
 * version in `client_payload`: that is a person's word that the earlier package is given up.
 */
export async function notOwnedReason(root: string, env: GitHubContext['env'], version: string): Promise<string | null> {
  const event = await readEvent(env);
  if (env.GITHUB_EVENT_NAME === 'repository_dispatch') {
    const asked = event.client_payload?.version;
    if (asked === version) return null;
    return `the event names ${asked === undefined ? 'no version' : JSON.stringify(asked)}; to release ${version} anew, send client_payload[version]=${version}`;
  }
  const history = await openHistory(root);
  const before = await startOf(event, history);
  if (before === null || !(await releases(history, before, version))) return null;
  const owner = await whoSet(history, before, version);
  return `${version} is the release of ${owner}: re-run the failed jobs of that run, or give its package up and send client_payload[version]=${version}`;
}

async function readEvent(env: GitHubContext['env']): Promise<Event> {
  const path = env.GITHUB_EVENT_PATH;
  return EVENT_SCHEMA.parse(path ? parseJson(await readFile(path, 'utf8'), path) : {});
}

/** Where the branch was before this push; without an event, or after a forced push, the first parent. */
async function startOf({ before }: Event, history: History): Promise<string | null> {
  if (/^[0-9a-f]{40}$/.test(before)) {
    const known = await history.resolve(before);
    if (known !== null) return known;
  }
  return history.resolve('HEAD^1');
}

/** Whether the tree of a commit says that this version is to be released. */
async function releases(history: History, commit: string, version: string): Promise<boolean> {
  const [manifest, changelog] = await Promise.all([
    history.read(commit, 'package.json'),
    history.read(commit, 'CHANGELOG.md'),
  ]);
  if (manifest === null || changelog === null) return false;
  try {
    if ((parseJson(manifest, 'package.json') as { version?: unknown }).version !== version) return false;
    return parseChangelog(changelog).some((entry) => entry.version === version && entry.released);
  } catch {
    // What its own run refused released nothing.
    return false;
  }
}

/** Names the commit that first said so, going back along main. */
async function whoSet(history: History, from: string, version: string): Promise<string> {
  const commits = await history.lines('rev-list', '--first-parent', `--max-count=${NAMED_WITHIN}`, from);
  let owner = from;
  for (const commit of commits) {
    if (!(await releases(history, commit, version))) break;
    owner = commit;
  }
  return owner;
}
