import { createHash } from 'node:crypto';
import { asyncProperty, check, nat } from 'fast-check';
import { applyEdits, EDITS, type Edit } from './edits.ts';
import { readOnce } from './outcome.ts';
import type { Reader } from './reader.ts';

/** Inputs of one round; the corpus stands still meanwhile, so that a fault can be made smaller. */
const ROUND = 1_000;
/** Inputs kept at most, beside the seeds. */
const CORPUS_MAX = 400;
/** Processor time of one input, milliseconds: more is a fault, whatever its size (128 KiB at most). */
const SLOW_MS = 2_000;

/** What fuzzing a reader came to so far. */
export interface Progress {
  readonly executions: number;
  /** Different endings seen. */
  readonly endings: number;
  /** The smallest input found that makes the reader fail, and how. */
  readonly fault: { readonly data: Buffer; readonly words: string } | undefined;
}

/**
 * Fuzzes a reader until `goOn` says no or a fault is found, and tells after each round.
 *
 * Where an input ends in a way never seen before, it joins the corpus: what gets further into a format is changed further. This
 * stands for coverage, which the one library for it (Jazzer.js) cannot tell on the systems here: it needs glibc 2.38.
 *
 * @param before is told each input before it is read, in case the reader never comes back
 */
export async function fuzz(
  reader: Reader,
  seed: number,
  { goOn, tell, before }: { goOn(): boolean; tell(progress: Progress): void; before(data: Buffer): void },
): Promise<void> {
  const corpus = [...(await reader.seeds())];
  const seeds = corpus.length;
  const endings = new Set<string>();
  let executions = 0;
  let since = process.cpuUsage();
  for (let round = 0; goOn(); round++) {
    const found: Buffer[] = [];
    const inputOf = (base: number, edits: readonly Edit[]) =>
      applyEdits(corpus[base % corpus.length] as Buffer, edits, corpus);
    const property = asyncProperty(nat(0x7fffffff), EDITS, async (base, edits) => {
      const data = inputOf(base, edits);
      before(data);
      const words = await endingOf(reader, data);
      const now = process.cpuUsage();
      const milliseconds = (now.user + now.system - since.user - since.system) / 1000;
      since = now; // asked once an input: it takes longer than some readers do
      if (milliseconds > SLOW_MS) throw new Error(`${milliseconds} ms for ${data.length} bytes`);
      executions++;
      if (!endings.has(words)) {
        endings.add(words);
        found.push(data);
      }
    });
    const result = await check(property, { numRuns: ROUND, seed: seed + round });
    const [base, edits] = result.counterexample ?? [];
    const fault =
      base === undefined || !edits
        ? undefined
        : { data: inputOf(base, edits), words: String((result.errorInstance as Error)?.stack) };
    tell({ executions, endings: endings.size, fault });
    if (fault) return;
    corpus.push(...found);
    // The oldest finds make room; seeds stay.
    if (corpus.length > seeds + CORPUS_MAX) corpus.splice(seeds, corpus.length - seeds - CORPUS_MAX);
  }
}

async function endingOf(reader: Reader, data: Buffer): Promise<string> {
  const { words, fault } = await readOnce(reader, data);
  if (fault) throw fault;
  return words;
}

/** Returns the name under which an input is kept. */
export function nameOf(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex').slice(0, 16);
}
