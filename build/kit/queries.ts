import type { KitInput } from './system.ts';

/** Returns rows when the mechanism is registered. */
export function mechanismQuery({ facts }: KitInput): string {
  return `SELECT 1 FROM authorization_mechanisms WHERE label = 'system.login.console' AND entry = '${facts.values.MECHANISM}';`;
}

/** Returns the version of the bundle on the disk; without the semicolon, so that it can stand inside another query. */
export function versionQuery({ facts }: KitInput): string {
  return `SELECT value FROM plist WHERE path = '${facts.bundle.path}/Contents/Info.plist' AND key = 'CFBundleShortVersionString'`;
}

/** Returns rows unless a login entry has no bundle. */
export function orphanQuery({ facts }: KitInput): string {
  const plugin = facts.values.MECHANISM?.split(':')[0];
  return `SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM authorization_mechanisms WHERE label = 'system.login.console' AND plugin = '${plugin}') OR EXISTS (SELECT 1 FROM file WHERE path = '${facts.bundle.path}/Contents/MacOS/${facts.bundle.executable}');`;
}
