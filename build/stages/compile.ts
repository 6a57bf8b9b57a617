import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlistValue } from 'plist';
import * as plist from 'plist';
import * as z from 'zod';
import { parseDocument } from '../../src/base/document.ts';
import { FormatError, UsageError } from '../../src/base/errors.ts';
import type { BundleSource, Compiler, MachOSlice } from '../../src/toolchain/toolchain.ts';
import { parsePropertyListDictionary } from '../../src/xml/property-list.ts';
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
const TEMPLATE_FILE = 'payload/Info.plist';

/** What payload/plugin/build.json says: the sources of the plug-in and how they are compiled, for both toolchains. */
const BUILD_SCHEMA = z.strictObject({
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
  const summary = `${slices.map((slice) => slice.architecture).join(' and ')}, ${versions.join(', ')}`;
  return {
    value: { kind: 'compiled-plugin', slices, infoPlist },
    facts: { tools: { ...tools, ...found } },
    summary: kept ? `${summary}, unchanged since an earlier run` : summary,
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

/** Our own reader refuses a key that stands twice, of which plist takes the last. */
function keysOfTemplate(source: Buffer): string[] {
  try {
    return [...parsePropertyListDictionary(source).keys()];
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new UsageError('INFO_PLIST_INVALID', `${TEMPLATE_FILE}: ${cause.message}`, {
      cause,
      hint: `Mend it; \`git checkout ${TEMPLATE_FILE}\` brings back the one of the last commit.`,
    });
  }
}

/**
 * Returns the bundle's Info.plist: the template in payload/, and what configuration and version decide.
 *
 * @throws UsageError `INFO_PLIST_INVALID` when the template has a key that is decided elsewhere
 */
export async function renderInfoPlist(plan: Plan): Promise<Buffer> {
  const { bundle, macOS } = plan.config;
  const source = await readFile(join(plan.root, TEMPLATE_FILE));
  const decided: Record<string, PlistValue> = {
    CFBundleExecutable: bundle.executable,
    CFBundleIdentifier: bundle.identifier,
    CFBundleName: bundle.name.replace(/\.bundle$/, ''),
    CFBundleShortVersionString: plan.version,
    CFBundleVersion: String(plan.bundleVersion),
    LSMinimumSystemVersion: macOS.installer,
  };
  const twice = keysOfTemplate(source).filter((key) => Object.hasOwn(decided, key));
  if (twice.length > 0) {
    throw new UsageError('INFO_PLIST_INVALID', `${TEMPLATE_FILE} has ${twice.join(', ')}`, {
      hint: 'Remove it there: release.config.json and the version in package.json decide it.',
    });
  }
  const values = { ...(plist.parse(source.toString('utf8')) as Record<string, PlistValue>), ...decided };
  const sorted = Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));
  return Buffer.from(`${plist.build(sorted, { indent: '\t' })}\n`);
}
