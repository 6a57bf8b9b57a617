import { renderJson } from '../render.ts';
import { HTTPS, type KitInput, type KitSystem, SIGNED } from '../system.ts';

/** Microsoft Intune. Sources: Microsoft Learn, macOS apps (PKG) and shell scripts, 2026-04. */
export const intune: KitSystem = {
  name: 'Microsoft Intune',
  folder: 'intune',
  steps: ({ facts }) => ({
    escrow: 'Endpoint security, Disk encryption: a macOS profile with FileVault and "Escrow location description".',
    package: `Devices, macOS, Apps: add a *macOS app (PKG)* with \`${facts.file.name}\`. Included app: \`${facts.bundle.identifier}\`, version ${facts.version}; set *Ignore app version* to Yes. The plug-in is not an app, so whether Intune ever reports it as installed is UNCERTAIN: trust the custom attribute. Or instead, Devices, Scripts: add \`install.sh\`, run as root, every day, 3 retries; it installs only what is missing or older, after checking digest and team.`,
    request: 'Devices, Scripts: add `request-unrecorded.sh`, run as root (signed-in user: No), every day, 3 retries.',
    check:
      'Devices, Custom attributes: add `custom-attribute.sh`, type String. It says `Requested`, `Rotated`, `Stuck`; the key itself is under Recovery keys.',
    remove:
      'Intune does not uninstall PKG apps: add `remove.sh` as a shell script, after removing the app’s assignment.',
  }),
  files: ({ facts, scripts }: KitInput) => ({
    'install.sh': scripts.install,
    'custom-attribute.sh': scripts.state,
    'request-unrecorded.sh': scripts['request-unrecorded'],
    'remove.sh': scripts.remove,
    'app.json': renderJson({
      '@odata.type': '#microsoft.graph.macOSPkgApp',
      displayName: facts.title,
      description: 'Generates a new FileVault recovery key at the next login, when asked.',
      publisher: facts.signing?.signer.replace(/^Developer ID Installer: | \([A-Z0-9]+\)$/g, '') ?? 'unsigned',
      fileName: facts.file.name,
      primaryBundleId: facts.bundle.identifier,
      primaryBundleVersion: facts.version,
      includedApps: [
        {
          '@odata.type': '#microsoft.graph.macOSIncludedApp',
          bundleId: facts.bundle.identifier,
          bundleVersion: facts.version,
        },
      ],
      ignoreVersionDetection: true,
      minimumSupportedOperatingSystem: { v10_14: true },
    }),
  }),
  paths: [
    {
      name: 'macOS app (PKG)',
      rules: [
        SIGNED,
        {
          rule: 'The package is smaller than 8 GB.',
          source: 'Microsoft Learn, add an unmanaged macOS PKG app, 2026-04',
          problem: ({ facts }) => (facts.file.size < 8e9 ? undefined : `it has ${facts.file.size} bytes`),
        },
      ],
    },
    {
      name: 'shell script',
      rules: [
        HTTPS,
        SIGNED,
        sizeRule('script that installs', 200_000, 'install'),
        sizeRule('script that asks for a key', 200_000, 'request-unrecorded'),
        sizeRule('custom attribute', 20_000, 'state'),
      ],
    },
  ],
};

function sizeRule(what: string, most: number, script: 'install' | 'state' | 'request-unrecorded') {
  return {
    rule: `The ${what} has at most ${most} bytes.`,
    source: 'MicrosoftDocs/memdocs, macos-shell-scripts.md, 2022',
    problem: ({ scripts }: KitInput) =>
      Buffer.byteLength(scripts[script]) <= most ? undefined : `it has ${Buffer.byteLength(scripts[script])} bytes`,
  };
}
