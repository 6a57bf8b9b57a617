import type { RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { keptAuthority } from '../support/test-authority.ts';

/** Returns one authority for all tests: its keys take a second of the processor. */
export const sharedAuthority = (): Promise<RehearsalAuthority> => keptAuthority('shared');
