import { CODE_FAILURES } from './catalogue/code.ts';
import type { Failure, Who } from './catalogue/failure.ts';
import { KEYCHAIN_FAILURES } from './catalogue/keychain.ts';
import { NOTARY_FAILURES } from './catalogue/notary.ts';
import { PACKAGE_FAILURES } from './catalogue/package.ts';
import { RUNNER_FAILURES } from './catalogue/runner.ts';

/** Every failure that is known. */
export const FAILURES: readonly Failure[] = [
  ...KEYCHAIN_FAILURES,
  ...CODE_FAILURES,
  ...PACKAGE_FAILURES,
  ...NOTARY_FAILURES,
  ...RUNNER_FAILURES,
];

const NORMAL = new Map(FAILURES.map((failure) => [failure, normal(failure.match)]));
const PEOPLE: Readonly<Record<Who, string>> = {
  maintainer: 'the maintainer',
  'account-holder': "the account holder of Apple's developer program",
  apple: 'Apple; wait and repeat',
  runner: 'whoever looks after the machine',
};

/**
 * Returns the known failure that a message stands for, or undefined.
 *
 * Apple changes its wording, so what is looked for is the part that never varied; of several the longest wins, as it says most.
 *
 * @param message one or more lines as a tool printed them
 * @param tool only what this program prints is looked at; without it everything is
 * @example explain('Escrow Buddy.bundle: errSecInternalComponent', 'codesign')?.id // 'codesign-internal-component'
 */
export function explain(message: string, tool?: string): Failure | undefined {
  const text = normal(message);
  let best: Failure | undefined;
  for (const [failure, match] of NORMAL) {
    if (match === '' || (tool !== undefined && failure.tool !== tool) || !text.includes(match)) continue;
    if (!best || match.length > (NORMAL.get(best) ?? '').length) best = failure;
  }
  return best;
}

/** Returns what the lines of an error stand for, each failure once; what is harmless raises no alarm and is left out. */
export function explainLines(text: string, tool?: string): Failure[] {
  const found = text.split('\n').flatMap((line) => explain(line, tool) ?? []);
  return [...new Set(found)].filter(({ kind }) => kind !== 'harmless');
}

/** Returns a failure as a person reads it, each line below `indent`. */
export function renderFailure(failure: Failure, indent = ''): string {
  const { meaning, who, next, file, kind } = failure;
  const lines = [
    ['means', kind === 'harmless' ? `${meaning} (harmless)` : meaning],
    ['who', PEOPLE[who]],
    ['next', next],
    ['file', file],
  ];
  return lines.map(([name, value]) => `${indent}${(name as string).padEnd(6)} ${value}`).join('\n');
}

/** Curly quotes and runs of blanks differ between versions; a blank behind a colon between printers of JSON. */
function normal(text: string): string {
  return text
    .replace(/[\u201c\u201d]/g, '"')
    .replace(/[\u2018\u2019]/g, "'")
    .replace(/": "/g, '":"')
    .replace(/\s+/g, ' ')
    .trim();
}
