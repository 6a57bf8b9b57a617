import { actionUsesIn, type Pins, pinProblems } from '../../../build/github/upkeep/pins.ts';
import { differences, isRecord, readCanonical, type Value } from './canonical.ts';
import { missingJobs, ordinaryJobProblems } from './ordinary-jobs.ts';
import { WORKFLOWS } from './workflows-table.ts';

/**
 * Returns everything in a workflow file that nobody allowed, with its place; empty when the file is what the tables say.
 *
 * The file is read into what it says (canonical.ts), and that must be exactly what sealed-jobs.ts and workflows-table.ts say; other
 * jobs keep the rules of ordinary-jobs.ts. There is no list of what is forbidden: whatever is not told is refused.
 *
 * @param file name below .github/workflows
 */
export function policyProblems(file: string, source: string, pins: Pins): string[] {
  const sealed = Object.hasOwn(WORKFLOWS, file) ? WORKFLOWS[file] : undefined;
  if (!sealed) return [`${file}: a workflow the policy does not know`];
  const { value, problems } = readCanonical(source);
  if (problems.length > 0) return problems.map((problem) => `${file}: ${problem}`);
  if (!isRecord(value) || !isRecord(value.jobs)) return [`${file}: not a workflow`];
  const { jobs, ...top } = value;
  return [
    ...differences(sealed.top, top, file),
    ...Object.entries(sealed.jobs).flatMap(([id, job]) => differences(job, jobs[id], `${file}/${id}`)),
    ...Object.keys(jobs)
      .filter((id) => !Object.hasOwn(sealed.jobs, id))
      .flatMap((id) =>
        sealed.others
          ? ordinaryJobProblems(`${file}/${id}`, jobs[id], jobs)
          : [`${file}/${id}: a job that the table does not know`],
      ),
    ...missingJobs(file, jobs),
    ...commentProblems(file, source, value, pins),
  ];
}

/** What only comments say: the tag of each commit, and what each permission is for. */
function commentProblems(file: string, source: string, value: Value, pins: Pins): string[] {
  const uses = actionUsesIn(file, source);
  const actions = countUses(value);
  const problems = pinProblems(uses, pins);
  // A use that is written in another way than on a line of its own has no place for its tag.
  if (uses.length !== actions)
    problems.push(`${file}: ${actions} actions are used, ${uses.length} have their tag behind them`);
  const explained = source.split('\n').filter((line) => /^\s+[a-z-]+: (read|write) # \S/.test(line)).length;
  const granted = countPermissions(value);
  if (explained !== granted)
    problems.push(`${file}: ${granted} permissions, ${explained} of them with a reason behind them`);
  return problems;
}

function countPermissions(workflow: Value): number {
  const jobs = isRecord(workflow) && isRecord(workflow.jobs) ? Object.values(workflow.jobs) : [];
  return jobs.reduce(
    (sum: number, job) => sum + (isRecord(job) && isRecord(job.permissions) ? Object.keys(job.permissions).length : 0),
    0,
  );
}

function countUses(value: Value): number {
  if (Array.isArray(value)) return value.reduce((sum: number, item: Value) => sum + countUses(item), 0);
  if (!isRecord(value)) return 0;
  return Object.entries(value).reduce(
    (sum, [key, inner]) => sum + (key === 'uses' && !String(inner).startsWith('$/') ? 1 : countUses(inner)),
    0,
  );
}
