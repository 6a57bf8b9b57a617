import type { Check } from '../../src/base/check.ts';
import { renderChecks } from '../report/checks.ts';
import { printable, printableLines } from '../report/printable.ts';
import type { Proof } from './prove.ts';

/**
 * Returns a proof as a person reads it: its own checks, those of others that failed, and the verdict in the last line.
 *
 * @param all the checks of the proof, of the package and of its attestation
 */
export function renderProof(
  file: string,
  { version, commit, checks }: Proof,
  all: readonly Check[],
  proven: boolean,
): string {
  const named = (list: readonly Check[]) =>
    list.map(({ subject, reason, ...check }) => ({
      ...check,
      ...(reason !== undefined && { reason: subject === 'package' ? reason : `${subject}: ${reason}` }),
    }));
  const failed = all.filter(({ status }) => status === 'fail');
  const others = failed.filter((check) => !checks.includes(check));
  const lines = [renderChecks(named([...checks, ...others])), ''];
  if (all.some(({ reason }) => reason?.includes('trusted: apple') && reason.includes('REHEARSAL'))) {
    lines.push('It was signed in a rehearsal, which no Mac trusts; --trust rehearsal proves it by that authority.');
  }
  const from = `${version}${commit === null ? '' : `, commit ${commit}`}`;
  lines.push(
    proven
      ? `PROVEN: ${printable(file)}: made from the sources of ${from}; ${all.length} checks passed`
      : `NOT PROVEN: ${printable(file)}: ${failed.length} of ${all.length} checks failed: ${[...new Set(failed.map(({ id }) => id))].join(', ')}`,
  );
  return printableLines(`${lines.join('\n')}\n`);
}
