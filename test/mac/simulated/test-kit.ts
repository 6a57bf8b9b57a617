import { createHash } from 'node:crypto';
import { type KitScripts, renderKitScripts } from '../../../build/kit/scripts.ts';
import { templateReader } from '../../../build/scripts/render-script.ts';
import { scriptValues } from '../../../build/scripts/script-values.ts';
import { scriptInput } from './test-package.ts';

/** What stands for the package: the stand-in of installer does not open it. */
export const DOWNLOAD = Buffer.from('a package of 1.1.0');
export const DOWNLOAD_TEAM = 'ABCDE12345';

/** Returns the scripts of the kit of a version, whose package is `DOWNLOAD`. */
export function testKitScripts(version: string, teamIdentifier: string | null = DOWNLOAD_TEAM): KitScripts {
  return renderKitScripts(
    {
      values: scriptValues(scriptInput(version)),
      file: { size: DOWNLOAD.length, sha256: createHash('sha256').update(DOWNLOAD).digest('hex') },
      signing: teamIdentifier === null ? null : { teamIdentifier },
    },
    'https://downloads.example.com/Escrow.Buddy-1.1.0.pkg',
    templateReader('scripts'),
  );
}
