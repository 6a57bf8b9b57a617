import { PipelineError } from '../../src/base/errors.ts';

/** What is shown of a file: a document for programs, lines for a person. */
export interface Inspection {
  readonly document: object;
  readonly lines: readonly string[];
}

/** Returns what `read` does; undefined for a part that cannot be read, as what is wrong with it is the matter of `verify`. */
export function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof PipelineError) return undefined;
    throw error;
  }
}
