import { FormatError } from '../base/errors.ts';
import { demandOneSpelling } from '../xml/spelling.ts';
import { childElements, element, parseXml, renderXml, type XmlElement } from '../xml/xml.ts';

/** A bundle in the payload. Keys its Info.plist lacks are left out. */
export interface BundleRecord {
  /** Path from the root of the payload, such as `Example.bundle`. */
  readonly path: string;
  /** CFBundleIdentifier */
  readonly id?: string;
  /** CFBundleShortVersionString */
  readonly shortVersion?: string;
  /** CFBundleVersion */
  readonly version?: string;
}

/** The lists that say how Installer treats a bundle it finds on the disk; each holds identifiers of bundles. */
export interface BundleLists {
  /** Bundles that are skipped when the disk has a newer version. */
  readonly bundleVersion: readonly string[];
  /** Bundles that are replaced as a whole, so that old files vanish. */
  readonly upgradeBundle: readonly string[];
  /** Bundles whose files are overwritten, and that are not installed when there is none. */
  readonly updateBundle: readonly string[];
  /** Meaning unknown; empty in every package seen. */
  readonly atomicUpdateBundle: readonly string[];
  /** Bundles that replace only a bundle of the same identifier. */
  readonly strictIdentifier: readonly string[];
  /** Bundles that are installed over a copy found elsewhere. */
  readonly relocate: readonly string[];
}

/** A script that Installer runs. */
export interface PackageScript {
  /** Name of its element; pkgbuild knows these two, Installer also knows older ones such as `preflight`. */
  readonly name: string;
  /** Path in the Scripts archive, such as `./preinstall`. */
  readonly file: string;
  /** Seconds after which Installer kills it; written by pkgbuild since macOS 15. */
  readonly timeoutSeconds?: number;
}

/** What the member PackageInfo of a component says. */
export interface PackageInfo {
  /** Name of the receipt. */
  readonly identifier: string;
  readonly version: string;
  /** Absolute path that the payload's root becomes; Installer takes `/` without it. */
  readonly installLocation?: string;
  /** Whether existing folders get owner and mode of the payload. */
  readonly overwritePermissions: boolean;
  readonly relocatable: boolean;
  readonly postinstallAction: 'none' | 'logout' | 'restart' | 'shutdown';
  readonly auth: 'root' | 'none';
  readonly generatorVersion?: string;
  readonly minimumSystemVersion?: string;
  readonly payload: {
    /** Entries of the Payload archive, the root included. */
    readonly numberOfFiles: number;
    /** KiB on the disk. */
    readonly installKBytes: number;
  };
  readonly bundles: readonly BundleRecord[];
  readonly lists: BundleLists;
  readonly scripts: readonly PackageScript[];
}

const FORMAT = 'PackageInfo';

/** Elements of the lists in pkgbuild's order, which always writes all six (observed, macOS 10.12 to 15). */
const LIST_ELEMENTS = [
  ['bundle-version', 'bundleVersion'],
  ['upgrade-bundle', 'upgradeBundle'],
  ['update-bundle', 'updateBundle'],
  ['atomic-update-bundle', 'atomicUpdateBundle'],
  ['strict-identifier', 'strictIdentifier'],
  ['relocate', 'relocate'],
] as const satisfies readonly (readonly [string, keyof BundleLists])[];

/** No bundle is on any list. */
export const NO_BUNDLE_LISTS: BundleLists = {
  bundleVersion: [],
  upgradeBundle: [],
  updateBundle: [],
  atomicUpdateBundle: [],
  strictIdentifier: [],
  relocate: [],
};

/**
 * Returns the member PackageInfo, attributes and elements in pkgbuild's order.
 *
 * It ends without a newline, as pkgbuild's does (observed, macOS 10.12 to 15).
 *
 * @example renderPackageInfo({ identifier: 'com.example.a', version: '1.0', ... }) // <?xml ...?>\n<pkg-info ...>...</pkg-info>
 */
export function renderPackageInfo(info: PackageInfo): Buffer {
  const attributes = {
    'overwrite-permissions': String(info.overwritePermissions),
    relocatable: String(info.relocatable),
    identifier: info.identifier,
    'postinstall-action': info.postinstallAction,
    version: info.version,
    'format-version': '2',
    'generator-version': info.generatorVersion,
    'install-location': info.installLocation,
    auth: info.auth,
    minimumSystemVersion: info.minimumSystemVersion,
  };
  const children = [
    element('payload', {
      numberOfFiles: String(info.payload.numberOfFiles),
      installKBytes: String(info.payload.installKBytes),
    }),
    ...info.bundles.map(renderBundle),
    ...LIST_ELEMENTS.map(([name, key]) =>
      element(
        name,
        {},
        info.lists[key].map((id) => element('bundle', { id })),
      ),
    ),
    ...(info.scripts.length > 0 ? [element('scripts', {}, info.scripts.map(renderScript))] : []),
  ];
  return Buffer.from(renderXml(element('pkg-info', attributes, children)));
}

/** Names that say what is laid down where and run; in other capitals they would be read past. */
const SPELLED = ['install-location', 'payload', 'bundle', 'scripts', 'preinstall', 'postinstall', 'file'];

/**
 * Returns what a PackageInfo of any maker says. Lists it lacks are empty; of attributes it lacks, flags are false, actions
 * `none`, counts 0.
 *
 * Throws FormatError `PACKAGE_INFO_ROOT`, `PACKAGE_INFO_MISSING`, `PACKAGE_INFO_REPEATED`, `PACKAGE_INFO_VALUE`, `XML_SPELLING` or one of
 * `parseXml`.
 *
 * @example parsePackageInfo(data).identifier // 'com.example.a'
 */
export function parsePackageInfo(data: Buffer): PackageInfo {
  const root = parseXml(data, FORMAT, { namespaces: new Map() });
  demandOneSpelling(root, FORMAT, SPELLED);
  if (root.name !== 'pkg-info') fail('PACKAGE_INFO_ROOT', root, `expected element pkg-info, found ${root.name}`);
  const [payload, second] = childElements(root, 'payload');
  if (second) fail('PACKAGE_INFO_REPEATED', second, 'expected one element payload, found two');
  const listed = (name: string) => childElements(root, name).flatMap((list) => childElements(list, 'bundle'));
  const lists = Object.fromEntries(
    LIST_ELEMENTS.map(([name, key]) => [key, listed(name).map((bundle) => required(bundle, 'id'))]),
  ) as Record<keyof BundleLists, string[]>;
  return {
    identifier: required(root, 'identifier'),
    version: required(root, 'version'),
    ...optional('installLocation', root.attributes['install-location']),
    overwritePermissions: flag(root, 'overwrite-permissions'),
    relocatable: flag(root, 'relocatable'),
    postinstallAction: choice(root, 'postinstall-action', ['none', 'logout', 'restart', 'shutdown'] as const),
    auth: choice(root, 'auth', ['none', 'root'] as const),
    ...optional('generatorVersion', root.attributes['generator-version']),
    ...optional('minimumSystemVersion', root.attributes.minimumSystemVersion),
    payload: {
      numberOfFiles: payload ? count(payload, 'numberOfFiles') : 0,
      installKBytes: payload ? count(payload, 'installKBytes') : 0,
    },
    bundles: childElements(root, 'bundle').map(parseBundle),
    lists,
    scripts: childElements(root, 'scripts').flatMap((scripts) => childElements(scripts).map(parseScript)),
  };
}

function renderBundle(bundle: BundleRecord): XmlElement {
  return element('bundle', {
    path: `./${bundle.path}`,
    id: bundle.id,
    CFBundleShortVersionString: bundle.shortVersion,
    CFBundleVersion: bundle.version,
  });
}

function parseBundle(bundle: XmlElement): BundleRecord {
  return {
    path: required(bundle, 'path').replace(/^\.\//, ''),
    ...optional('id', bundle.attributes.id),
    ...optional('shortVersion', bundle.attributes.CFBundleShortVersionString),
    ...optional('version', bundle.attributes.CFBundleVersion),
  };
}

function renderScript(script: PackageScript): XmlElement {
  return element(script.name, { file: script.file, timeout: script.timeoutSeconds?.toString() });
}

function parseScript(script: XmlElement): PackageScript {
  return {
    name: script.name,
    file: required(script, 'file'),
    ...(script.attributes.timeout === undefined ? {} : { timeoutSeconds: count(script, 'timeout') }),
  };
}

function optional<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, string>);
}

function required(node: XmlElement, name: string): string {
  return (
    node.attributes[name] ||
    fail('PACKAGE_INFO_MISSING', node, `expected attribute ${name} of ${node.name}, found none`)
  );
}

function flag(node: XmlElement, name: string): boolean {
  return choice(node, name, ['false', 'true'] as const) === 'true';
}

/** Returns an attribute's value, the first of `allowed` when it is absent. */
function choice<T extends string>(node: XmlElement, name: string, allowed: readonly [T, ...T[]]): T {
  const value = node.attributes[name] ?? allowed[0];
  const found = allowed.find((candidate) => candidate === value.toLowerCase());
  return found ?? fail('PACKAGE_INFO_VALUE', node, `expected ${name} to be ${allowed.join(', ')}, found ${value}`);
}

function count(node: XmlElement, name: string): number {
  const value = node.attributes[name] ?? '0';
  if (/^\d{1,15}$/.test(value)) return Number(value);
  return fail('PACKAGE_INFO_VALUE', node, `expected ${name} to be a whole number, found ${JSON.stringify(value)}`);
}

function fail(code: string, node: XmlElement, problem: string): never {
  throw new FormatError(code, FORMAT, node.offset ?? 0, problem);
}
