import { readFileSync } from 'node:fs';

/** A message as somebody met it; see test/fixtures/apple-failures/README.md. */
export interface Reported {
  readonly id: string;
  /** The row that has to answer it. */
  readonly code: string;
  readonly tool: string;
  readonly message: string;
  readonly source: string | null;
  readonly seen?: string;
}

/** Returns the messages of one file of the corpus. */
export function readCorpus(name: string): Reported[] {
  const text = readFileSync(new URL(`../fixtures/apple-failures/${name}`, import.meta.url), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Reported);
}
