import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { groupChecks } from '../../../build/report/verification/groups.ts';
import { CHECK_GUIDE, GROUPS, groupOf } from '../../../build/report/verification/guide.ts';
import { renderVerificationPage } from '../../../build/report/verification/page.ts';
import { renderVerification } from '../../../build/report/verification.ts';
import { ABILITIES } from '../../../src/verify/abilities.ts';
import type { PackageReport } from '../../../src/verify/expectations.ts';

/** Ids as the sources of `verify` write them: the argument of a check, or a constant called `id`. */
function idsInSources(): string[] {
  const files = execFileSync(
    'git',
    ['ls-files', '-co', '--exclude-standard', 'src/verify', 'src/code-signature/verify'],
    {
      encoding: 'utf8',
    },
  )
    .trim()
    .split('\n');
  const patterns = [
    /\.(?:pass|fail|skip|check|read)\(\s*'([a-z-]+)'/g,
    /\b(?:readAbout|checkOpen|checkOwnTree)\(\s*list,\s*'([a-z-]+)'/g,
    /\bid(?: =|:) '([a-z-]+)'/g,
  ];
  const found = files.flatMap((file) => {
    const source = readFileSync(file, 'utf8');
    return patterns.flatMap((pattern) => [...source.matchAll(pattern)].map(([, id]) => id as string));
  });
  return [...new Set(found)];
}

describe('every check', () => {
  const page = readFileSync('docs/verifying.md', 'utf8');

  it('that the sources can make is described, and nothing else is', () => {
    const ids = idsInSources();
    expect(ids.length).toBeGreaterThan(60);
    expect(ids.sort()).toEqual(Object.keys(CHECK_GUIDE).sort());
  });

  it('stands in docs/verifying.md, with what it protects from and what to do', () => {
    const rows = Object.entries(CHECK_GUIDE).map(([id, { protects, todo }]) => `| \`${id}\` | ${protects} | ${todo} |`);
    expect(rows.filter((row) => !page.includes(`${row}\n`))).toEqual([]);
    expect(page.slice(page.indexOf('## Every check')).match(/^\| `/gm)).toHaveLength(rows.length);
  });

  it('belongs to a question', () => {
    expect(Object.values(CHECK_GUIDE).filter(({ group }) => !(group in GROUPS))).toEqual([]);
    expect(groupOf('not-described')).toBe('whole');
  });

  it('of what a package may do stands there too', () => {
    const rows = Object.entries(ABILITIES).map(
      ([name, { before, description }]) =>
        `| \`${name}\` | ${before ? 'before anybody has agreed: ' : ''}${description} |`,
    );
    expect(rows.filter((row) => !page.includes(`${row}\n`))).toEqual([]);
  });
});

const report: PackageReport = {
  valid: false,
  checks: [
    { id: 'package-signature', status: 'pass', subject: 'package' },
    { id: 'heap-gaps', status: 'pass', subject: 'package', reason: 'a note' },
    { id: 'ticket', status: 'skipped', subject: 'package', reason: 'no ticket is stapled to the package' },
    {
      id: 'scripts',
      status: 'fail',
      subject: 'a.pkg',
      reason: './x</li><script>alert(1)</script>\u001b[31m is missing',
    },
  ],
  installs: [{ identifier: 'com.example.a', version: '1', installLocation: '/opt', numberOfFiles: 3 }],
  abilities: [
    { ability: 'scripts', before: false, found: 'PackageInfo: preinstall: ./x' },
    { ability: 'javaScript', before: true, found: 'Distribution: <script> system.run("x")' },
  ],
  facts: {
    identifier: 'com.example.a',
    version: '1',
    tocDigest: '00',
    signer: 'Somebody',
    teamIdentifier: 'ABCDE12345',
    timestamp: null,
    ticketIssuedAt: null,
    slices: [],
  },
};
const view = { trust: { name: 'apple' }, verbose: false } as const;

describe('the report for a person', () => {
  it('answers each question in one line, and shows only what failed', () => {
    expect(renderVerification('a.pkg', report, view).split('\n')).toEqual([
      'pass     Who signed it     Somebody, without a timestamp',
      'skipped  Is it notarized   no ticket is stapled to the package',
      'FAIL     What it runs      one check failed: scripts',
      '  FAIL     scripts  a.pkg: ./x</li><script>alert(1)</script>\\u001b[31m is missing',
      'pass     Is it whole       one check passed',
      '',
      'What it may do',
      '  before anybody has agreed: JavaScript that Installer runs to look at the Mac (<script> system.run("x"))',
      '  scripts that run as root (preinstall: ./x)',
      '',
      'One check has a note: --verbose shows all checks.',
      'What each check is about, and what to do: docs/verifying.md',
      'FAIL: a.pkg: 1 of 4 checks failed: scripts',
      '',
    ]);
  });

  it('shows every check with --verbose', () => {
    const lines = renderVerification('a.pkg', report, { ...view, verbose: true });
    for (const { id } of report.checks) expect(lines).toMatch(new RegExp(`^ {2}\\w+ +${id}`, 'm'));
    expect(lines).toContain('a note');
  });

  it('never says pass where a check of the question failed or nothing was looked at', () => {
    const status = Object.fromEntries(groupChecks(report).map((group) => [group.name, group.status]));
    expect(status).toEqual({ signed: 'pass', notarized: 'skipped', runs: 'fail', whole: 'pass' });
  });
});

describe('the page', () => {
  const page = renderVerificationPage('<a>.pkg', report, { name: 'apple' });

  it('shows what comes from a package as text', () => {
    expect(page).not.toContain('<script');
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;\\u001b[31m');
    expect(page).toContain('<title>FAIL: &lt;a&gt;.pkg</title>');
  });

  it('loads nothing: no address, no script, and a policy that forbids both', () => {
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/\b(src|href)=|url\(|@import|https?:/);
  });

  it('opens what failed, with what to do', () => {
    expect(page).toMatch(/<details open>\n<summary><span class="mark fail">/);
    expect(page).toContain(CHECK_GUIDE.scripts?.todo);
    expect(page.match(/<details open>/g)).toHaveLength(1);
  });
});
