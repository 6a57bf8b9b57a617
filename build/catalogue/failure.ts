/** Who has to act. */
export type Who = 'maintainer' | 'account-holder' | 'apple' | 'runner';

/** What a message means for a release. `silent` has no message: its meaning says what is seen instead. */
export type Kind = 'error' | 'warning' | 'harmless' | 'wait' | 'silent';

/** A known failure. */
export interface Failure {
  /** Stable name. */
  readonly id: string;
  /** Program that prints it; `notary-log` for issues of the notary's log, `notary-api` for its web service. */
  readonly tool: string;
  readonly kind: Kind;
  /** The part of the message that never varies; empty for `silent`. */
  readonly match: string;
  readonly meaning: string;
  readonly who: Who;
  /** One act or command that confirms the cause or mends it. */
  readonly next: string;
  /** Where in this repository the matter is settled. */
  readonly file: string;
}

/** A row of a table, in the order of `Failure` without its tool. */
export type Row = readonly [
  id: string,
  kind: Kind,
  match: string,
  meaning: string,
  who: Who,
  next: string,
  file: string,
];

/** Returns the failures of one tool. */
export function failuresOf(tool: string, rows: readonly Row[]): Failure[] {
  return rows.map(([id, kind, match, meaning, who, next, file]) => ({
    id,
    tool,
    kind,
    match,
    meaning,
    who,
    next,
    file,
  }));
}
