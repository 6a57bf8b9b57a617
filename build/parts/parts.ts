import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import fsExtra from 'fs-extra';
import * as z from 'zod';
import { parseDocument } from '../../src/base/document.ts';
import { UsageError, VerificationError } from '../../src/base/errors.ts';
import { digestFile } from '../../src/base/files.ts';
import { readWhole } from '../../src/base/with-file.ts';
import type { Compiler, MachOSlice } from '../../src/toolchain/toolchain.ts';
import { VOCABULARY_FILE } from '../kit/vocabulary.ts';
import { CONFIG_FILE } from '../plan/config.ts';
import type { Plan } from '../plan/plan.ts';
import { LOCK_FILE } from '../sbom/npm-packages.ts';
import { CERTIFICATES, readChain } from '../signing/external.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Schema of compiled/compiled.json: what was compiled, from which commit, by which tools. */
const COMPILED_SCHEMA = z.strictObject({
  schema: z.literal(1),
  version: z.string(),
  commit: z.string().nullable(),
  sourceDateEpoch: z.number().int().min(0),
  toolchain: z.enum(['portable', 'apple']),
  tools: z.record(z.string(), z.string()),
  slices: z.array(z.strictObject({ architecture: z.enum(['x86_64', 'arm64']), sha256 })).min(1),
});
export type CompiledRecord = z.infer<typeof COMPILED_SCHEMA>;

/** Name of the command line inside a folder of parts: one file that needs neither modules nor a checkout. */
export const PARTS_CLI = 'cli.mjs';
/** What a release reads beside the compiled slices. */
const SOURCES = [
  CONFIG_FILE,
  'package.json',
  LOCK_FILE,
  'CHANGELOG.md',
  'payload/permissions.json',
  'payload/Info.plist',
  'payload/kit',
  'payload/plugin/build.json',
  VOCABULARY_FILE,
  'scripts',
  // What uses a key, in a service or beside nothing else.
  'build/signers',
];
const COMPILED = 'compiled';

/** What `writeParts` is to put into the folder. */
export interface Parts {
  readonly plan: Plan;
  /** The command line as one file. */
  readonly cli: string;
  readonly slices: readonly MachOSlice[];
  readonly toolchain: CompiledRecord['toolchain'];
  readonly tools: Readonly<Record<string, string>>;
}

/**
 * Fills an empty folder with all that signs a release on a machine with Node.js and nothing else: the command line as one file,
 * the configuration, the scripts, and the compiled slices without a signature.
 *
 * @example cd FOLDER && node cli.mjs release --compiled . --until sign-package --out out
 */
export async function writeParts(folder: string, { plan, cli, slices, toolchain, tools }: Parts): Promise<void> {
  const elsewhere = Object.values(plan.config.signing.externalSigner ?? {});
  for (const { certificates } of elsewhere) await readChain(certificates, plan.root);
  const certificates = Object.values(CERTIFICATES).filter((path) => existsSync(join(plan.root, path)));
  for (const path of new Set([...SOURCES, ...elsewhere.map((one) => one.certificates), ...certificates]))
    await fsExtra.copy(join(plan.root, path), join(folder, path));
  await fsExtra.copy(cli, join(folder, PARTS_CLI));
  const digests: CompiledRecord['slices'] = [];
  for (const { architecture, data } of slices) {
    const path = join(folder, COMPILED, architecture);
    await fsExtra.outputFile(path, data);
    digests.push({ architecture, sha256: (await digestFile(path)).sha256 });
  }
  const record: CompiledRecord = {
    schema: 1,
    version: plan.version,
    commit: plan.commit,
    sourceDateEpoch: plan.sourceDateEpoch,
    toolchain,
    tools: { ...tools },
    slices: digests,
  };
  await fsExtra.outputJson(join(folder, COMPILED, 'compiled.json'), record, { spaces: 2 });
}

/**
 * Returns what compiled/compiled.json of a folder of parts says.
 *
 * @throws UsageError `PARTS_INVALID` when the folder was not made by `parts`
 */
export async function readCompiledRecord(folder: string): Promise<CompiledRecord> {
  const path = join(folder, COMPILED, 'compiled.json');
  const hint = 'Name a folder that `npm run -s cli -- parts` made.';
  let source: Buffer;
  try {
    source = await readWhole(path);
  } catch (cause) {
    throw new UsageError('PARTS_INVALID', `cannot read ${path}`, { cause, hint });
  }
  return parseDocument(source, { name: path, schema: COMPILED_SCHEMA, code: 'PARTS_INVALID', hint });
}

/** Returns a compiler that compiles nothing, but joins slices as `compiler` does: its slices and tools are those of a folder of parts. */
export function compiledEarlier(folder: string, record: CompiledRecord, compiler: Compiler): Compiler {
  return {
    ...compiler,
    compile: () => readSlices(folder, record),
    versions: async () => record.tools,
  };
}

/**
 * Returns the compiled slices of a folder of parts.
 *
 * @throws VerificationError `PARTS_CHANGED` when a slice is not what compiled.json says
 */
async function readSlices(folder: string, record: CompiledRecord): Promise<readonly MachOSlice[]> {
  const slices: MachOSlice[] = [];
  for (const { architecture, sha256: expected } of record.slices) {
    const path = join(folder, COMPILED, architecture);
    const found = (await digestFile(path)).sha256;
    if (found !== expected) {
      throw new VerificationError('PARTS_CHANGED', `${basename(path)} has sha256 ${found}, not ${expected}`, {
        hint: 'Fetch or build the parts anew.',
      });
    }
    slices.push({ architecture, data: await readWhole(path) });
  }
  return slices;
}
