/** One small fault put into one source file. */
export interface Change {
  readonly file: string;
  /** Line of the first changed character, from 1. */
  readonly line: number;
  /** Which operator made it, such as `edge` or `drop`. */
  readonly kind: string;
  /** Offsets of the replaced text, in characters. */
  readonly start: number;
  readonly end: number;
  readonly from: string;
  readonly to: string;
}

/** Returns the text of a file with the fault in it. */
export const applied = (text: string, { start, end, to }: Change): string =>
  text.slice(0, start) + to + text.slice(end);

/** Returns the fault in one line, as survivors and equivalent ones are listed: `src/a.ts:3 edge: a < b -> a <= b`. */
export function told({ file, line, kind, from, to }: Change): string {
  const short = (text: string) => text.replace(/\s+/g, ' ').slice(0, 90);
  return `${file}:${line} ${kind}: ${short(from)} -> ${short(to) || 'nothing'}`;
}
