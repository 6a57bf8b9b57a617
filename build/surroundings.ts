import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Returns the project's folder: of the first start that has a project above it the nearest one; without any the last start. */
export function projectFolder(starts: readonly string[]): string {
  for (const start of starts) {
    for (let folder = resolve(start); ; folder = dirname(folder)) {
      if (existsSync(join(folder, 'release.config.json'))) return folder;
      if (folder === dirname(folder)) break;
    }
  }
  return starts.at(-1) as string;
}

/** Whether a terminal may be written to with colours and lines that change; what stands in a log stays plain. */
export function isLively({ NO_COLOR = '', CI = '', TERM }: NodeJS.ProcessEnv): boolean {
  return NO_COLOR === '' && CI === '' && TERM !== 'dumb';
}
