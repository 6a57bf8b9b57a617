import type { Check } from '../../src/base/check.ts';
import type { Trust } from '../../src/pki/x509/apple-roots.ts';
import type { PackageReport } from '../../src/verify/expectations.ts';
import { renderChecks } from './checks.ts';
import { printable, printableLines } from './printable.ts';

/** Returns the table of a verified package and, as its last line, the verdict. */
export function renderVerification(file: string, report: PackageReport, trust: Pick<Trust, 'name'>): string {
  const { checks, facts } = report;
  const failed = checks.filter(({ status }) => status === 'fail');
  const lines = [renderChecks(gathered(checks)), ''];
  if (trust.name === 'rehearsal')
    lines.push('Judged by the rehearsal authority of this checkout: no Mac trusts this package.');
  if (trust.name === 'apple' && failed.some(({ reason }) => reason?.includes('REHEARSAL'))) {
    lines.push('It was signed in a rehearsal, which no Mac trusts; --trust rehearsal judges it by that authority.');
  }
  const when = facts.timestamp ? `, ${facts.timestamp.toISOString()}` : '';
  const ids = [...new Set(failed.map(({ id }) => id))];
  lines.push(
    failed.length === 0
      ? `PASS: ${file}: ${printable(facts.signer ?? 'nobody')}${when}`
      : `FAIL: ${file}: ${failed.length} of ${checks.length} checks failed: ${ids.join(', ')}`,
  );
  return printableLines(`${lines.join('\n')}\n`);
}

/** Returns one line for all checks that passed alike; whatever has a reason keeps a line of its own, with its subject. */
function gathered(checks: readonly Check[]): Check[] {
  const lines: Check[] = [];
  const places = new Map<string, { at: number; count: number }>();
  for (const { id, status, reason, subject } of checks) {
    const words = [subject === 'package' ? undefined : subject, reason].filter(Boolean).join(': ');
    if (status !== 'pass' || reason !== undefined) {
      lines.push({ id, status, reason: printableLines(words) });
      continue;
    }
    const place = places.get(id) ?? { at: lines.push({ id, status }) - 1, count: 0 };
    place.count++;
    places.set(id, place);
    if (place.count > 1) lines[place.at] = { id, status, reason: `${place.count} times` };
  }
  return lines;
}
