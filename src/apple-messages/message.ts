/** Who has to act. */
export type Who = 'maintainer' | 'account-holder' | 'apple' | 'runner';

/**
 * What a message means for a release. The first four stop it and name the class of its error; `wait` stops it too, but nothing is
 * wrong: ask again later. `warning` and `harmless` stop nothing. `silent` has no words: its cause says what is seen instead.
 */
export type Kind = 'tool' | 'refused' | 'network' | 'verification' | 'wait' | 'warning' | 'harmless' | 'silent';

/** Part of a pipeline in which the matter is settled. */
export type Area =
  | 'bundle'
  | 'compile'
  | 'configuration'
  | 'developer-tools'
  | 'identities'
  | 'info-plist'
  | 'keychain'
  | 'notarize'
  | 'notary-connection'
  | 'notary-key'
  | 'notary-wait'
  | 'notarytool'
  | 'package'
  | 'permissions'
  | 'scripts'
  | 'sign-code'
  | 'sign-package'
  | 'staple'
  | 'timestamp'
  | 'upload'
  | 'verify'
  | 'workflow';

/** What to have the pipeline do after the next step, or as the next step. */
export type Act =
  | 'check'
  | 'inspect'
  | 'notary-log'
  | 'notary-portable'
  | 'release'
  | 'resume'
  | 'sign-portable'
  | 'staple'
  | 'verify';

/** A row of a table. */
export interface MessageRow {
  /** Stable name of the cause, unique over all tables. */
  readonly code: string;
  readonly kind: Kind;
  /**
   * Words that never vary, upper and lower case alike; `…` stands for anything within a line. Any one of them is enough. A
   * pattern, where words do not do, sees straight double quotes only.
   */
  readonly match: readonly (string | RegExp)[];
  /** What is wrong, which is often not what the message says. */
  readonly cause: string;
  readonly who: Who;
  /** One act or command that confirms the cause or repairs it. */
  readonly next: string;
  readonly act?: Act;
  readonly area: Area;
}

/**
 * Returns the words under which a status of Apple's frameworks is printed: its name and its number.
 *
 * @example status('errSecAuthFailed', -25293) // ['errSecAuthFailed', '-25293']
 */
export function status(name: string, number: number): string[] {
  return [name, String(number)];
}

/** What one tool says. Some tools share their words: then the table has several names, the best known first. */
export interface MessageTable {
  readonly tools: readonly [string, ...string[]];
  /** Rows that name a cause stand before those that only repeat that there is one. */
  readonly rows: readonly MessageRow[];
}

/** A known message, and the tool that prints it or `any`. */
export interface KnownMessage extends MessageRow {
  readonly tool: string;
}

/** A known message and the first line that it explains, as it was printed. */
export interface FoundMessage extends KnownMessage {
  readonly line: string;
}
