import { FormatError } from '../base/errors.ts';
import { beyond, bomBytesOf, LIMITS, packageDocumentBytesOf, type WorkBudget } from '../base/input/limits.ts';
import type { RandomAccess } from '../base/random-access.ts';
import type { Bom } from '../bom/bom.ts';
import { decodeBom } from '../bom/decode.ts';
import { openPayload } from '../cpio/payload-stream.ts';
import { type CpioEntry, readCpio } from '../cpio/read.ts';
import { extractMember, findMember, readXar, type XarArchive } from '../xar/read.ts';
import type { XarMember } from '../xar/toc.ts';
import { type ParsedDistribution, parseDistribution } from './distribution.ts';
import { type PackageInfo, parsePackageInfo } from './package-info.ts';

/** A component inside a flat package, or the package itself when it is a bare component. */
export interface OpenComponent {
  /** Folder of the archive that holds it; empty for a bare component. */
  readonly folder: string;
  readonly info: PackageInfo;
  readonly bom: Bom | undefined;
  readonly payload: XarMember | undefined;
  readonly scripts: XarMember | undefined;
}

/** A flat package whose archive, Distribution, PackageInfo and Bom members were read and found well-formed. */
export interface OpenPackage {
  readonly archive: XarArchive;
  /** Absent in a bare component. */
  readonly distribution: ParsedDistribution | undefined;
  readonly components: readonly OpenComponent[];
}

/**
 * Returns a flat package: a product archive or a bare component, of any maker.
 *
 * @throws FormatError of the structure that is malformed; `PACKAGE_EMPTY` when the archive holds neither Distribution nor PackageInfo
 * @example (await openPackage(await accessFile(handle))).components[0]?.info.identifier
 */
export async function openPackage(access: RandomAccess, budget?: WorkBudget): Promise<OpenPackage> {
  const archive = await readXar(access, budget);
  const distributionMember = findMember(archive, 'Distribution');
  const distribution = distributionMember && parseDistribution(await documentData(archive, distributionMember));
  const components: OpenComponent[] = [];
  for (const member of archive.members) {
    if (member.kind !== 'file' || !/(^|\/)PackageInfo$/.test(member.path)) continue;
    if (components.length >= LIMITS.components) throw beyond('flat package', 'components', LIMITS.components);
    components.push(await openComponent(archive, member));
  }
  if (!distribution && components.length === 0) {
    throw new FormatError(
      'PACKAGE_EMPTY',
      'flat package',
      0,
      'expected a Distribution or a PackageInfo, found neither',
      {
        hint: 'This is a xar archive, but no installer package.',
      },
    );
  }
  return { archive, distribution, components };
}

/** Yields the entries of a Payload or Scripts member; see `readCpio`. */
export function cpioEntries(archive: XarArchive, member: XarMember): AsyncGenerator<CpioEntry> {
  const { budget } = archive;
  const options = budget ? { spend: (bytes: number, cost: number) => budget.spend(bytes, cost) } : {};
  return readCpio(openPayload(extractMember(archive, member), options));
}

/** Returns a Distribution or PackageInfo. */
export function documentData(archive: XarArchive, member: XarMember): Promise<Buffer> {
  return memberData(archive, member, packageDocumentBytesOf(archive.access.size));
}

/** Returns a small member's decoded data. */
export async function memberData(
  archive: XarArchive,
  member: XarMember,
  limit: number = bomBytesOf(archive.access.size),
): Promise<Buffer> {
  if (member.data && member.data.size > limit) throw beyond(member.path, 'bytes', limit);
  const parts: Buffer[] = [];
  for await (const chunk of extractMember(archive, member)) parts.push(chunk);
  return Buffer.concat(parts);
}

async function openComponent(archive: XarArchive, infoMember: XarMember): Promise<OpenComponent> {
  const folder = infoMember.path.slice(0, -'PackageInfo'.length).replace(/\/$/, '');
  const inFolder = (name: string) => findMember(archive, folder === '' ? name : `${folder}/${name}`);
  const bomMember = inFolder('Bom');
  return {
    folder,
    info: parsePackageInfo(await documentData(archive, infoMember)),
    bom: bomMember && decodeBom(await memberData(archive, bomMember)),
    payload: inFolder('Payload'),
    scripts: inFolder('Scripts'),
  };
}
