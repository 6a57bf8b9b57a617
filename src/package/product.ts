import { writeWhole } from '../base/files.ts';
import { CPU_TYPE_ARM64, CPU_TYPE_X86_64 } from '../macho/layout.ts';
import { deflatedFile, directory, emitXar, layoutXar } from '../xar/write.ts';
import { buildComponent, type ComponentMembers, type ComponentPlan } from './component.ts';
import { type HostArchitecture, renderDistribution } from './distribution.ts';

/** What a product archive is made from: a Distribution and one component. */
export interface ProductPlan {
  /** Identifier of the product. */
  readonly identifier: string;
  readonly version: string;
  /** What Installer shows. */
  readonly title: string;
  /** macOS below this version is refused. */
  readonly minimumSystemVersion: string;
  readonly component: ComponentPlan;
  /** Seconds since 1970; the archive says it was made then. */
  readonly creationTime: number;
}

/** An unsigned product archive on the disk. */
export interface UnsignedProduct {
  readonly kind: 'unsigned-product';
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  /** Digest of the table of contents, hex. */
  readonly tocDigest: string;
  readonly numberOfFiles: number;
  readonly installKBytes: number;
}

/** In the order in which the Distribution lists them. */
const HOST_ARCHITECTURES: readonly (readonly [cpuType: number, HostArchitecture])[] = [
  [CPU_TYPE_ARM64, 'arm64'],
  [CPU_TYPE_X86_64, 'x86_64'],
];

/**
 * Writes an unsigned product archive, whole or not at all.
 *
 * The bytes depend on the plan alone (and on zlib, hence on Node's major version).
 *
 * @param path file to make or replace
 */
export async function buildProduct(plan: ProductPlan, path: string, signal: AbortSignal): Promise<UnsignedProduct> {
  const component = await buildComponent(plan.component, path, signal);
  try {
    const member = memberOf(plan);
    const distribution = deflatedFile('Distribution', distributionOf(plan, component));
    const folder = directory(member, component.members, { ...FOLDER_ATTRIBUTES, mtime: plan.creationTime });
    const archive = layoutXar([distribution, folder], { creationTime: plan.creationTime });
    const written = await writeWhole(path, emitXar(archive));
    return {
      kind: 'unsigned-product',
      ...written,
      tocDigest: archive.tocDigest.toString('hex'),
      numberOfFiles: component.numberOfFiles,
      installKBytes: component.installKBytes,
    };
  } finally {
    await component.dispose();
  }
}

/** What a Distribution says beside the sizes and architectures of its component. */
export type DistributionPlan = Pick<ProductPlan, 'identifier' | 'version' | 'title' | 'minimumSystemVersion'> & {
  readonly component: Pick<ComponentPlan, 'identifier' | 'version'>;
};

/** Returns the name of the component's folder in the archive. */
export function memberOf({ component }: Pick<DistributionPlan, 'component'>): string {
  return `${component.identifier}.pkg`;
}

/** Owner and mode of that folder in the table of contents. */
export const FOLDER_ATTRIBUTES = { mode: 0o700, uid: 0, gid: 0 } as const;

/**
 * Returns the product's Distribution.
 *
 * @param component what its PackageInfo and its Bom say
 */
export function distributionOf(
  plan: DistributionPlan,
  component: Pick<ComponentMembers, 'installKBytes' | 'cpuTypes'>,
): Buffer {
  const { identifier: id, version } = plan.component;
  return renderDistribution({
    product: { id: plan.identifier, version: plan.version },
    title: plan.title,
    minimumSystemVersion: plan.minimumSystemVersion,
    hostArchitectures: hostArchitecturesOf(component.cpuTypes),
    packages: [{ id, version, installKBytes: component.installKBytes, member: memberOf(plan), versionedBundles: [] }],
  });
}

/** A payload without code runs its scripts natively on both. */
function hostArchitecturesOf(cpuTypes: readonly number[]): HostArchitecture[] {
  const present = HOST_ARCHITECTURES.filter(([cpuType]) => cpuTypes.includes(cpuType));
  return (present.length > 0 ? present : HOST_ARCHITECTURES).map(([, name]) => name);
}
