import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  makeRehearsalAuthority,
  openRehearsalAuthority,
  type RehearsalAuthority,
} from '../../src/rehearsal/authority.ts';
import { keptBuild } from './kept-build.ts';

/**
 * Returns an authority in a folder of its own whose keys are those of every other one that comes from here, and of none that a
 * rehearsal makes: to make the keys anew takes a second of the processor.
 *
 * @param folder need not be there
 */
export async function testAuthority(folder: string): Promise<RehearsalAuthority> {
  const kept = await keptFolder('test');
  mkdirSync(folder, { recursive: true });
  cpSync(join(kept, 'authority'), join(folder, 'authority'), { recursive: true });
  return openRehearsalAuthority(folder);
}

/**
 * Returns an authority that all tests share, in memory; one of another name has other keys.
 *
 * @param since when its certificates were made; some day not long ago without it
 */
export function keptAuthority(name: string, since?: Date): Promise<RehearsalAuthority> {
  const key = `${name} ${since?.toISOString()}`;
  const authority = known.get(key) ?? keptFolder(name, since).then(openRehearsalAuthority);
  known.set(key, authority);
  return authority;
}

const known = new Map<string, Promise<RehearsalAuthority>>();
/** As many as have a name. */
const KEPT = 8;

function keptFolder(name: string, since?: Date): Promise<string> {
  const words = [name, since?.toISOString() ?? ''];
  const madeOf = { files: ['src/rehearsal', 'src/pki'], programs: [], variables: [], words, keep: KEPT };
  return keptBuild('authority', madeOf, async (folder) => {
    const { members } = await makeRehearsalAuthority(since ?? new Date());
    const home = join(folder, 'authority');
    mkdirSync(home);
    for (const [member, { certificate, privateKey }] of Object.entries(members)) {
      writeFileSync(join(home, `${member}.cer`), certificate.der);
      writeFileSync(join(home, `${member}.key.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }), {
        mode: 0o600,
      });
    }
  });
}
