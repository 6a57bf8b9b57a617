import { PipelineError } from '../../base/errors.ts';
import type { PropertyListDictionary } from '../../xml/property-list.ts';
import { readPropertyListDictionary } from '../../xml/read-property-list.ts';
import { FLAT_RULES_2, type ResourceRule, RULES_2 } from '../seal/resource-rules.ts';
import type { SliceSurroundings } from './code-expectations.ts';
import { type FileIndex, foldersAbove } from './file-index.ts';

/**
 * A folder that has a signature of its own: a bundle, or one version of a framework.
 *
 * @see Security-61901 bundlediskrep.cpp
 */
export interface Bundle {
  /** Its path in the tree; empty for the tree itself. */
  readonly root: string;
  readonly kind: 'deep' | 'version' | 'flat';
  /** The folder that its seal is about: `A.app/Contents`, `A.framework/Versions/A`, `A.bundle`. */
  readonly sealed: string;
  readonly infoPlist: string;
  readonly codeResources: string;
  /** What Info.plist says; undefined when it is missing or unreadable, `problem` says why. */
  readonly information: PropertyListDictionary | undefined;
  readonly problem: string | undefined;
  /** Path of the main executable; undefined when Info.plist names none and none has the bundle's own name. */
  readonly executable: string | undefined;
}

/** Returns the rules that say which places of a bundle are for nested code. */
export function placesOf({ kind }: Bundle): readonly ResourceRule[] {
  return kind === 'flat' ? FLAT_RULES_2 : RULES_2;
}

/** Returns what Info.plist says in texts. */
export function textsOf({ information }: Bundle): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [key, value] of information ?? []) if (typeof value === 'string') texts.set(key, value);
  return texts;
}

/** Returns the files that the signature of a bundle's main executable covers. */
export function surroundingsOf(bundle: Bundle, index: FileIndex): SliceSurroundings {
  const texts = textsOf(bundle);
  return {
    infoPlist: index.file(bundle.infoPlist)?.content ?? null,
    codeResources: index.file(bundle.codeResources)?.content ?? null,
    identifier: texts.get('CFBundleIdentifier') ?? null,
    information: texts,
  };
}

/** Returns every bundle of a tree, outer ones before those inside them. */
export function findBundles(index: FileIndex): Bundle[] {
  const found = new Map<string, Bundle>();
  for (const { path } of index.entries) {
    const place = placeOf(path);
    // A folder with Contents is that kind of bundle, whatever else lies in it.
    if (place && !(place.kind === 'flat' && index.get(inside(place.root, 'Contents/Info.plist')))) {
      found.set(place.root, readBundle(index, place));
    }
  }
  return [...found.values()].sort((a, b) => (a.root < b.root ? -1 : 1));
}

/** Returns the bundle of the usual form at `root`, whether it has an Info.plist or not. */
export function deepBundle(index: FileIndex, root: string): Bundle {
  return readBundle(index, { root, kind: 'deep' });
}

/** Returns how many of the folders above a bundle are bundles themselves. */
export function depthOf({ root }: Bundle, roots: ReadonlySet<string>): number {
  return foldersAbove(root).filter((folder) => roots.has(folder)).length + (root !== '' && roots.has('') ? 1 : 0);
}

type Place = Pick<Bundle, 'root' | 'kind'>;

/** Returns where a bundle lies by the path of its Info.plist. */
function placeOf(path: string): Place | undefined {
  const deep = /^(?:(.*)\/)?Contents\/Info\.plist$/.exec(path);
  if (deep) return { root: deep[1] ?? '', kind: 'deep' };
  const version = /^(.*\/Versions\/[^/]+)\/Resources\/Info\.plist$/.exec(path);
  if (version) return { root: version[1] as string, kind: 'version' };
  // Without versions, as in old frameworks; the seal is that of a version.
  const framework = /^(.*\.framework)\/Resources\/Info\.plist$/.exec(path);
  if (framework) return { root: framework[1] as string, kind: 'version' };
  const flat = /^((?:.*\/)?[^/]+\.[A-Za-z]+)\/Info\.plist$/.exec(path);
  return flat ? { root: flat[1] as string, kind: 'flat' } : undefined;
}

function readBundle(index: FileIndex, { root, kind }: Place): Bundle {
  const sealed = kind === 'deep' ? inside(root, 'Contents') : root;
  const infoPlist = kind === 'version' ? `${sealed}/Resources/Info.plist` : inside(sealed, 'Info.plist');
  const read = readInformation(index, infoPlist);
  return {
    root,
    kind,
    sealed,
    infoPlist,
    codeResources: inside(sealed, '_CodeSignature/CodeResources'),
    ...read,
    executable: executableOf(index, { root, kind, sealed }, read.information),
  };
}

function readInformation(index: FileIndex, path: string): Pick<Bundle, 'information' | 'problem'> {
  const content = index.file(path)?.content;
  if (!content) return { information: undefined, problem: 'Info.plist is missing, or no file' };
  try {
    return { information: readPropertyListDictionary(content), problem: undefined };
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return { information: undefined, problem: error.message };
  }
}

/** Without a name in Info.plist it is that of the bundle, if such a file is there. Source: CFBundle_Executable.c. */
function executableOf(
  index: FileIndex,
  { root, kind, sealed }: Pick<Bundle, 'root' | 'kind' | 'sealed'>,
  information: PropertyListDictionary | undefined,
): string | undefined {
  const folder = kind === 'deep' ? inside(sealed, 'MacOS') : sealed;
  const named = information?.get('CFBundleExecutable');
  if (typeof named === 'string') return named === '' || named.includes('/') ? undefined : inside(folder, named);
  const own = root
    .replace(/\/Versions\/[^/]+$/, '')
    .replace(/^.*\//, '')
    .replace(/\.[^.]*$/, '');
  const path = inside(folder, own);
  return information && own !== '' && index.file(path)?.code ? path : undefined;
}

/** Returns the path of something in a folder; the empty folder is the tree itself. */
export function inside(folder: string, path: string): string {
  return folder === '' ? path : `${folder}/${path}`;
}
