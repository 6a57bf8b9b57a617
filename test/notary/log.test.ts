import { describe, expect, it } from 'vitest';
import { parseNotaryLog, renderIssues } from '../../src/notary/log.ts';

const parse = (log: object) =>
  parseNotaryLog(Buffer.from(JSON.stringify({ status: 'Invalid', statusSummary: 's', ...log })));
const issue = (path: string, message: string, more = {}) => ({
  severity: 'error',
  code: null,
  path,
  message,
  docUrl: null,
  architecture: null,
  ...more,
});

describe('the log of the notary', () => {
  it('has null, or nothing, where Apple says nothing', () => {
    expect(parse({ issues: [{ severity: 'new', message: 'm' }], ticketContents: [{ path: 'p' }] })).toMatchObject({
      status: 'Invalid',
      statusSummary: 's',
      statusCode: null,
      sha256: null,
      issues: [issue('', 'm')],
      ticketContents: [{ path: 'p', cdhash: '' }],
    });
    expect(parse({ issues: null, ticketContents: null })).toMatchObject({ issues: [], ticketContents: [] });
  });

  it('keeps what Apple says, digests in small letters', () => {
    const said = issue('p', 'm', { severity: 'warning', code: 7, docUrl: 'https://u.invalid', architecture: 'arm64' });
    expect(
      parse({ statusCode: 4000, sha256: 'AB', issues: [said], ticketContents: [{ path: 'p', cdhash: 'CD' }] }),
    ).toMatchObject({
      statusCode: 4000,
      sha256: 'ab',
      issues: [said],
      ticketContents: [{ path: 'p', cdhash: 'cd' }],
    });
  });
});

describe('issues as a person reads them', () => {
  it('stand once below their path, with their architectures, a warning only where all of them are', () => {
    const issues = [
      issue('a', 'one', { architecture: 'x86_64' }),
      issue('b', 'one', { severity: 'warning' }),
      issue('a', 'two', { severity: 'warning', architecture: 'arm64' }),
      issue('a', 'one', { severity: 'warning', architecture: 'arm64' }),
      issue('c', 'three', { severity: 'warning', architecture: 'x86_64' }),
      issue('c', 'three', { architecture: 'arm64' }),
      issue('c', 'three', { severity: 'warning' }),
    ];
    expect(renderIssues(issues as never)).toBe(
      [
        'a',
        '  one (x86_64, arm64)',
        '  warning: two (arm64)',
        'b',
        '  warning: one',
        'c',
        '  three (x86_64, arm64)',
      ].join('\n'),
    );
  });
});
