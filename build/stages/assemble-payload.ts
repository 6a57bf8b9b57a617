import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { fromBuffer } from '../../src/base/bytes.ts';
import { parseDocument } from '../../src/base/document.ts';
import { UsageError } from '../../src/base/errors.ts';
import { checkEntries, type PayloadEntry } from '../../src/tree/entry.ts';
import type { Plan } from '../plan/plan.ts';
import type { StageContext, StageResult } from '../run.ts';
import { type BuiltFile, ofEachPackage, type ScriptPackage } from './generate-scripts.ts';

/** What one component lays down and runs, with owners, modes and times settled. */
export interface ComponentTrees {
  readonly payload: readonly PayloadEntry[];
  readonly scripts: readonly PayloadEntry[];
}

/** The trees of the product and of the extra packages, which only run scripts. */
export interface AssembledPayload extends Readonly<Record<ScriptPackage, ComponentTrees>> {
  readonly kind: 'assembled-payload';
}

const PERMISSIONS_FILE = 'payload/permissions.json';
const modes = z.record(z.string(), z.string().regex(/^[0-7]{4}$/, 'four octal digits, such as 0755'));
const PERMISSIONS_SCHEMA = z.strictObject({
  owner: z.strictObject({ uid: z.number().int().min(0), gid: z.number().int().min(0) }),
  payload: modes,
  scripts: modes,
});
type Permissions = z.infer<typeof PERMISSIONS_SCHEMA>;

/**
 * Gives every file its owner, mode and time from one table, whoever builds on whatever machine.
 *
 * @param bundle files of the bundle, with paths below it
 * @param installer scripts of each package
 */
export async function assemblePayload(
  bundle: readonly BuiltFile[],
  installer: Readonly<Record<ScriptPackage, readonly BuiltFile[]>>,
  { plan }: Pick<StageContext, 'plan'>,
): Promise<StageResult<AssembledPayload>> {
  const { owner, ...tables } = await readPermissions(plan);
  const payloadOf = (files: readonly BuiltFile[]) => settle(files, tables.payload, owner, plan.sourceDateEpoch);
  const scriptsOf = (files: readonly BuiltFile[]) => settle(files, tables.scripts, owner, plan.sourceDateEpoch);
  const payload = payloadOf(bundle.map((file) => ({ ...file, path: `${plan.config.bundle.name}/${file.path}` })));
  refuseUnused(tables.payload, payload);
  return {
    value: {
      kind: 'assembled-payload',
      ...ofEachPackage((name) => ({
        payload: name === 'product' ? payload : payloadOf([]),
        scripts: scriptsOf(installer[name]),
      })),
    },
    summary: `${payload.length} entries, owners and modes from ${PERMISSIONS_FILE}`,
  };
}

/** Returns the table of owners and modes. */
export async function readPermissions(plan: Pick<Plan, 'root'>): Promise<Permissions> {
  return parseDocument(await readFile(join(plan.root, PERMISSIONS_FILE)), {
    name: PERMISSIONS_FILE,
    schema: PERMISSIONS_SCHEMA,
    code: 'PERMISSIONS_INVALID',
  });
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

/** A row that nothing has is a slip of the pen, or stands for a file that is missing. */
function refuseUnused(table: Permissions['payload'], entries: readonly PayloadEntry[]): void {
  const paths = new Set(entries.map(({ path }) => path.replace(/^\.\//, '')));
  const unused = Object.keys(table).filter((path) => !paths.has(path));
  if (unused.length === 0) return;
  throw new UsageError('PERMISSION_UNUSED', `${PERMISSIONS_FILE}: the payload has no ${unused.join(', ')}`, {
    hint: 'Remove the line or mend its path.',
  });
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
