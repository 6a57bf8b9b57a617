import { byDay } from '../support/by-day.ts';
import { CASE_NAMES, describeCorpus } from './simulated/corpus.ts';

// What a case holds is the same for every shell: one of what each name begins with, such as `shape-`.
describeCorpus(
  'bash',
  byDay(CASE_NAMES, 0, (name) => name.split('-', 1)[0] as string),
);
