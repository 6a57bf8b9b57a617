import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { fromBuffer } from '../../src/base/bytes.ts';
import { UsageError } from '../../src/base/errors.ts';
import { checkEntries, type PayloadEntry } from '../../src/flat-package/entry.ts';
import { parseJson } from '../config.ts';
import type { Plan } from '../plan.ts';
import type { StageContext, StageResult } from '../run.ts';

/** A file that goes into the package, by its path below the root it belongs to. */
export interface BuiltFile {
  readonly path: string;
  readonly data: Buffer;
}

/** Everything that a component lays down or runs, with owners, modes and times settled. */
export interface AssembledPayload {
  readonly kind: 'assembled-payload';
  readonly payload: readonly PayloadEntry[];
  readonly scripts: readonly PayloadEntry[];
}

const PERMISSIONS_FILE = 'payload/permissions.json';
const modes = z.record(z.string(), z.string().regex(/^[0-7]{4}$/, 'four octal digits, such as 0755'));
const PERMISSIONS_SCHEMA = z.object({
  comment: z.string().optional(),
  owner: z.object({ uid: z.number().int().min(0), gid: z.number().int().min(0) }),
  payload: modes,
  scripts: modes,
});
type Permissions = z.infer<typeof PERMISSIONS_SCHEMA>;

/**
 * Gives every file its owner, mode and time from one table, whoever builds on whatever machine.
 *
 * @param bundleFiles files of the bundle, with paths below the bundle
 * @param scriptFiles installer scripts
 */
export async function assemblePayload(
  bundleFiles: readonly BuiltFile[],
  scriptFiles: readonly BuiltFile[],
  { plan }: Pick<StageContext, 'plan'>,
): Promise<StageResult<AssembledPayload>> {
  const permissions = await readPermissions(plan);
  const inBundle = bundleFiles.map((file) => ({ ...file, path: `${plan.config.bundle.name}/${file.path}` }));
  const payload = settle(inBundle, permissions.payload, permissions.owner, plan.sourceDateEpoch);
  const scripts = settle(scriptFiles, permissions.scripts, permissions.owner, plan.sourceDateEpoch);
  return {
    value: { kind: 'assembled-payload', payload, scripts },
    words: `${payload.length} entries, root:wheel; ${scriptFiles.map((file) => file.path).join(', ')}`,
  };
}

/** Returns the table of owners and modes. */
export async function readPermissions(plan: Pick<Plan, 'root'>): Promise<Permissions> {
  const source = await readFile(join(plan.root, PERMISSIONS_FILE), 'utf8');
  const checked = PERMISSIONS_SCHEMA.safeParse(parseJson(source, PERMISSIONS_FILE));
  if (checked.success) return checked.data;
  const problems = checked.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`).join('\n');
  throw new UsageError('PERMISSIONS_INVALID', `${PERMISSIONS_FILE}:\n${problems}`);
}

/** Returns the entries of a tree: the files, every directory above them, and the root. */
function settle(
  files: readonly BuiltFile[],
  table: Permissions['payload'],
  owner: Permissions['owner'],
  mtimeSeconds: number,
): PayloadEntry[] {
  const common = { ...owner, mtimeSeconds };
  const directories = new Set(['.']);
  for (const { path } of files) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
      directories.add(path.slice(0, end));
  }
  const entryPath = (path: string) => (path === '.' ? '.' : `./${path}`);
  return checkEntries([
    ...[...directories].map((path) => ({
      ...common,
      kind: 'directory' as const,
      path: entryPath(path),
      mode: modeOf(path, table),
    })),
    ...files.map(({ path, data }) => ({
      ...common,
      kind: 'file' as const,
      path: entryPath(path),
      mode: modeOf(path, table),
      source: fromBuffer(data),
    })),
  ]);
}

function modeOf(path: string, table: Permissions['payload']): number {
  const mode = table[path] ?? (path === '.' ? undefined : table['*']);
  if (mode === undefined) {
    throw new UsageError('PERMISSION_MISSING', `${PERMISSIONS_FILE} has no mode for ${JSON.stringify(path)}`, {
      hint: 'Add a line for it: nothing gets into the package whose mode nobody decided.',
    });
  }
  return Number.parseInt(mode, 8);
}
