import { posix } from 'node:path';
import type { FormatError } from '../../base/errors.ts';
import { beyond, LIMITS } from '../../base/input/limits.ts';
import type { PackageInfo } from '../../package/package-info.ts';
import { folded } from '../../xml/spelling.ts';
import { childElements, type XmlElement } from '../../xml/xml.ts';

/** A path of a payload with what it is, as the archive has it. */
export interface PlacedPath {
  /** `.` or `./a/b` */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink';
  /** Where a link leads. */
  readonly target?: string | undefined;
}

/** Links that every macOS has, and the other name of the volume that holds everything writable (firmlinks, hier(7)). */
const SYSTEM_LINKS: readonly (readonly [RegExp, string])[] = [
  [/^\/System\/Volumes\/Data(?=\/|$)/, ''],
  [/^\/private\/(?=(etc|tmp|var)(\/|$))/, '/'],
];
/** A chain of links is followed so far; the kernel gives up after 32 (MAXSYMLINKS, sys/param.h). */
const MAX_LINKS = 32;

/** Returns a path as it is on a Mac: absolute, without `..` and doubled slashes, its names in one normal form. */
export function absolutePath(path: string): string {
  let clean = posix.normalize(`/${path.normalize('NFC')}`);
  for (const [pattern, by] of SYSTEM_LINKS) clean = clean.replace(pattern, by) || '/';
  return clean.replace(/(?<!^)\/$/, '');
}

/** A place that a Distribution names, and the packages it is for; null: any. */
interface NamedPlace {
  readonly place: string;
  readonly identifiers: ReadonlySet<string> | null;
}

/** Returns, by component, every place where it may be laid down: its install-location, and where a choice says. */
export function installPlaces(
  infos: readonly Pick<PackageInfo, 'identifier' | 'installLocation'>[],
  distribution: XmlElement | undefined,
): string[][] {
  // Read once: a Distribution may have many choices, and a product many components.
  const named = distribution ? customLocations(distribution) : [];
  return infos.map(({ identifier, installLocation }) => {
    const others = named.filter(({ identifiers }) => identifiers === null || identifiers.has(identifier));
    return [...new Set([installLocation ?? '/', ...others.map(({ place }) => place)].map(absolutePath))];
  });
}

function customLocations(node: XmlElement): NamedPlace[] {
  const { name, attributes, children } = folded(node);
  const own = attributes.customlocation;
  // A choice without packages of its own speaks for those below it in the outline.
  const references = childElements({ ...node, children }, 'pkg-ref').flatMap(
    (child) => folded(child).attributes.id ?? [],
  );
  const identifiers = name === 'choice' && references.length > 0 ? new Set(references) : null;
  return [
    ...(own === undefined ? [] : [{ place: own, identifiers }]),
    ...childElements(node).flatMap((child) => customLocations(child)),
  ];
}

/** Returns the error for paths with more links, or longer ones, than are followed: each folder that one names is looked for among all. */
export function linksBeyond(paths: readonly PlacedPath[]): FormatError | undefined {
  const targets = paths.flatMap(({ target }) => target ?? []);
  const bytes = targets.reduce((sum, target) => sum + target.length, 0);
  return targets.length > LIMITS.links || bytes > LIMITS.links * LIMITS.linkBytesPerLink
    ? beyond('flat package', 'links whose ends are looked for', LIMITS.links)
    : undefined;
}

/** One thing that is laid down. */
export interface Placement {
  /** As the package says it, joined with its place. */
  readonly said: string;
  /** Where it really comes to lie, once the links of all payloads are followed. */
  readonly real: string;
  readonly kind: PlacedPath['kind'];
  /** Where a link leads. */
  readonly leadsTo?: string;
}

/**
 * Returns where everything comes to lie.
 *
 * @param components each with its places and its paths
 */
export function placements(
  components: readonly { readonly places: readonly string[]; readonly paths: readonly PlacedPath[] }[],
): Placement[] {
  const said = components.flatMap(({ places, paths }) =>
    places.flatMap((place) => paths.map((entry) => ({ ...entry, said: absolutePath(`${place}/${entry.path}`) }))),
  );
  const links = new Map(
    said.flatMap(({ said: path, target }) =>
      target === undefined ? [] : [[path, absolutePath(posix.resolve(posix.dirname(path), target))] as const],
    ),
  );
  return said.map(({ said: path, kind, target }) => {
    const real = absolutePath(posix.join(followed(posix.dirname(path), links), posix.basename(path)));
    const leadsTo = target === undefined ? undefined : followed(links.get(path) as string, links);
    return { said: path, real, kind, ...(leadsTo === undefined ? {} : { leadsTo }) };
  });
}

/** Follows the links of the payloads in a folder's path, as far as the kernel does. */
function followed(path: string, links: ReadonlyMap<string, string>): string {
  let current = path;
  for (let count = 0; count < MAX_LINKS; count++) {
    const link = prefixes(current).find((prefix) => links.has(prefix));
    if (link === undefined) return current;
    current = absolutePath(`${links.get(link)}${current.slice(link.length)}`);
  }
  return current;
}

/** Returns every folder on the way to a path, the highest first, and the path itself. */
function prefixes(path: string): string[] {
  return [...path.matchAll(/(?<!^)\/|$/g)].map(({ index }) => path.slice(0, index));
}
