import type { Check } from '../../src/base/check.ts';
import type { Trust } from '../../src/pki/x509/apple-roots.ts';
import type { PackageReport } from '../../src/verify/expectations.ts';
import { renderChecks } from './checks.ts';
import { printable, printableLines } from './printable.ts';
import { abilityLines, type CheckGroup, groupChecks } from './verification/groups.ts';

/** How a report is shown. */
export interface VerificationView {
  readonly trust: Pick<Trust, 'name'>;
  /** Whether every check has a line, passed ones too. */
  readonly verbose: boolean;
}

const STATUS_NAMES = { pass: 'pass', fail: 'FAIL', skipped: 'skipped' } as const;

/**
 * Returns the report of a checked package for a person: a line for each question with its answer, the failed checks below it, what the
 * package may do, and as its last line the verdict.
 */
export function renderVerification(file: string, report: PackageReport, { trust, verbose }: VerificationView): string {
  const groups = groupChecks(report);
  const lines = [
    ...groups.flatMap((group) => groupLines(group, verbose)),
    '',
    ...(report.abilities.length > 0
      ? ['What it may do', ...abilityLines(report.abilities).map((line) => `  ${line}`), '']
      : []),
    ...remarks(report, trust),
    verdict(file, report),
  ];
  return printableLines(`${lines.join('\n')}\n`);
}

function groupLines({ title, status, answer, checks }: CheckGroup, verbose: boolean): string[] {
  const shown = verbose ? gathered(checks) : checks.filter((check) => check.status === 'fail').map(withSubject);
  const details =
    shown.length > 0
      ? renderChecks(shown)
          .split('\n')
          .map((line) => `  ${line}`)
      : [];
  return [`${STATUS_NAMES[status].padEnd(8)} ${title.padEnd(TITLE_WIDTH)}  ${printable(answer)}`, ...details];
}

const TITLE_WIDTH = 16;

/** Returns what is to be known whatever the verdict is. */
export function remarks({ checks }: PackageReport, trust: Pick<Trust, 'name'>): string[] {
  const failed = checks.filter(({ status }) => status === 'fail');
  const notes = checks.filter(({ status, reason }) => status === 'pass' && reason !== undefined).length;
  return [
    ...(trust.name === 'rehearsal'
      ? ['Checked by the rehearsal authority of this checkout: no Mac trusts this package.']
      : []),
    ...(trust.name === 'apple' && failed.some(({ reason }) => reason?.includes('REHEARSAL'))
      ? ['It was signed in a rehearsal, which no Mac trusts; --trust rehearsal checks it by that authority.']
      : []),
    ...(failed.some(({ id }) => id.startsWith('form-'))
      ? [
          "It says it is a package of this project, and is not what its own tools write. Where Apple's made it: --made-by apple.",
        ]
      : []),
    ...(notes > 0
      ? [`${notes === 1 ? 'One check has a note' : `${notes} checks have notes`}: --verbose shows all checks.`]
      : []),
    ...(failed.length > 0 ? ['What each check is about, and what to do: docs/verifying.md'] : []),
  ];
}

/** Returns the last line of a report. */
export function verdict(file: string, { checks, facts }: PackageReport): string {
  const failed = checks.filter(({ status }) => status === 'fail');
  const when = facts.timestamp ? `, ${facts.timestamp.toISOString()}` : '';
  const ids = [...new Set(failed.map(({ id }) => id))];
  return failed.length === 0
    ? `PASS: ${file}: ${printable(facts.signer ?? 'nobody')}${when}`
    : `FAIL: ${file}: ${failed.length} of ${checks.length} checks failed: ${ids.join(', ')}`;
}

function withSubject({ id, status, reason, subject }: Check): Check {
  const text = [subject === 'package' ? undefined : subject, reason].filter(Boolean).join(': ');
  return { id, status, reason: printableLines(text) };
}

/** Returns one line for all checks that passed alike; whatever has a reason keeps a line of its own, with its subject. */
function gathered(checks: readonly Check[]): Check[] {
  const lines: Check[] = [];
  const places = new Map<string, { at: number; count: number }>();
  for (const check of checks) {
    const { id, status, reason } = check;
    if (status !== 'pass' || reason !== undefined) {
      lines.push(withSubject(check));
      continue;
    }
    const place = places.get(id) ?? { at: lines.push({ id, status }) - 1, count: 0 };
    place.count++;
    places.set(id, place);
    if (place.count > 1) lines[place.at] = { id, status, reason: `${place.count} times` };
  }
  return lines;
}
