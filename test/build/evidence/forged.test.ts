import { describe, expect, it } from 'vitest';
import { byDay, ofTheDay } from '../../support/by-day.ts';
import { evidenceOfRelease } from './evidence-subject.ts';

const evidence = evidenceOfRelease();
const { changed, failed, forged } = evidence;

describe(`evidence${ofTheDay}`, () => {
  const FORGED: [string, string, (text: string) => string][] = [
    ['notary-log.json', 'evidence-notary-log', (text: string) => text.replace('"Accepted"', '"Invalid"')],
    [
      'notary-log.json',
      'evidence-notary-log',
      (text: string) => text.replace(/"sha256":"[0-9a-f]{4}/, '"sha256":"0000'),
    ],
    ['verify-report.json', 'evidence-report', (text: string) => text.replace('"pass"', '"skipped"')],
    ['verify-report.json', 'evidence-report', (text: string) => text.replace('REHEARSAL0', 'REHEARSAL1')],
    ['EscrowBuddy.cdx.json', 'evidence-sbom', (text: string) => text.replace('"1.6"', '"1.5"')],
    ['SHA256SUMS', 'evidence-sums', (text: string) => text.replace(/^[0-9a-f]{4}/, '0000')],
    ['policy.json', 'evidence-policy', () => '{"schema": 1, "team": "ABCDE12345"}\n'],
    ['policy.json', 'evidence-policy', () => '{"schema": 2}\n'],
    [
      'provenance.json',
      'evidence-provenance',
      (text: string) => text.replace(/"sha256": "[0-9a-f]{4}/, '"sha256": "0000'),
    ],
    [
      'provenance.json',
      'evidence-provenance',
      (text: string) => text.replace('"version": "1.1.0"', '"version": "1.1.1"'),
    ],
  ];
  it.each(byDay(FORGED, 0, ([, id]) => id))('is refused for what a forged %s says (%s)', async (name, id, change) => {
    expect(await failed(changed(name, change))).toContain(id);
  });

  const REPORTS: [string, (report: any) => void][] = [
    ['a failed verdict', (report) => (report.verdict = 'fail')],
    ['another trust', (report) => (report.trust = 'apple')],
    ['a check less', (report) => report.checks.pop()],
    ['a check of another thing', (report) => (report.checks[0].subject = 'other')],
    ['a check that ended otherwise', (report) => (report.checks[0].status = 'skipped')],
    ['a form that is none', (report) => (report.schema = 2)],
  ];
  it.each(byDay(REPORTS, 3))('is refused for a report with %s', async (_, change) => {
    expect(await forged('verify-report.json', change)).toContain('evidence-report');
  });

  it('is not called forged because the package is not there', async () => {
    await expect(failed(evidence.files, { file: '/none/a.pkg' })).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is refused for a log of other tickets, or none', async () => {
    expect(await forged('notary-log.json', (log) => (log.ticketContents = []))).toContain('evidence-notary-log');
    const other = (log: any) => {
      for (const entry of log.ticketContents) entry.cdhash = '00'.repeat(20);
    };
    expect(await forged('notary-log.json', other)).toContain('evidence-notary-log');
    expect(await failed(changed('notary-log.json', () => 'no log'))).toContain('evidence-notary-log');
  });
});
