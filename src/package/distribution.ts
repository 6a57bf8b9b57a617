import { FormatError } from '../base/errors.ts';
import { demandOneSpelling } from '../xml/spelling.ts';
import { childElements, element, parseXml, renderXml, textOf, type XmlElement } from '../xml/xml.ts';
import type { BundleRecord } from './package-info.ts';

/** Instruction sets that a Distribution can name. `i386` stands for x86_64 as well. */
export type HostArchitecture = 'arm64' | 'x86_64' | 'i386';

/** A component inside the product archive. */
export interface PackageReference {
  /** The component's identifier. */
  readonly id: string;
  readonly version: string;
  /** KiB, as in the component's PackageInfo. */
  readonly installKBytes: number;
  /** Name of the component's folder in the archive, such as `com.example.a.pkg`. */
  readonly member: string;
  /** Bundles whose version Installer compares, as in the list `bundle-version` of PackageInfo. */
  readonly versionedBundles: readonly BundleRecord[];
}

/** What the member Distribution of a product archive is made from. */
export interface Distribution {
  readonly product: { readonly id: string; readonly version: string };
  readonly title: string;
  /** macOS below this version is refused, such as `10.14.4`. */
  readonly minimumSystemVersion: string;
  /** Without `arm64`, Apple silicon runs every script under Rosetta (productbuild man page). */
  readonly hostArchitectures: readonly HostArchitecture[];
  readonly packages: readonly PackageReference[];
}

/** What a Distribution of any maker says, as far as this program looks at it. */
export interface ParsedDistribution {
  readonly minSpecVersion?: string;
  readonly title?: string;
  readonly product?: { readonly id?: string; readonly version?: string };
  readonly hostArchitectures: readonly string[];
  /** `min` of each `os-version`. */
  readonly minimumSystemVersions: readonly string[];
  readonly rootVolumeOnly: boolean;
  readonly customize?: string;
  /** One for each identifier, its references merged. */
  readonly packages: readonly ParsedReference[];
  /** The whole document. */
  readonly root: XmlElement;
}

export interface ParsedReference {
  readonly id: string;
  readonly version?: string;
  readonly installKBytes?: number;
  readonly auth?: string;
  readonly onConclusion?: string;
  /** Text of the reference as it stands, such as `#Example%20A.pkg`. */
  readonly location?: string;
  /** Member of the archive that a location beginning with `#` names. */
  readonly member?: string;
}

const FORMAT = 'Distribution';
const BOOLEAN_DOMAINS = { enable_anywhere: 'false', enable_currentUserHome: 'false', enable_localSystem: 'true' };

/**
 * Returns the member Distribution: for the system volume only, nothing to choose, no JavaScript, so that it works without
 * anybody at the screen. Elements in productbuild's order, no newline at the end (observed, macOS 10.12 to 15).
 *
 * @example renderDistribution({ product: { id: 'com.example.a', version: '1.0' }, title: 'A', ... })
 */
export function renderDistribution(distribution: Distribution): Buffer {
  const { product, title, hostArchitectures, packages } = distribution;
  const lines = packages.map(({ id }) => element('line', { choice: id }));
  const children = [
    ...packages.map(({ id, versionedBundles }) =>
      element('pkg-ref', { id }, [element('bundle-version', {}, versionedBundles.map(renderBundle))]),
    ),
    element('product', { id: product.id, version: product.version }),
    element('title', {}, [title]),
    element('options', {
      customize: 'never',
      'require-scripts': 'false',
      rootVolumeOnly: 'true',
      hostArchitectures: hostArchitectures.join(','),
    }),
    element('domains', BOOLEAN_DOMAINS),
    element('volume-check', {}, [
      element('allowed-os-versions', {}, [element('os-version', { min: distribution.minimumSystemVersion })]),
    ]),
    element('choices-outline', {}, [element('line', { choice: 'default' }, lines)]),
    element('choice', { id: 'default' }),
    ...packages.map(({ id }) => element('choice', { id, visible: 'false' }, [element('pkg-ref', { id })])),
    ...packages.map(renderReference),
  ];
  // 2 is what productbuild writes as soon as allowed-os-versions is used (observed, macOS 11 and later).
  return Buffer.from(renderXml(element('installer-gui-script', { minSpecVersion: '2' }, children)));
}

/**
 * Returns what a Distribution of any maker says; what it lacks is left out.
 *
 * Throws FormatError `DISTRIBUTION_ROOT`, `DISTRIBUTION_REFERENCE`, `DISTRIBUTION_VALUE`, `XML_SPELLING` or one of `parseXml`.
 *
 * @example parseDistribution(data).packages[0]?.member // 'com.example.a.pkg'
 */
export function parseDistribution(data: Buffer): ParsedDistribution {
  const root = parseXml(data, FORMAT, { namespaces: new Map() });
  demandOneSpelling(root, FORMAT);
  // installer-script is the older name of the root (Distribution XML Reference).
  if (root.name !== 'installer-gui-script' && root.name !== 'installer-script') {
    fail('DISTRIBUTION_ROOT', root, `expected element installer-gui-script, found ${root.name}`);
  }
  const options = Object.assign({}, ...childElements(root, 'options').map((option) => option.attributes));
  const product = childElements(root, 'product')[0]?.attributes;
  const title = childElements(root, 'title')[0];
  const versions = childElements(root, 'volume-check')
    .flatMap((check) => childElements(check, 'allowed-os-versions'))
    .flatMap((allowed) => childElements(allowed, 'os-version'));
  return {
    ...optional('minSpecVersion', root.attributes.minSpecVersion),
    ...optional('title', title && textOf(title)),
    ...(product ? { product: { ...optional('id', product.id), ...optional('version', product.version) } } : {}),
    hostArchitectures: String(options.hostArchitectures ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean),
    minimumSystemVersions: versions.flatMap((version) => version.attributes.min ?? []),
    rootVolumeOnly: options.rootVolumeOnly === 'true',
    ...optional('customize', options.customize),
    packages: mergeReferences(childElements(root, 'pkg-ref')),
    root,
  };
}

/**
 * Returns the location of a member as a pkg-ref states it: a URL fragment, so a blank becomes `%20`.
 *
 * @example memberLocation('Example A.pkg') // '#Example%20A.pkg'
 */
export function memberLocation(member: string): string {
  return `#${encodeURI(member).replaceAll('#', '%23')}`;
}

function renderReference(reference: PackageReference): XmlElement {
  const { id, version, installKBytes, member } = reference;
  const attributes = { onConclusion: 'none', installKBytes: String(installKBytes), updateKBytes: '0', auth: 'root' };
  return element('pkg-ref', { id, version, ...attributes }, [memberLocation(member)]);
}

function renderBundle({ shortVersion, version, id, path }: BundleRecord): XmlElement {
  return element('bundle', { CFBundleShortVersionString: shortVersion, CFBundleVersion: version, id, path });
}

function mergeReferences(references: readonly XmlElement[]): ParsedReference[] {
  const merged = new Map<string, ParsedReference>();
  for (const node of references) {
    const { id, version, auth, onConclusion, installKBytes } = node.attributes;
    if (!id) fail('DISTRIBUTION_REFERENCE', node, 'expected attribute id of pkg-ref, found none');
    if (installKBytes !== undefined && !/^\d{1,15}$/.test(installKBytes)) {
      fail('DISTRIBUTION_VALUE', node, `expected installKBytes to be a whole number, found ${installKBytes}`);
    }
    if (node.pieces || (childElements(node).length > 0 && textOf(node).trim() !== '')) {
      fail('DISTRIBUTION_REFERENCE', node, `expected the location of ${id} as one piece of text, found several`);
    }
    const location = textOf(node).trim();
    const earlier = merged.get(id);
    // Nothing says which of two Installer would take.
    if (location !== '' && earlier?.location !== undefined && earlier.location !== location) {
      fail('DISTRIBUTION_REFERENCE', node, `expected one location of ${id}, found ${earlier.location} and ${location}`);
    }
    merged.set(id, {
      ...earlier,
      id,
      ...optional('version', version),
      ...(installKBytes === undefined ? {} : { installKBytes: Number(installKBytes) }),
      ...optional('auth', auth),
      ...optional('onConclusion', onConclusion),
      ...(location === '' ? {} : { location }),
      ...(location.startsWith('#') ? { member: decodeMember(location, node) } : {}),
    });
  }
  return [...merged.values()];
}

function decodeMember(location: string, node: XmlElement): string {
  try {
    return decodeURIComponent(location.slice(1));
  } catch (cause) {
    const problem = `expected a percent-encoded name, found ${location}`;
    throw new FormatError('DISTRIBUTION_REFERENCE', FORMAT, node.offset ?? 0, problem, { cause });
  }
}

function optional<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, string>);
}

function fail(code: string, node: XmlElement, problem: string): never {
  throw new FormatError(code, FORMAT, node.offset ?? 0, problem);
}
