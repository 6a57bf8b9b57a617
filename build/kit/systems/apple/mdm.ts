import type { PlistValue } from 'plist';
import { renderJson, renderPlist } from '../../render.ts';
import { HTTPS, type KitInput, type KitSystem, SIGNED } from '../../system.ts';
import { guardFiles, serverToken } from './mdm-guard.ts';

/**
 * Apple's own commands and declarations, for MDM servers that let an admin send them.
 *
 * Sources: Apple, Installing packages (2026); apple/device-management other/manifesturl.yaml and
 * declarative/declarations/configurations/package.yaml.
 */
export const appleMdm: KitSystem = {
  name: 'Apple MDM commands and declarations',
  folder: 'apple-mdm',
  steps: ({ facts, url }) => ({
    escrow:
      'Fill in `../profiles/escrow-template.mobileconfig` and install it, unless your MDM has a FileVault profile of its own.',
    package: `Serve \`${facts.file.name}\` and \`declaration-manifest.plist\` from one folder of your server: the files expect ${url} and the manifest beside it; for another folder make the kit anew with \`--url\`. Then send \`install-enterprise-application.plist\` as a command (\`manifest.plist\` is the same for servers that want an address), or, to supervised Macs with macOS 26 and later, \`declaration-package.json\`. The kit of the next version has a new version and a new ServerToken in both. Where macOS 27 runs named binaries only, add \`declaration-allowed-binaries.json\`; for a list of your own: TeamID \`${facts.signing?.teamIdentifier ?? 'none'}\`, ${facts.code.map(({ architecture, identifier, cdHash }) => `${architecture}: SigningID \`${identifier}\`, CDHash \`${cdHash ?? 'none'}\``).join('; ')}. The guard as a task that the MDM owns, macOS 15 and later: serve \`guard.zip\` and \`guard.launchd.plist\`, then send both \`declaration-asset-guard-*.json\` and \`declaration-background-tasks.json\`, and leave out the Guard package. Not certain: the folder into which macOS expands the ZIP; look for the script below \`/private/var/db/ManagedConfigurationFiles\` on one Mac, and correct the path in \`guard.launchd.plist\` and the digest of its asset when it is elsewhere.`,
    request: 'Run `../scripts/request.sh` as root on Macs whose key is missing.',
    check:
      'Status item `package.list` says `installed`; `../scripts/state.sh` says more. A wrong digest in a manifest is never reported back.',
    remove:
      'Push the Uninstall package the same way. **Never** set `UninstallBehavior` in the declaration: removing it, or unenrolling, would delete the bundle and leave its login entry.',
  }),
  files: (input) => ({
    'manifest.plist': renderPlist(manifest(input, false)),
    'install-enterprise-application.plist': renderPlist({
      RequestType: 'InstallEnterpriseApplication',
      Manifest: manifest(input, false),
      // A package is not an app in /Applications, and only those can be managed.
      InstallAsManaged: false,
    }),
    'declaration-manifest.plist': renderPlist(manifest(input, true)),
    'declaration-package.json': renderJson(packageDeclaration(input)),
    'declaration-allowed-binaries.json': renderJson(allowedBinaries(input)),
    ...guardFiles(input),
  }),
  paths: [
    { name: 'InstallEnterpriseApplication', rules: [SIGNED, HTTPS] },
    {
      name: 'declaration com.apple.configuration.package',
      rules: [
        SIGNED,
        HTTPS,
        {
          rule: 'The manifest has a bundle-version.',
          source: 'Apple, Installing packages, 2026',
          problem: ({ facts }) => (facts.version === '' ? 'the package has no version' : undefined),
        },
      ],
    },
  ],
};

/** @param single names one digest of the whole file, which the first systems with declarations read; else digests of parts. */
function manifest({ facts, url }: KitInput, single: boolean): PlistValue {
  const { chunks, sha256 } = facts.file;
  const digests = single
    ? { sha256 }
    : { 'sha256-size': chunks.size, sha256s: chunks.sha256s, 'md5-size': chunks.size, md5s: chunks.md5s };
  return {
    items: [
      {
        assets: [{ kind: 'software-package', url, ...digests }],
        metadata: {
          kind: 'software',
          'bundle-identifier': facts.identifier,
          'bundle-version': facts.version,
          title: facts.title,
        },
      },
    ],
  } as PlistValue;
}

function packageDeclaration({ facts, url }: KitInput) {
  return {
    Type: 'com.apple.configuration.package',
    Identifier: `${facts.identifier}.package`,
    ServerToken: serverToken(facts, facts.file.sha256),
    Payload: {
      ManifestURL: new URL('declaration-manifest.plist', url).href,
      // Without it nothing is installed.
      InstallBehavior: { Install: 'Required' },
    },
  };
}

/**
 * What macOS 27 lets run where only named binaries may: every slice has the same team and signing identifier. Whether a plug-in of
 * the login window is held to that list is UNCERTAIN. Source: apple/device-management, configurations/app.settings.yaml: the list is
 * below `Allowed`, and each rule needs a CDHash or a TeamID.
 */
function allowedBinaries({ facts }: KitInput) {
  const { signing, code } = facts;
  return {
    Type: 'com.apple.configuration.app.settings',
    Identifier: `${facts.identifier}.allowed-binaries`,
    ServerToken: serverToken(facts, facts.file.sha256),
    Payload: {
      Allowed: {
        AllowedBinaries: signing
          ? [{ TeamID: signing.teamIdentifier, SigningID: code[0]?.identifier }]
          : code.map(({ cdHash, identifier }) => ({ CDHash: cdHash, SigningID: identifier })),
      },
    },
  };
}
