import { renderPlist } from '../render.ts';
import { type KitInput, type KitSystem, SIGNED } from '../system.ts';

/** Workspace ONE UEM. Source: docs.omnissa.com, software distribution for macOS, 2026: a subset of Munki's keys. */
export const workspaceOne: KitSystem = {
  name: 'Workspace ONE',
  folder: 'workspace-one',
  steps: ({ facts }) => ({
    escrow: 'A Disk Encryption profile with key escrow.',
    package: `Apps, Internal: upload \`${facts.file.name}\` and \`pkginfo.plist\`.`,
    request:
      'A sensor with `sensor.sh` (bash, SYSTEM, String), a smart group on its value, and a script with `request-unrecorded.sh` for it.',
    check: 'The sensor says `Requested`, `Rotated` or `Stuck`.',
    remove: 'The pkginfo’s uninstall script removes the login entry first. Do not replace it.',
  }),
  files: ({ facts, scripts }: KitInput) => ({
    'pkginfo.plist': renderPlist({
      catalogs: ['software'],
      display_name: facts.title,
      installcheck_script: scripts['need-munki'],
      installed_size: facts.installKBytes,
      installer_item_hash: facts.file.sha256,
      installer_item_location: facts.file.name,
      installer_item_size: Math.floor(facts.file.size / 1024),
      minimum_os_version: facts.minimumMacOS,
      name: facts.title,
      receipts: [{ installed_size: facts.installKBytes, packageid: facts.identifier, version: facts.version }],
      unattended_install: true,
      uninstall_method: 'uninstall_script',
      uninstall_script: scripts.remove,
      uninstallable: true,
      uninstallcheck_script: scripts['remove-needed'],
      version: facts.version,
    } as never),
    'sensor.sh': scripts.state,
    'request-unrecorded.sh': scripts['request-unrecorded'],
  }),
  paths: [{ name: 'internal app', rules: [SIGNED] }],
};
