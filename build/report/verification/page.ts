import type { Check } from '../../../src/base/check.ts';
import type { Trust } from '../../../src/pki/x509/apple-roots.ts';
import { ABILITIES } from '../../../src/verify/abilities.ts';
import type { PackageReport } from '../../../src/verify/expectations.ts';
import { printableLines } from '../printable.ts';
import { remarks, verdict } from '../verification.ts';
import { type CheckGroup, groupChecks } from './groups.ts';
import { CHECK_GUIDE } from './guide.ts';

/**
 * Returns the report of a checked package as one page that holds everything it needs: it loads nothing and runs nothing, so that it can
 * be mailed or attached to a ticket. Whatever comes from the package is shown as text.
 */
export function renderVerificationPage(file: string, report: PackageReport, trust: Pick<Trust, 'name'>): string {
  const passed = report.valid;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${passed ? 'PASS' : 'FAIL'}: ${text(file)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1 class="${passed ? 'pass' : 'fail'}">${passed ? 'Passed' : 'Failed'}</h1>
<p class="verdict">${text(verdict(file, report))}</p>
${remarks(report, trust)
  .filter((line) => !line.includes('--verbose') && !line.includes('docs/'))
  .map((line) => `<p>${text(line)}</p>`)
  .join('\n')}
${factsTable(report)}
${groupChecks(report).map(groupSection).join('\n')}
${abilitySection(report)}
</main>
</body>
</html>
`;
}

function factsTable({ facts }: PackageReport): string {
  const rows = [
    ['Identifier', facts.identifier],
    ['Version', facts.version],
    ['Signed by', facts.signer],
    ['Team', facts.teamIdentifier],
    ['Signed at', facts.timestamp?.toISOString()],
    ['Ticket of', facts.ticketIssuedAt?.toISOString()],
    ['Digest of the table of contents', facts.tocDigest],
  ].filter((row): row is [string, string] => typeof row[1] === 'string');
  return `<dl>\n${rows.map(([name, value]) => `<dt>${name}</dt><dd>${text(value)}</dd>`).join('\n')}\n</dl>`;
}

const STATUS_NAMES = { pass: 'pass', fail: 'FAIL', skipped: 'skipped' } as const;

/** Open where something failed. */
function groupSection({ title, status, answer, checks }: CheckGroup): string {
  return `<details${status === 'fail' ? ' open' : ''}>
<summary><span class="mark ${status}">${STATUS_NAMES[status]}</span> <strong>${title}</strong> <span class="answer">${text(answer)}</span></summary>
<ul>
${failedFirst(checks).map(checkItem).join('\n')}
</ul>
</details>`;
}

const failedFirst = (checks: readonly Check[]) => [
  ...checks.filter(({ status }) => status === 'fail'),
  ...checks.filter(({ status }) => status !== 'fail'),
];

function checkItem({ id, status, reason, subject }: Check): string {
  const guide = CHECK_GUIDE[id];
  const about = subject === undefined || subject === 'package' ? '' : ` <span class="subject">${text(subject)}</span>`;
  return `<li><span class="mark ${status}">${STATUS_NAMES[status]}</span> <code>${text(id)}</code>${about}${
    reason === undefined ? '' : `<p class="reason">${text(reason)}</p>`
  }${guide ? `<p class="guide">Protects from ${text(guide.protects)}.${status === 'fail' ? ` ${text(guide.todo)}` : ''}</p>` : ''}</li>`;
}

function abilitySection({ abilities }: PackageReport): string {
  if (abilities.length === 0) return '';
  const items = abilities.map(
    ({ ability, before, found }) =>
      `<li>${before ? '<strong>Before anybody has agreed:</strong> ' : ''}${text(ABILITIES[ability].description)} <span class="subject">${text(found)}</span></li>`,
  );
  return `<h2>What this package may do</h2>\n<ul>\n${items.join('\n')}\n</ul>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function text(plain: string): string {
  return printableLines(plain).replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}

const STYLE = `
:root { color-scheme: light dark; --text: #1d1d1f; --quiet: #5c5c61; --back: #fff; --line: #d8d8dc; --good: #1a7f37; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --text: #f2f2f4; --quiet: #a9a9b0; --back: #1c1c1e; --line: #3a3a3e; --good: #4cc26a; --bad: #ff8a80; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 2rem; }
h2 { font-size: 1.2rem; }
.pass { color: var(--good); }
.fail { color: var(--bad); }
.skipped, .subject, .guide, dt { color: var(--quiet); }
.verdict { font-family: ui-monospace, monospace; font-size: .9rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; }
dd { margin: 0; }
details { border-top: 1px solid var(--line); padding: .5rem 0; }
summary { cursor: pointer; }
ul { padding-left: 1.2rem; }
li { margin: .4rem 0; }
li p { margin: 0; }
.mark { font-weight: 600; font-size: .85rem; }
.reason { font-family: ui-monospace, monospace; font-size: .85rem; white-space: pre-wrap; }
.guide { font-size: .9rem; }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } .answer { display: block; } }
`;
