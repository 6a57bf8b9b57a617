import { type KitInput, type KitSystem, SIGNED } from '../system.ts';

/** Mosyle. Source: macadmins/escrow-buddy wiki, Mosyle, 2024; wording of the console is UNCERTAIN. */
export const mosyle: KitSystem = {
  name: 'Mosyle',
  folder: 'mosyle',
  steps: ({ facts }) => ({
    escrow: 'Management, Security & Privacy: FileVault with key escrow.',
    package: `Management, Install PKG: upload \`${facts.file.name}\`, all Macs.`,
    request:
      'A Criteria Group "FileVault enabled and no key escrowed" (refreshed about every 24 hours), and a Custom Command with `request.sh` for it.',
    check: 'A Device Attribute with `device-attribute.sh`; the key appears at the next check-in after the login.',
    remove: 'A Custom Command with `remove.sh`.',
  }),
  files: ({ scripts }: KitInput) => ({
    'device-attribute.sh': scripts.state,
    'request.sh': scripts.request,
    'remove.sh': scripts.remove,
  }),
  paths: [{ name: 'Install PKG', rules: [SIGNED] }],
};
