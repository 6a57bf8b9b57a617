import { keepThreadPoolAwake } from '../../build/thread-pool.ts';

// Once, for the process that all files of tests share.
const kept = globalThis as { threadPoolIsKeptAwake?: true };
if (!kept.threadPoolIsKeptAwake) keepThreadPoolAwake();
kept.threadPoolIsKeptAwake = true;
