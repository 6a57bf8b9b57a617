import { describeCorpus } from './simulated/corpus.ts';

describeCorpus('bash');
