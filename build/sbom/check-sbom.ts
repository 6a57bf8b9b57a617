import { isDeepStrictEqual } from 'node:util';
import { contentComponents, type Sbom, serialNumberOf } from './cyclonedx.ts';
import type { PackageContent } from './package-content.ts';

/**
 * Returns where an SBOM of ours and a package differ; empty when it describes exactly this package.
 *
 * @param sbom whatever the file holds
 */
export function sbomProblems(sbom: unknown, content: PackageContent): string[] {
  const document = (sbom ?? {}) as Partial<Sbom>;
  if (document.bomFormat !== 'CycloneDX' || document.specVersion !== '1.6')
    return ['it is not a CycloneDX 1.6 document'];
  const { hashes = [], version } = document.metadata?.component ?? {};
  const shipped = (document.components ?? []).filter(({ scope }) => scope !== 'excluded');
  const expected = contentComponents(content);
  const names = new Set([...shipped, ...expected].map((component) => component['bom-ref']));
  // All of one name: a second one beside the right one would be believed by whoever reads it first.
  const named = (list: typeof expected, ref: string) => list.filter((component) => component['bom-ref'] === ref);
  return [
    ...(document.serialNumber === serialNumberOf(document as Sbom)
      ? []
      : ['its serial number is not that of its content']),
    ...(isDeepStrictEqual(hashes, [{ alg: 'SHA-256', content: content.sha256 }]) ? [] : ['it is of another package']),
    ...(version === content.version ? [] : [`it is of version ${version}, the package of ${content.version}`]),
    ...[...names]
      .filter((ref) => !isDeepStrictEqual(named(shipped, ref), named(expected, ref)))
      .map((ref) => `${ref} differs`),
  ];
}
