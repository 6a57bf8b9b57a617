import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { keptBuild } from '../../support/kept-build.ts';
import type { Slice } from './host.ts';

const EXECUTABLE = 'com.netflix.Escrow-Buddy.pkg/Payload/Escrow Buddy.bundle/Contents/MacOS/Escrow Buddy';

/**
 * Returns the paths of the Mach-O files that the login host loads, one a slice; the fat file is named for each.
 *
 * It is the executable inside the package that `npm start` made, taken out of it, once for each package: what ships is what is tested.
 *
 * @param release folder of that release, such as out/1.1.0
 */
export async function pluginUnderTest(
  release: string,
  slices: readonly Slice[],
): Promise<Partial<Record<Slice, string>>> {
  const name = readdirSync(release).find((file) => file.endsWith('.pkg'));
  if (!name) throw new Error(`no package in ${release}: run npm start`);
  const files = [join(release, name), '.build/cli.mjs'];
  const kept = await keptBuild(
    'expanded-package',
    { files, programs: [process.execPath], variables: [] },
    async (made) => {
      const argv = ['.build/cli.mjs', 'expand', join(release, name), join(made, 'package')];
      const { status, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${name} cannot be expanded: ${stderr}`);
    },
  );
  return Object.fromEntries(slices.map((slice) => [slice, join(kept, 'package', EXECUTABLE)]));
}
