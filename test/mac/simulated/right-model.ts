import { ANCHOR, ENTRY } from './test-package.ts';

/** What has to become of a list of mechanisms; the rules of the corpus' README, written once more and independently. */
export type Task = 'register' | 'unregister' | 'heal' | 'unlock';

const withoutOurs = (list: readonly string[]) => list.filter((entry) => entry !== ENTRY);

/** Whether authd would need our bundle for this entry: its plug-in part is our name, in any case. */
export function namesOurBundle(entry: string): boolean {
  return /^[^:,]*/.exec(entry)![0].replace(/[A-Z]/g, (c) => c.toLowerCase()) === 'escrow buddy';
}

/** Returns the list after `task`, or undefined where the task has to be refused because the anchor is missing. */
export function after(task: Task, list: readonly string[]): readonly string[] | undefined {
  if (task === 'unregister') return withoutOurs(list);
  if (task === 'unlock') return list.filter((entry) => !namesOurBundle(entry));
  if (!list.includes(ANCHOR)) return undefined;
  if (task === 'heal' && isHealthy(list)) return list;
  const others = withoutOurs(list);
  return others.toSpliced(others.indexOf(ANCHOR), 0, ENTRY);
}

function isHealthy(list: readonly string[]): boolean {
  const ours = list.indexOf(ENTRY);
  const anchor = list.indexOf(ANCHOR);
  const authenticate = list.indexOf('builtin:authenticate,privileged');
  const once = ours >= 0 && ours === list.lastIndexOf(ENTRY);
  return once && ours < anchor && (authenticate < 0 || authenticate > anchor || ours > authenticate);
}

/**
 * Returns the list as authd gives it back after a write, or undefined when it denies the write.
 *
 * @see apple-oss-distributions/Security, OSX/authd/mechanism.c and rule.c
 */
export function storedByAuthd(list: readonly string[]): readonly string[] | undefined {
  const stored: string[] = [];
  for (const entry of list) {
    if (!entry.includes(':')) continue;
    const [plugIn, name, third] = entry.split(/[:,]/).filter((part) => part !== '');
    if (plugIn === undefined || name === undefined) return undefined;
    stored.push(`${plugIn}:${name}${third?.toLowerCase() === 'privileged' ? ',privileged' : ''}`);
  }
  return stored;
}
