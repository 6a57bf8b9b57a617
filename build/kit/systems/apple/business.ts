import type { PackageFileFacts } from '../../facts.ts';
import { renderJson } from '../../render.ts';
import { HTTPS, type KitInput, type KitSystem, SIGNED } from '../../system.ts';

/**
 * The device management that is built into Apple Business: packages by their address, profiles as custom settings, no scripts.
 *
 * Sources: Apple Business API, /v1/packages (name, url, hash, bundleIds, description, version), 2026; Apple Business Essentials user
 * guide, packages and FileVault settings: recovery keys are encrypted for a certificate that the organization uploads.
 */
export const appleBusiness: KitSystem = {
  name: 'Apple Business',
  folder: 'apple-business',
  steps: ({ facts, extras }) => ({
    escrow:
      'Run `sh escrow-certificate.sh` on your own computer: it makes `escrow.cer` and `escrow.key`. Add a FileVault setting and upload `escrow.cer` there; keep `escrow.key` and its passphrase in two safe places. A new certificate reads no key that was made for an older one: request new keys after changing it.',
    package: `Put \`${facts.file.name}\`, and from \`../extras/\` the packages \`${extras.request.name}\` and \`${extras.uninstall.name}\`, on a web server with https (a release serves the first one itself). Add three packages with the values of \`packages.json\`, and assign the first one.`,
    request: `Scripts cannot be run, so the request is a package: assign \`${extras.request.name}\` to the Macs whose key is missing, and to no others. It may arrive before the first package: the request waits. A second request on the same Mac needs the package assigned anew.`,
    check:
      'After the next login and check-in the device shows a recovery key. Download it and run `sh escrow-decrypt.sh FILE escrow.key`. Not certain: in which form the key is downloaded; DER, PEM and base64 are read.',
    remove: `Take the assignment of \`${facts.file.name}\` away, which leaves everything on the Macs, then assign \`${extras.uninstall.name}\`.`,
  }),
  files: (input) => ({
    'packages.json': renderJson({ packages: packages(input) }),
    'escrow-certificate.sh': input.scripts['escrow-certificate'],
    'escrow-decrypt.sh': input.scripts['escrow-decrypt'],
  }),
  paths: [{ name: 'package by its address', rules: [SIGNED, HTTPS] }],
};

/** What its form asks for, package by package. */
function packages({ facts, url, extras }: KitInput) {
  const { DOMAIN, UNINSTALL_IDENTIFIER, REQUEST_IDENTIFIER } = facts.values;
  const entry = (file: PackageFileFacts, identifier: string | undefined, description: string) => ({
    name: file.name,
    url: new URL(encodeURIComponent(file.name), url).href,
    version: facts.version,
    bundleIds: [identifier],
    sha256: file.sha256,
    size: file.size,
    description,
  });
  return [
    { ...entry(facts.file, DOMAIN, 'Makes a new FileVault recovery key at the next login, when asked.'), url },
    entry(extras.request, REQUEST_IDENTIFIER, 'Asks for a new FileVault recovery key at the next login.'),
    entry(extras.uninstall, UNINSTALL_IDENTIFIER, `Removes ${facts.title}: the login entry first.`),
  ];
}
