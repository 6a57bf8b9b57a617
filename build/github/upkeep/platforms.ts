import type { CommandContext, CommandResult } from '../../command.ts';
import { githubReport } from '../../report/github.ts';

/** Days before the end of a machine from which on the issue is opened: another one has to be found and tried. */
const WARNING_DAYS = 120;
const DAY_MS = 86_400_000;

/** What the workflows run on and what ends, the first day on which it may be gone. */
const ENDS: readonly { readonly what: string; readonly day: string; readonly next: string }[] = [
  // GitHub, notice of September 2025 on the end of Intel images: "until August 2027".
  {
    what: 'image macos-15-intel',
    day: '2027-08-01',
    next: 'take it out of release.yml, SMOKE_IMAGES and the tables of the policy',
  },
  // The same: autumn 2028; macOS 26 is the last one for Intel.
  {
    what: 'image macos-26-intel',
    day: '2028-09-01',
    next: 'no hosted machine tries the x86_64 slice any more: find one, or say so in the README',
  },
  // Apple, WWDC 2025: through macOS 27. macOS 28 is expected in autumn 2027.
  {
    what: 'Rosetta 2',
    day: '2027-09-01',
    next: 'Apple silicon stops trying the x86_64 slice; smoke.sh already says "skipped"',
  },
  // The label is a preview of 2026; GitHub names images after the system once they are not.
  {
    what: 'label xcode-27 as the only macOS 27',
    day: '2027-01-15',
    next: 'look whether macos-27 is there, and take it',
  },
];

/** Tells which machines of the workflows end soon. Findings go to the output `findings`, joined by `; `. */
export async function endingPlatforms(context: CommandContext): Promise<CommandResult> {
  const findings = platformFindings(new Date());
  await githubReport(context.env).output('findings', findings.join('; '));
  const lines = findings.length > 0 ? findings : ENDS.map(({ what, day }) => `${what}: not before ${day}`);
  return { document: { schema: 1, subject: 'platforms', findings }, text: lines.map((line) => `${line}\n`).join('') };
}

/** Returns what ends within the days of warning or has ended, one line each. */
export function platformFindings(now: Date): string[] {
  return ENDS.filter(({ day }) => Date.parse(day) - now.getTime() < WARNING_DAYS * DAY_MS).map(
    ({ what, day, next }) => `${what} may end from ${day} on: ${next}`,
  );
}
