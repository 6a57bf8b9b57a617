import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openRehearsalAuthority, type RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { keptBuild } from './kept-build.ts';

/**
 * Returns an authority in a folder of its own whose keys are those of every other one that comes from here, and of none that a
 * rehearsal makes: to make the keys anew takes a second of the processor.
 *
 * @param folder need not be there
 */
export async function testAuthority(folder: string): Promise<RehearsalAuthority> {
  const madeOf = { files: ['src/rehearsal', 'src/pki'], programs: [], variables: [] };
  const kept = await keptBuild('authority', madeOf, async (target) => {
    await openRehearsalAuthority(target);
  });
  mkdirSync(folder, { recursive: true });
  cpSync(join(kept, 'authority'), join(folder, 'authority'), { recursive: true });
  return openRehearsalAuthority(folder);
}
