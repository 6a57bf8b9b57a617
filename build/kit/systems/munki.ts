import { renderPlist } from '../render.ts';
import { type KitInput, type KitSystem, SIGNED } from '../system.ts';

/** Munki. Sources: munki/munki, pkginfolib.swift and installationstate.swift, 2026; sizes are KiB, rounded down. */
export const munki: KitSystem = {
  name: 'Munki',
  folder: 'munki',
  steps: ({ facts, url }) => ({
    escrow: 'Munki installs no profiles: use your MDM.',
    package: `Copy \`${facts.file.name}\` to \`pkgs/apps/${facts.title}/\` and \`pkgsinfo.plist\` to \`pkgsinfo/\`, then run \`makecatalogs\`. With \`PackageCompleteURL\` set to ${url} clients download it from there instead.`,
    request: 'Munki cannot tell which keys are missing: let the MDM run `../scripts/request.sh`.',
    check: '`../scripts/state.sh`.',
    remove:
      'Move the item to `managed_uninstalls`. The `uninstall_script` removes the login entry first; Munki’s own way (`removepackages`) would not, and is overridden.',
  }),
  files: ({ facts, scripts }: KitInput) => ({
    'pkgsinfo.plist': renderPlist({
      autoremove: false,
      blocking_applications: [],
      catalogs: ['testing'],
      description:
        'Generates a new FileVault recovery key at the next login, when asked, so that the MDM can escrow it.',
      display_name: facts.title,
      installcheck_script: scripts['need-munki'],
      installed_size: facts.installKBytes,
      installer_item_hash: facts.file.sha256,
      installer_item_location: `apps/${facts.title}/${facts.file.name}`,
      installer_item_size: Math.floor(facts.file.size / 1024),
      minimum_os_version: facts.minimumMacOS,
      name: facts.title,
      receipts: [{ installed_size: facts.installKBytes, packageid: facts.identifier, version: facts.version }],
      supported_architectures: facts.architectures,
      unattended_install: true,
      unattended_uninstall: true,
      uninstall_method: 'uninstall_script',
      uninstall_script: scripts.remove,
      uninstallable: true,
      uninstallcheck_script: scripts['remove-needed'],
      version: facts.version,
    } as never),
  }),
  paths: [{ name: 'pkg in a repository', rules: [SIGNED] }],
};
