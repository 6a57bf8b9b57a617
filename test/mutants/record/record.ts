import { readFileSync } from 'node:fs';

/** What is known of a room: test/mutants/scores.json, an entry a room. */
export interface Recorded {
  readonly room: string;
  readonly noticed: number;
  readonly tried: number;
  /** Day on which the sample was taken, such as 2026-11-26. */
  readonly date: string;
  /** Whether the tests that take long were left out: a lower bound then. */
  readonly quick?: boolean;
}

/** What a run counted in a room. */
export interface Counted {
  readonly room: string;
  readonly noticed: number;
  readonly tried: number;
  /** Per cent that must be noticed. */
  readonly floor: number;
}

/** What comes of a room. */
export type Standing = 'no record' | 'as recorded' | 'fell below its record' | 'below its floor';

/** Returns the record of every room that has one. */
export function readRecord(): readonly Recorded[] {
  return JSON.parse(readFileSync('test/mutants/scores.json', 'utf8')).rooms;
}

/**
 * Returns what a new sample says of a room: whether it lies below the recorded one by more than chance allows, which is two
 * standard errors of both samples together; or, where the recorded one had reached the floor, below the floor by more than two
 * standard errors of its own. A room without a record cannot fail.
 *
 * @see Agresti and Caffo, "Simple and Effective Confidence Intervals", The American Statistician 54 (2000): each sample counts
 *   one fault noticed and one that survives more, as a sample that is all or nothing would else seem to be without error
 */
export function standingOf({ noticed, tried, floor }: Counted, recorded: Recorded | undefined): Standing {
  if (!recorded) return 'no record';
  const now = shareOf(noticed, tried);
  const before = shareOf(recorded.noticed, recorded.tried);
  if (before.share - now.share > 2 * Math.sqrt(before.variance + now.variance)) return 'fell below its record';
  const hadReached = recorded.noticed * 100 >= floor * recorded.tried;
  if (hadReached && floor / 100 - now.share > 2 * Math.sqrt(now.variance)) return 'below its floor';
  return 'as recorded';
}

const FAILING: readonly string[] = ['fell below its record', 'below its floor'] satisfies Standing[];

/** Whether a standing fails the run. */
export const fails = (standing: string): boolean => FAILING.includes(standing);

function shareOf(noticed: number, tried: number): { readonly share: number; readonly variance: number } {
  const share = (noticed + 1) / (tried + 2);
  return { share, variance: (share * (1 - share)) / (tried + 2) };
}

/** Returns the table that ends a run, a line a room: record, floor, new score, and what comes of it. */
export function scoreTable(
  rows: readonly { readonly counted: Counted; readonly recorded: Recorded | undefined; readonly says: string }[],
): string[] {
  const percent = ({ noticed, tried }: { readonly noticed: number; readonly tried: number }) =>
    tried === 0 ? 'none tried' : `${noticed} of ${tried}, ${Math.floor((noticed * 100) / tried)} %`;
  const cells = rows.map(({ counted, recorded, says }) => [
    counted.room,
    recorded ? `${percent(recorded)} on ${recorded.date}${recorded.quick ? ', quick' : ''}` : 'none',
    `${counted.floor} %`,
    percent(counted),
    says,
  ]);
  const all = [['room', 'record', 'floor', 'now', ''], ...cells];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => (row[column] as string).length)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
