/**
 * A file or symbolic link of a bundle. Folders are not listed: they follow from the paths, and no signature covers them.
 *
 * `path` is relative to the bundle's own folder, with `/` between names: `Contents/MacOS/Example`.
 */
export type BundleEntry =
  | { readonly path: string; readonly mode: number; readonly data: Buffer }
  | { readonly path: string; readonly mode: number; readonly symlink: string };

export const CONTENTS = 'Contents/';
export const INFO_PLIST_PATH = 'Contents/Info.plist';
export const CODE_RESOURCES_PATH = 'Contents/_CodeSignature/CodeResources';

/** Returns the bytes of a regular file, or undefined when there is no such file or it is a link. */
export function fileAt(entries: readonly BundleEntry[], path: string): Buffer | undefined {
  const entry = entries.find((candidate) => candidate.path === path);
  return entry && 'data' in entry ? entry.data : undefined;
}
