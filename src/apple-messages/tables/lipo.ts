import type { MessageTable } from '../message.ts';

/** What `lipo` says of the programs that it is to join or to take apart. From public reports. */
export const LIPO: MessageTable = {
  tools: ['lipo'],
  rows: [
    {
      code: 'LIPO_SAME_ARCHITECTURE',
      kind: 'tool',
      match: ["have the same architectures (…) and can't be in the same fat output file"],
      cause: 'Both programs are for the same processor: one was compiled without its own architecture.',
      who: 'maintainer',
      next: 'lipo -info on each of them; compile one for arm64, one for x86_64',
      act: 'release',
      area: 'compile',
    },
    {
      code: 'LIPO_INPUT',
      kind: 'tool',
      match: ["lipo: can't open input file"],
      cause: 'A program that was to be joined is not there: its compilation failed, or put it elsewhere.',
      who: 'maintainer',
      next: 'Look at the first error of the compiler above this line',
      act: 'release',
      area: 'compile',
    },
  ],
};
