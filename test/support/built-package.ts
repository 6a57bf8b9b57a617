import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';

/** Returns the path of the package that `npm start` made for this test run. */
export function builtPackage(): string {
  const folder = inject('releaseFolder');
  const name = readdirSync(folder).find((file) => file.endsWith('.pkg'));
  if (!name) throw new Error(`no package in ${folder}`);
  return join(folder, name);
}
