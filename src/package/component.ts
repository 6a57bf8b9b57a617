import { createHash } from 'node:crypto';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { fromFile } from '../base/bytes.ts';
import { InterruptedError } from '../base/errors.ts';
import { unfinishedName } from '../base/files.ts';
import { encodeBom } from '../bom/encode.ts';
import { bomRecords, checkBomSizes } from '../bom/payload-records.ts';
import { gzipMember } from '../cpio/gzip.ts';
import { writeCpio } from '../cpio/write.ts';
import type { PayloadEntry } from '../tree/entry.ts';
import type { BomArchitecture, FileFacts } from '../tree/file-facts.ts';
import { deflatedFile, storedFile, type XarFileEntry } from '../xar/write.ts';
import { type PayloadCounters, payloadCounters } from './counters.ts';
import { type BundleRecord, NO_BUNDLE_LISTS, renderPackageInfo } from './package-info.ts';

/** What a component package is made from. */
export interface ComponentPlan {
  /** Name of the receipt. */
  readonly identifier: string;
  readonly version: string;
  /** Absolute path that the payload's root becomes. */
  readonly installLocation: string;
  /** The tree to lay down; null for a package that only runs scripts. */
  readonly payload: readonly PayloadEntry[];
  /** The tree of scripts; `./preinstall` and `./postinstall` are run by Installer. */
  readonly scripts: readonly PayloadEntry[];
  /** Bundles in the payload. Each replaces what is installed as a whole, whatever its version. */
  readonly bundles: readonly (BundleRecord & { readonly id: string })[];
}

/** The members of a component, ready for an archive. */
export interface ComponentMembers {
  /** In the order that productbuild writes them. */
  readonly members: readonly XarFileEntry[];
  readonly numberOfFiles: number;
  readonly installKBytes: number;
  /** Architectures of all Mach-O files in the payload, by cpuType. */
  readonly cpuTypes: readonly number[];
  /** Removes the compressed payload, which lies in a file until the archive is written. */
  dispose(): Promise<void>;
}

/** Seconds that Installer gives a script; what pkgbuild writes since macOS 15, and Installer's default before. */
const SCRIPT_TIMEOUT_SECONDS = 600;

/**
 * Makes the members of a component: Bom, Payload, Scripts, PackageInfo.
 *
 * Every payload file is read once; what Bom and PackageInfo say of it comes from that reading. The compressed payload goes to a
 * file beside `path`, so that memory stays flat however large it is.
 *
 * @param path where the package will be written
 */
export async function buildComponent(
  plan: ComponentPlan,
  path: string,
  signal: AbortSignal,
): Promise<ComponentMembers> {
  checkBomSizes(plan.payload);
  const facts = new Map<string, FileFacts>();
  const spool = unfinishedName(`${path}.payload`);
  const dispose = () => rm(spool, { force: true });
  try {
    const archive = writeCpio(plan.payload, (entry, found) => facts.set(entry.path, found));
    const payload = await spoolTo(spool, gzipMember(archive), signal);
    const records = bomRecords(plan.payload, facts);
    const counters = payloadCounters(records);
    const bom = deflatedFile('Bom', encodeBom(records));
    const info = deflatedFile('PackageInfo', packageInfoOf(plan, counters));
    const scripts = plan.scripts.length > 1 ? [await scriptsMember(plan.scripts)] : [];
    return {
      members: [
        bom,
        storedFile('Payload', { source: fromFile(spool, payload.size), sha1: payload.sha1 }),
        ...scripts,
        info,
      ],
      ...counters,
      cpuTypes: cpuTypesOf(facts),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** What PackageInfo says of a component beside its counters. */
export type PackageInfoPlan = Pick<ComponentPlan, 'identifier' | 'version' | 'installLocation' | 'bundles'> & {
  readonly scripts: readonly Pick<PayloadEntry, 'path'>[];
};

/**
 * Returns the component's PackageInfo.
 *
 * @param payload what its Bom adds up to
 */
export function packageInfoOf(plan: PackageInfoPlan, payload: PayloadCounters): Buffer {
  const names = new Set(plan.scripts.map((entry) => entry.path));
  const scripts = ['preinstall', 'postinstall'].filter((name) => names.has(`./${name}`));
  return renderPackageInfo({
    identifier: plan.identifier,
    version: plan.version,
    installLocation: plan.installLocation,
    overwritePermissions: true,
    relocatable: false,
    postinstallAction: 'none',
    auth: 'root',
    payload,
    bundles: plan.bundles,
    // bundle-version stays empty: a listed bundle is skipped when the disk has a newer one, while the scripts still run.
    // relocate stays empty: a relocated bundle would leave the registered path empty, and nobody could log in.
    lists: { ...NO_BUNDLE_LISTS, upgradeBundle: plan.bundles.map((bundle) => bundle.id) },
    scripts: scripts.map((name) => ({ name, file: `./${name}`, timeoutSeconds: SCRIPT_TIMEOUT_SECONDS })),
  });
}

async function scriptsMember(scripts: readonly PayloadEntry[]): Promise<XarFileEntry> {
  const chunks: Buffer[] = [];
  for await (const chunk of gzipMember(writeCpio(scripts))) chunks.push(Buffer.from(chunk));
  return storedFile('Scripts', Buffer.concat(chunks));
}

function cpuTypesOf(facts: ReadonlyMap<string, FileFacts>): number[] {
  const all = [...facts.values()].flatMap((found): readonly BomArchitecture[] => found.macho?.architectures ?? []);
  return [...new Set(all.map((architecture) => architecture.cpuType))];
}

/** Writes a stream to a file and returns its size and SHA-1. It writes synchronously, as `fromFile` reads: the thread pool is deflating. */
async function spoolTo(
  path: string,
  stream: AsyncIterable<Buffer>,
  signal: AbortSignal,
): Promise<{ size: number; sha1: string }> {
  const hash = createHash('sha1');
  let size = 0;
  const file = openSync(path, 'wx', 0o600);
  try {
    for await (const chunk of stream) {
      if (signal.aborted) throw new InterruptedError();
      hash.update(chunk);
      size += chunk.length;
      writeFileSync(file, chunk);
    }
  } finally {
    closeSync(file);
  }
  return { size, sha1: hash.digest('hex') };
}
