import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseJson } from '../../src/base/document.ts';
import { UsageError } from '../../src/base/errors.ts';
import { type Config, readConfig } from './config.ts';
import { readSourceState, type TimeFrom } from './source-state.ts';

/** Everything a run needs to know before its first stage; no stage looks anywhere else for it. */
export interface Plan {
  /** Folder of the project. */
  readonly root: string;
  readonly config: Config;
  /** `x.y.z`, from package.json. */
  readonly version: string;
  /** CFBundleVersion: major * 10000 + minor * 100 + patch. */
  readonly bundleVersion: number;
  /** Time given to every file, in Unix seconds. */
  readonly sourceDateEpoch: number;
  /** Where that time comes from. */
  readonly timeFrom: TimeFrom;
  /** Commit the sources are at, `+changes` behind it when the work tree differs; null where nothing tells. */
  readonly commit: string | null;
  /** Folder of this version's results, `OUT/<version>`. */
  readonly outFolder: string;
  /** What stands behind the version in the names of results; `-rehearsal` where no Mac is to trust them. */
  readonly nameSuffix?: typeof REHEARSAL_SUFFIX;
  /** The package of the release before, which the page compares with this one. */
  readonly previousPackage?: string;
}

/** Says in a file's name that it was signed for trying out. */
export const REHEARSAL_SUFFIX = '-rehearsal';

/** Packages beside the product's own, which travel in the MDM kit: they only run scripts. */
export const EXTRA_PACKAGES = ['guard', 'uninstall', 'request'] as const;

/** One of them. */
export type ExtraPackage = (typeof EXTRA_PACKAGES)[number];

/** What the command line and its environment add to the configuration. */
export interface PlanInput {
  readonly root: string;
  readonly outFolder: string;
  /** The value of SOURCE_DATE_EPOCH, when it is set. */
  readonly sourceDateEpoch: string | undefined;
  readonly previousPackage?: string | undefined;
}

/**
 * Returns the plan of a run.
 *
 * @throws UsageError when the configuration, the version or the epoch is wrong
 */
export async function makePlan(input: PlanInput): Promise<Plan> {
  const config = await readConfig(input.root);
  const version = await readVersion(input.root);
  const bundleVersion = bundleVersionOf(version);
  const given = epochOf(input.sourceDateEpoch);
  const { commit, time, timeFrom } = await readSourceState(input.root, version);
  return {
    root: input.root,
    config,
    version,
    bundleVersion,
    sourceDateEpoch: given ?? time,
    timeFrom: given === undefined ? timeFrom : 'SOURCE_DATE_EPOCH',
    commit,
    outFolder: join(input.outFolder, version),
    ...(input.previousPackage !== undefined && { previousPackage: input.previousPackage }),
  };
}

/** Returns the name of an output file with its version put in. */
export function outputName(
  plan: Pick<Plan, 'config' | 'version' | 'nameSuffix'>,
  output: keyof Config['output'],
): string {
  return plan.config.output[output].replaceAll('{version}', `${plan.version}${plan.nameSuffix ?? ''}`);
}

const VERSION = /^(0|[1-9]\d{0,3})\.(0|[1-9]\d?)\.(0|[1-9]\d?)$/;

/** Returns whether a release can have this version. */
export const isReleaseVersion = (version: string): boolean => VERSION.test(version);

/** Returns CFBundleVersion of `x.y.z`; minor and patch stay below 100 so that the numbers order as the versions do. */
export function bundleVersionOf(version: string): number {
  const match = VERSION.exec(version);
  if (!match) {
    throw new UsageError(
      'VERSION_INVALID',
      `version in package.json: ${JSON.stringify(version)}: allowed is x.y.z, y and z below 100`,
      {
        hint: 'Set it to a version such as 1.1.0: pre-releases have no place in a package receipt.',
      },
    );
  }
  const [, major, minor, patch] = match.map(Number);
  return (major as number) * 10_000 + (minor as number) * 100 + (patch as number);
}

/** Returns the version in package.json, unchecked. */
export async function readVersion(root: string): Promise<string> {
  const file = parseJson(await readFile(join(root, 'package.json'), 'utf8'), 'package.json');
  const version = (file as { version?: unknown }).version;
  return typeof version === 'string' ? version : '';
}

/** Returns the time that the environment gives, or undefined when it gives none. */
function epochOf(given: string | undefined): number | undefined {
  if (given === undefined || given === '') return undefined;
  // cpio writes times with 11 octal digits, the Bom with 32 bits: the smaller limit counts.
  if (!/^\d{1,10}$/.test(given) || Number(given) > 0xffffffff) {
    throw new UsageError(
      'EPOCH_INVALID',
      `SOURCE_DATE_EPOCH: ${JSON.stringify(given)}: allowed are Unix seconds, 0 to 4294967295`,
    );
  }
  return Number(given);
}
