/** What is asked: tests, with one fault switched on. */
export interface Ask {
  /** Files of tests in the order in which they run; with `only`, the places of those that do. */
  readonly files: readonly { readonly file: string; readonly only?: readonly string[] }[];
  /** Number of the switch that is on; 0 is none. */
  readonly on: number;
  /** Whether all of them run, and what they come by is written down; else the first that fails is the last. */
  readonly record: boolean;
}

/** One test that ran, or with an empty name what a file does before and between its tests. */
export interface Ran {
  readonly file: string;
  readonly name: string;
  /** Where it stands in its file, such as 1_0; its name may hold a value that a fault changes. */
  readonly place: string;
  readonly seconds: number;
  readonly failed: boolean;
  /** Of one that failed, why. */
  readonly words?: string;
  /** Switches that it came by, of programs that it started too. */
  readonly by: readonly number[];
}

/** What came of it. */
export interface Answer {
  readonly ran: readonly Ran[];
  /** Switches that modules came by while they were loaded. */
  readonly atLoad: readonly number[];
  /** The first test that failed, or file that did not load. */
  readonly failure?: Ran;
}

/** Sent before each file and each test, as a sign that what came before has ended. */
export const ALIVE = 'alive';
