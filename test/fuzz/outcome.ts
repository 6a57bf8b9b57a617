import { PipelineError } from '../../src/base/errors.ts';
import { ARCHIVES } from './archives.ts';
import { CODE } from './code.ts';
import { DOCUMENTS } from './documents.ts';
import type { Reader } from './reader.ts';

/** Every reader of bytes that others made. */
export const READERS: readonly Reader[] = [...ARCHIVES, ...CODE, ...DOCUMENTS];

/** How a reader ended: what it said, numbers and quoted words left out, so that the same words about other bytes look the same. */
export interface Ending {
  readonly words: string;
  /** What must not be: an error that is not ours. */
  readonly fault: Error | undefined;
}

/** Has a reader read an input. */
export async function readOnce({ read }: Reader, data: Buffer): Promise<Ending> {
  try {
    const found = await read(data);
    return { words: typeof found === 'string' ? `read ${alike(found)}` : 'read', fault: undefined };
  } catch (error) {
    if (!(error instanceof PipelineError)) return { words: 'fault', fault: error as Error };
    return { words: `${error.code} ${alike(error.message)}`, fault: undefined };
  }
}

function alike(words: string): string {
  return words.replace(/"(?:[^"\\]|\\.)*"|\b(?:0x)?[\da-f]+\b/gi, '#').slice(0, 160);
}
