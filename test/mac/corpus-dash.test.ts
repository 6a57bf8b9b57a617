import { byDay } from '../support/by-day.ts';
import { CASE_NAMES, describeCorpus } from './simulated/corpus.ts';

describeCorpus('dash', byDay(CASE_NAMES, 20));
