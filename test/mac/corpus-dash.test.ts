import { byDay } from '../support/by-day.ts';
import { CASE_NAMES, describeCorpus, describeModel, outcomesOf } from './simulated/corpus.ts';

describeModel();

// One of all whose acts end alike.
describeCorpus('dash', byDay(CASE_NAMES, 3, outcomesOf));
