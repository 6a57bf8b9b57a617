import fc from 'fast-check';
import { DAY_SEED } from './by-day.ts';

// The same examples all day, so that a run can be repeated, and a hundred times as many at night.
fc.configureGlobal({ seed: DAY_SEED, ...(process.env.TEST_SWEEP === 'whole' ? { numRuns: 10_000 } : {}) });
