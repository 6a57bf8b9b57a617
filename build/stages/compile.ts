import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlistValue } from 'plist';
import * as plist from 'plist';
import * as z from 'zod';
import { parseDocument } from '../../src/base/document.ts';
import type { BundleSource, Compiler, MachOSlice } from '../../src/toolchain/toolchain.ts';
import type { Manifest } from '../plan/manifest.ts';
import type { Plan } from '../plan/plan.ts';
import type { StageContext, StageResult } from '../run.ts';
import type { CompileCache } from './compile-cache.ts';

/** The compiled plug-in: its slices and its information property list. No scripts yet, no seal. */
export interface CompiledPlugin {
  readonly kind: 'compiled-plugin';
  readonly slices: readonly MachOSlice[];
  readonly infoPlist: Buffer;
}

const BUILD_FILE = 'payload/plugin/build.json';

/** What payload/plugin/build.json says: the sources of the plug-in and how they are compiled, for both toolchains. */
const BUILD_SCHEMA = z.object({
  sources: z.array(z.string()).min(1),
  compilerFlags: z.array(z.string()),
  linkerFlags: z.array(z.string()),
  stubHeaders: z.string(),
  stubLibraries: z.array(z.string()).min(1),
  frameworks: z.array(z.string()),
  exportedSymbols: z.array(z.string()).min(1),
});

/**
 * Compiles the plug-in for both architectures and fills in its Info.plist.
 *
 * @param cache null compiles whatever was compiled before
 */
export async function compile(
  compiler: Compiler,
  tools: Manifest['tools'],
  { plan, signal }: Pick<StageContext, 'plan' | 'signal'>,
  cache: CompileCache | null,
): Promise<StageResult<CompiledPlugin>> {
  const source = await readBundleSource(plan);
  const [found, infoPlist] = await Promise.all([compiler.versions(), renderInfoPlist(plan)]);
  const kept = await cache?.read(source, found);
  const slices = kept ?? (await compiler.compile(source, { signal }));
  if (!kept) await cache?.write(source, found, slices);
  const versions = Object.entries(found).map(([tool, version]) => `${tool} ${version}`);
  const words = `${slices.map((slice) => slice.architecture).join(' and ')}, ${versions.join(', ')}`;
  return {
    value: { kind: 'compiled-plugin', slices, infoPlist },
    facts: { tools: { ...tools, ...found } },
    words: kept ? `${words}, unchanged since an earlier run` : words,
  };
}

/** Returns the plug-in's sources and flags, with what the configuration decides put in. */
export async function readBundleSource(plan: Pick<Plan, 'root' | 'config'>): Promise<BundleSource> {
  const folder = join(plan.root, 'payload/plugin');
  const build = parseDocument(await readFile(join(plan.root, BUILD_FILE)), {
    name: BUILD_FILE,
    schema: BUILD_SCHEMA,
    code: 'BUILD_FILE_INVALID',
  });
  const { sdk, x86_64, arm64 } = plan.config.macOS;
  return {
    ...build,
    folder,
    executable: plan.config.bundle.executable,
    sdkVersion: sdk,
    minimumMacOS: { x86_64, arm64 },
  };
}

/** Returns the bundle's Info.plist: the template in payload/, and what configuration and version decide. */
export async function renderInfoPlist(plan: Plan): Promise<Buffer> {
  const { bundle, macOS } = plan.config;
  const template = plist.parse(await readFile(join(plan.root, 'payload/Info.plist'), 'utf8')) as Record<
    string,
    PlistValue
  >;
  const values: Record<string, PlistValue> = {
    ...template,
    CFBundleExecutable: bundle.executable,
    CFBundleIdentifier: bundle.identifier,
    CFBundleName: bundle.name.replace(/\.bundle$/, ''),
    CFBundleShortVersionString: plan.version,
    CFBundleVersion: String(plan.bundleVersion),
    LSMinimumSystemVersion: macOS.installer,
  };
  const sorted = Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));
  return Buffer.from(`${plist.build(sorted, { indent: '\t' })}\n`);
}
