import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

/** What docs/releasing.md says of a case: how jobs end, by name. Rows: `| case | `job: result`, ... | what to do |`. */
export function told(name: string): Record<string, string> {
  const row = readFileSync('docs/releasing.md', 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`| ${name} |`));
  const endings = [...(row?.split('|')[2] ?? '').matchAll(/`([\w-]+): (\w+)`/g)].map(([, job, result]) => [
    job,
    result,
  ]);
  expect(endings.length, `docs/releasing.md has no row "${name}" with endings`).toBeGreaterThan(0);
  return Object.fromEntries(endings);
}

/** What a merge starts (story-of-merges.test.ts). */
export const CASES_OF_MERGES = ['a lone maintainer', 'two merges in a row'];
/** What happens to one release on its way to be signed, one after the other (story-of-approvals.test.ts). */
export const CASES_OF_APPROVALS = ['the first key is approved', 'the second key is rejected'];
/** What happens to it at the notary (story-of-notary.test.ts). */
export const CASES_OF_NOTARY = ['a wait over night', 'a job that dies', 'Apple refuses'];
/** What happens to it on the Macs that it is tried on (story-of-macs.test.ts). */
export const CASES_OF_MACS = ['smoke red on one image'];
/** What happens to it from there to its readers (story-of-publishing.test.ts). */
export const CASES_OF_PUBLISHING = ['an answer that is lost', 'a tag rule', 'an expired artifact'];
/** Each is a release of its own, and by day one of them is played. */
export const CASES_OF_KEYS = ['missing secrets', 'a secret of one key is missing', 'more digests than slices'];
/** Each is a release to the look at least. By day the first is played: a poisoned program is started as a process each time. */
export const WHOLE_OF_SERVICE = ['keys in a service', 'a signature that belongs to nothing'];
/** Releases whose keys are in a service. */
export const CASES_OF_SERVICE = ['both variants are chosen', 'neither variant is chosen', ...WHOLE_OF_SERVICE];

/** Stands for code of a dependency: it asks for a signature of its own and says nothing when that comes back. */
export const poisonFor = (role: 'application' | 'installer') => (commandLine: string) =>
  commandLine
    .replace(
      'output("digests",lines.join(" "))',
      `output("digests",[...lines,...(role==="${role}"?["${'1'.repeat(64)}"]:[])].join(" "))`,
    )
    .replace('if(next===tape.length)return;', 'return;');
