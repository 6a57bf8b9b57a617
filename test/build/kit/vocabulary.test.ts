import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  ANSWERS,
  answerOf,
  readVocabulary,
  SCRIPT_EXIT_CODES,
  type Vocabulary,
} from '../../../build/kit/vocabulary.ts';
import { renderTable, vocabularyTables } from '../../../build/kit/vocabulary-tables.ts';

let vocabulary: Vocabulary;
let tables: ReturnType<typeof vocabularyTables>;
beforeAll(async () => {
  vocabulary = await readVocabulary('.');
  tables = vocabularyTables(vocabulary, '1.1.0');
});
const deploying = readFileSync('docs/deploying.md', 'utf8');
const outcomes = readFileSync('docs/outcomes.md', 'utf8');

describe('docs/deploying.md', () => {
  it.each(['answers', 'settings'] as const)('has the table of %s that the kit and the release page have', (name) => {
    expect(deploying).toContain(`\n${renderTable(tables[name])}\n`);
  });
});

describe('the words of the product', () => {
  it('have an answer for every outcome, and no answer that is not in the table', () => {
    const words = vocabulary.outcomes.map((outcome) => answerOf(outcome));
    expect(words).toHaveLength(20);
    for (const word of words) expect(ANSWERS.map((answer) => answer.word)).toContain(word);
    expect(answerOf({ name: 'rotated', request: 'cleared' })).toBe('Rotated');
    expect(answerOf({ name: 'a-new-one', request: 'kept' })).toBe('Stuck');
  });

  it('tell the same exit codes as docs/outcomes.md', () => {
    for (const row of SCRIPT_EXIT_CODES) expect(outcomes).toContain(`| ${row.join(' | ')} |`);
  });

  it('break no table, whatever they hold', () => {
    expect(renderTable({ head: ['a'], rows: [['x | y']] })).toBe('| a |\n|---|\n| x \\| y |');
  });
});
