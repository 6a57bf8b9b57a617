import { makeRehearsalAuthority, type RehearsalAuthority } from '../../src/rehearsal/authority.ts';

let made: Promise<RehearsalAuthority> | undefined;

/** Returns one authority for all tests of a file: its keys take a third of a second. */
export function sharedAuthority(): Promise<RehearsalAuthority> {
  made ??= makeRehearsalAuthority(new Date());
  return made;
}
