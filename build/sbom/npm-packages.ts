import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { parseDocument } from '../../src/base/document.ts';
import { UsageError } from '../../src/base/errors.ts';

/** A package of npm's registry that took part in a build. */
export interface NpmPackage {
  /** With its scope: `@scope/name`. */
  readonly name: string;
  readonly version: string;
  /** SHA-512 of its archive, hex; null when the lock file has another algorithm. */
  readonly sha512: string | null;
  /** SPDX expression, as its author wrote it; null when the lock file has none. */
  readonly license: string | null;
}

/** Name of npm's lock file; a folder of parts holds it too. */
export const LOCK_FILE = 'package-lock.json';
/** Development packages that have a hand in what ships: this one puts the command line into one file. */
const BUILDERS = ['esbuild'];

/** What this reads of a lock file. Source: npm docs, package-lock.json, lockfileVersion 3. */
const LOCK_SCHEMA = z.object({
  lockfileVersion: z.literal(3),
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      integrity: z.string().optional(),
      license: z.string().optional(),
      dev: z.boolean().optional(),
    }),
  ),
});

/**
 * Returns the npm packages that run when a release is built, by name and version; those for tests alone are left out.
 *
 * @throws UsageError `LOCK_INVALID` when there is no lock file of version 3 in `root`
 */
export async function readBuildPackages(root: string): Promise<readonly NpmPackage[]> {
  const hint = `Restore ${LOCK_FILE} as the commit has it, then run npm start -- --resume.`;
  const source = await readFile(join(root, LOCK_FILE)).catch((cause: unknown) => {
    throw new UsageError('LOCK_INVALID', `cannot read ${LOCK_FILE}`, { cause, hint });
  });
  const lock = parseDocument(source, { name: LOCK_FILE, schema: LOCK_SCHEMA, code: 'LOCK_INVALID', hint });
  const found = new Map<string, NpmPackage>();
  for (const [path, { version, integrity, license, dev }] of Object.entries(lock.packages)) {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    if (path === '' || version === undefined || (dev && !BUILDERS.includes(name))) continue;
    found.set(`${name}@${version}`, { name, version, sha512: sha512Of(integrity), license: license ?? null });
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, package_]) => package_);
}

/** The lock file has Subresource Integrity: `sha512-` and base64. */
function sha512Of(integrity: string | undefined): string | null {
  const base64 = /^sha512-([A-Za-z0-9+/]+=*)$/.exec(String(integrity))?.[1];
  return base64 === undefined ? null : Buffer.from(base64, 'base64').toString('hex');
}
