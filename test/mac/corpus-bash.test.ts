import { byDay } from '../support/by-day.ts';
import { CASE_NAMES, describeCorpus } from './simulated/corpus.ts';

// What a case holds is the same for every shell; dash, which takes half the time, tries most of them.
describeCorpus('bash', byDay(CASE_NAMES, 15));
