import type { Check } from '../../../src/base/check.ts';
import { ABILITIES, type Ability, type AbilityName } from '../../../src/verify/abilities.ts';
import type { PackageReport } from '../../../src/verify/expectations.ts';
import { GROUPS, type GroupName, groupOf } from './guide.ts';

/** The checks that answer one question. */
export interface CheckGroup {
  readonly name: GroupName;
  /** The question. */
  readonly title: string;
  readonly status: Check['status'];
  /** The answer in one line. */
  readonly answer: string;
  readonly checks: readonly Check[];
}

/** Returns the checks of a report by the question that they answer; questions without a check are left out. */
export function groupChecks(report: PackageReport): CheckGroup[] {
  return (Object.keys(GROUPS) as GroupName[]).flatMap((name) => {
    const checks = report.checks.filter(({ id }) => groupOf(id) === name);
    if (checks.length === 0) return [];
    return [
      { name, title: GROUPS[name], status: statusOf(name, checks), answer: answerOf(name, checks, report), checks },
    ];
  });
}

/** A skipped check says nothing against a package, but where nothing was looked at, nothing passed. */
function statusOf(name: GroupName, checks: readonly Check[]): Check['status'] {
  if (checks.some(({ status }) => status === 'fail')) return 'fail';
  const key = name === 'notarized' ? checks.filter(({ id }) => id === 'ticket') : checks;
  return key.some(({ status }) => status === 'pass') ? 'pass' : 'skipped';
}

function answerOf(name: GroupName, checks: readonly Check[], report: PackageReport): string {
  const failed = [...new Set(checks.filter(({ status }) => status === 'fail').map(({ id }) => id))];
  if (failed.length > 0)
    return `${failed.length === 1 ? 'one check' : `${failed.length} checks`} failed: ${failed.join(', ')}`;
  return ANSWERS[name](report, checks);
}

const ANSWERS: Readonly<Record<GroupName, (report: PackageReport, checks: readonly Check[]) => string>> = {
  signed: ({ facts }) =>
    `${facts.signer ?? 'nobody'}${facts.timestamp ? `, ${facts.timestamp.toISOString()}` : ', without a timestamp'}`,
  notarized: ({ facts }, checks) =>
    facts.ticketIssuedAt
      ? `ticket of ${facts.ticketIssuedAt.toISOString()}`
      : (checks.find(({ id }) => id === 'ticket')?.reason ?? 'no ticket'),
  installs: ({ installs, facts }) => [...installs.map(installSummary), codeSummary(facts.slices)].join('; '),
  runs: ({ abilities }) =>
    abilityLines(abilities.filter(({ ability }) => RUNS.includes(ability))).join('; ') || 'nothing',
  whole: (_, checks) => passed(checks.filter(({ status }) => status === 'pass').length),
  policy: (_, checks) => `${checks.length === 1 ? 'its demand is' : `its ${checks.length} demands are`} met`,
};

const passed = (count: number) => (count === 1 ? 'one check passed' : `${count} checks passed`);
const RUNS: readonly AbilityName[] = ['javaScript', 'externalScripts', 'plugIns', 'scripts', 'otherScripts'];

function installSummary({
  identifier,
  version,
  installLocation,
  numberOfFiles,
}: PackageReport['installs'][number]): string {
  if (numberOfFiles <= 1) return `${identifier} ${version}: nothing but a receipt`;
  return `${identifier} ${version}: ${numberOfFiles} entries below ${installLocation}`;
}

function codeSummary(slices: PackageReport['facts']['slices']): string {
  if (slices.length === 0) return 'no code';
  const teams = [...new Set(slices.map(({ teamIdentifier }) => teamIdentifier ?? 'nobody'))];
  const kinds = [...new Set(slices.map(({ architecture }) => architecture))];
  return `code for ${kinds.join(', ')} by ${teams.join(', ')}`;
}

/** Returns one line for each ability that a package has, those first that need nobody's consent. */
export function abilityLines(abilities: readonly Ability[]): string[] {
  const names = [...new Set(abilities.map(({ ability }) => ability))];
  const early = (name: AbilityName) => ABILITIES[name].before;
  return [...names.filter(early), ...names.filter((name) => !early(name))].map((name) => {
    const found = [...new Set(abilities.filter(({ ability }) => ability === name).map((each) => each.found))];
    const where = found.slice(0, MOST).map(withoutDocument).join(', ');
    const more = found.length > MOST ? `, and ${found.length - MOST} more` : '';
    return `${early(name) ? 'before anybody has agreed: ' : ''}${ABILITIES[name].description} (${where}${more})`;
  });
}

const MOST = 6;
/** The document is named in JSON and in the page; a line has no room for it. */
const withoutDocument = (found: string) => found.replace(/^\S*(Distribution|PackageInfo): /, '');
