import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Slice } from './host.ts';

const EXECUTABLE = 'com.netflix.Escrow-Buddy.pkg/Payload/Escrow Buddy.bundle/Contents/MacOS/Escrow Buddy';

/**
 * Returns the paths of the Mach-O files that the login host loads, one a slice; the fat file is named for each.
 *
 * It is the executable inside the package that `npm start` made, taken out of it: what ships is what is tested.
 *
 * @param release folder of that release, such as out/1.1.0
 * @param out folder for what is taken out; the caller deletes it
 */
export function pluginUnderTest(
  release: string,
  out: string,
  slices: readonly Slice[],
): Partial<Record<Slice, string>> {
  const name = readdirSync(release).find((file) => file.endsWith('.pkg'));
  if (!name) throw new Error(`no package in ${release}: run npm start`);
  const folder = join(out, 'package');
  if (!existsSync(folder)) {
    const { status, stderr } = spawnSync(process.execPath, ['.build/cli.mjs', 'expand', join(release, name), folder], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${name} cannot be expanded: ${stderr}`);
  }
  return Object.fromEntries(slices.map((slice) => [slice, join(folder, EXECUTABLE)]));
}
