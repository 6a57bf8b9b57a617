import type { CheckList } from '../base/check.ts';
import { InterruptedError, PipelineError } from '../base/errors.ts';

/**
 * Returns what `read` returns; when it throws an error about the file, records a failure and returns undefined.
 *
 * The same as `CheckList.read` for work that takes its time.
 */
export async function readAbout<T>(list: CheckList, id: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof PipelineError) || error instanceof InterruptedError) throw error;
    list.fail(id, error.message);
    return undefined;
  }
}
