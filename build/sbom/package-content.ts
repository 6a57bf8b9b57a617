import { createHash } from 'node:crypto';
import { digestFile } from '../../src/base/files.ts';
import { withFile } from '../../src/base/with-file.ts';
import { slicesOf } from '../../src/macho/fat.ts';
import { isCode } from '../../src/macho/first-bytes.ts';
import { cpioEntries, type OpenPackage, openPackage } from '../../src/package/open-package.ts';
import type { XarMember } from '../../src/xar/toc.ts';
import { sliceFacts } from '../report/inspect-code.ts';

/** One architecture of a Mach-O file. */
export interface ContentSlice {
  readonly architecture: string;
  /** Hex, of the slice alone. */
  readonly sha256: string;
  /** Hex; null without a signature. */
  readonly cdHash: string | null;
  readonly uuid: string | null;
  readonly minimumMacOS: string | null;
  readonly sdk: string | null;
  /** Install names of the libraries it links, in order. */
  readonly libraries: readonly string[];
}

/** One file that a package lays down or runs. */
export interface ContentFile {
  /** Below the root of its archive: `Example.bundle/Contents/Info.plist`, `postinstall`. */
  readonly path: string;
  /** Hex. */
  readonly sha256: string;
  readonly kind: 'mach-o' | 'script' | 'property-list' | 'other';
  readonly slices: readonly ContentSlice[];
}

/** What is in a package, read from the file itself. */
export interface PackageContent {
  /** Hex, of the package. */
  readonly sha256: string;
  readonly identifier: string;
  readonly version: string;
  readonly installLocation: string;
  /** Bundles as PackageInfo lists them. */
  readonly bundles: readonly { readonly path: string; readonly id: string | null; readonly version: string | null }[];
  readonly payload: readonly ContentFile[];
  readonly scripts: readonly ContentFile[];
}

/**
 * Returns every file of a finished package of one component, with its digest, and every slice of its code.
 *
 * @throws FormatError when the package cannot be read; TypeError when it holds another number of components
 */
export async function readPackageContent(path: string): Promise<PackageContent> {
  const { sha256 } = await digestFile(path);
  return withFile(path, async (access) => {
    const opened = await openPackage(access);
    const [component, ...others] = opened.components;
    if (!component || others.length > 0) throw new TypeError(`${opened.components.length} components instead of one`);
    const { identifier, version, installLocation, bundles } = component.info;
    return {
      sha256,
      identifier,
      version,
      installLocation: installLocation ?? '/',
      bundles: bundles.map((bundle) => ({
        path: bundle.path,
        id: bundle.id ?? null,
        version: bundle.shortVersion ?? null,
      })),
      payload: await filesOf(opened, component.payload),
      scripts: await filesOf(opened, component.scripts),
    };
  });
}

async function filesOf({ archive }: OpenPackage, member: XarMember | undefined): Promise<readonly ContentFile[]> {
  const files: ContentFile[] = [];
  if (!member) return files;
  for await (const { path, kind, data } of cpioEntries(archive, member)) {
    if (kind !== 'file') continue;
    const parts: Buffer[] = [];
    for await (const chunk of data) parts.push(Buffer.from(chunk));
    files.push(describeFile(path.replace(/^\.\//, ''), Buffer.concat(parts)));
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function describeFile(path: string, data: Buffer): ContentFile {
  const slices = isCode(data) ? slicesOf(data) : [];
  return { path, sha256: digest(data), kind: kindOf(data, slices.length), slices: slices.map(describeSlice) };
}

function kindOf(data: Buffer, slices: number): ContentFile['kind'] {
  if (slices > 0) return 'mach-o';
  if (data.subarray(0, 2).toString('latin1') === '#!') return 'script';
  return data.subarray(0, 512).includes('<plist') ? 'property-list' : 'other';
}

function describeSlice(data: Buffer): ContentSlice {
  const { architecture, uuid, minimumMacOS, sdk, libraries, signature } = sliceFacts(data);
  return { architecture, sha256: digest(data), cdHash: signature?.cdHash ?? null, uuid, minimumMacOS, sdk, libraries };
}

const digest = (data: Buffer) => createHash('sha256').update(data).digest('hex');
