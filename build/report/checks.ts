import type { Check } from '../../src/base/check.ts';
import { printableLines } from './printable.ts';

const STATUS_NAMES = { pass: 'pass', fail: 'FAIL', skipped: 'skipped' } as const;

/** Returns checks as a table: status, name, reason; further lines of a reason stand below it. */
export function renderChecks(checks: readonly Check[]): string {
  const width = Math.max(...checks.map((check) => check.id.length));
  return checks
    .map(({ id, status, reason }) => {
      const [first = '', ...rest] = printableLines(reason ?? '').split('\n');
      const indent = ' '.repeat(width + 11);
      return [
        `${STATUS_NAMES[status].padEnd(8)} ${id.padEnd(width)}  ${first}`.trimEnd(),
        ...rest.map((line) => indent + line),
      ].join('\n');
    })
    .join('\n');
}
