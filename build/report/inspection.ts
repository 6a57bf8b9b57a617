/** What is shown of a file: a document for programs, lines for a person. */
export interface Inspection {
  readonly document: object;
  readonly lines: readonly string[];
}
