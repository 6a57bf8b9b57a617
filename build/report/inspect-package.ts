import type { RandomAccess } from '../../src/base/random-access.ts';
import { comparePayload } from '../../src/package/compare-payload.ts';
import { cpioEntries, type OpenComponent, type OpenPackage, openPackage } from '../../src/package/open-package.ts';
import { bomLines } from './inspect-bom.ts';
import {
  type SignatureParts,
  signatureLines,
  signatureParts,
  type TrailingParts,
  trailingParts,
} from './inspect-signature.ts';
import type { Inspection } from './inspection.ts';

/** Shows a flat package: archive, signatures' places, Distribution, components with their Bom, scripts. */
export async function inspectPackage(access: RandomAccess): Promise<Inspection> {
  const opened = await openPackage(access);
  const { archive, distribution } = opened;
  const components = [];
  for (const component of opened.components) components.push(await componentFacts(opened, component));
  const facts = {
    checksum: { style: archive.checksum.style, value: archive.checksum.value.toString('hex') },
    signatures: await signatureParts(archive),
    trailing: await trailingParts(archive),
    distribution: distribution && {
      title: distribution.title,
      product: distribution.product,
      hostArchitectures: distribution.hostArchitectures,
      minimumSystemVersions: distribution.minimumSystemVersions,
      rootVolumeOnly: distribution.rootVolumeOnly,
    },
    components,
  };
  return { document: { package: facts }, lines: renderPackage(facts, opened) };
}

async function componentFacts({ archive }: OpenPackage, component: OpenComponent) {
  const { info, bom, payload, scripts } = component;
  const found = payload && (await comparePayload(cpioEntries(archive, payload), bom?.records));
  const scriptNames: string[] = [];
  if (scripts)
    for await (const entry of cpioEntries(archive, scripts)) if (entry.kind === 'file') scriptNames.push(entry.path);
  return {
    folder: component.folder,
    identifier: info.identifier,
    version: info.version,
    installLocation: info.installLocation ?? '/',
    numberOfFiles: info.payload.numberOfFiles,
    installKBytes: info.payload.installKBytes,
    bundles: info.bundles,
    scripts: scriptNames,
    payload: found ?? null,
    bom: bom?.records ?? null,
  };
}

function renderPackage(
  facts: {
    readonly checksum: { readonly style: string; readonly value: string };
    readonly signatures: readonly SignatureParts[];
    readonly trailing: TrailingParts;
    readonly components: readonly Awaited<ReturnType<typeof componentFacts>>[];
  },
  { distribution, components }: OpenPackage,
): string[] {
  return [
    distribution
      ? `Product archive ${distribution.product?.id ?? ''} ${distribution.product?.version ?? ''}`.trimEnd()
      : 'Component package',
    `  title       ${distribution?.title ?? 'none'}`,
    `  runs on     ${distribution?.hostArchitectures.join(', ') || 'any architecture'}, macOS ${distribution?.minimumSystemVersions.join(', ') || 'of any version'}`,
    `  toc digest  ${facts.checksum.style} ${facts.checksum.value}`,
    ...signatureLines(facts.signatures, facts.trailing),
    ...facts.components.flatMap((component, index) => [
      '',
      `Component ${component.identifier} ${component.version}${component.folder === '' ? '' : ` (${component.folder})`}`,
      `  installs    ${component.installLocation}, ${component.numberOfFiles} entries, ${component.installKBytes} KiB`,
      `  scripts     ${component.scripts.join(', ') || 'none'}`,
      ...payloadLines(component.payload),
      ...(components[index]?.bom ? bomLines(components[index].bom) : []),
    ]),
  ];
}

function payloadLines(payload: { readonly entries: number; readonly differences: readonly string[] } | null): string[] {
  if (payload === null) return ['  payload     none'];
  if (payload.differences.length === 0) return [`  payload     ${payload.entries} entries, as the Bom says`];
  return [
    `  payload     ${payload.entries} entries, ${payload.differences.length} differences from the Bom:`,
    ...payload.differences.map((difference) => `    ${difference}`),
  ];
}
