import { type KitInput, type KitSystem, SIGNED } from '../system.ts';

/** Kandji, now Iru. Sources: support.kandji.io, kandji-inc on GitHub, 2026; wording of the console is UNCERTAIN. */
export const kandji: KitSystem = {
  name: 'Kandji (Iru)',
  folder: 'kandji',
  steps: ({ facts }) => ({
    escrow: 'Library, FileVault: turn key escrow on.',
    package: `Library, Custom App: upload \`${facts.file.name}\`, type Installer Package, *Audit and enforce* with \`audit.sh\`. Sample audits look for an .app and would install again and again.`,
    request:
      'Library, Custom Script: audit `audit-request.sh`, remediation `request-unrecorded.sh`, once a day. To replace a key that Kandji holds and that does not work, run `../scripts/request.sh` on that Mac.',
    check: 'The device record shows the key; the audit’s output shows the state.',
    remove: 'A Custom Script with `remove.sh`, after taking the Custom App out of the blueprint.',
  }),
  files: ({ scripts }: KitInput) => ({
    'audit.sh': scripts['need-audit'],
    'audit-request.sh': scripts['audit-request'],
    'request-unrecorded.sh': scripts['request-unrecorded'],
    'remove.sh': scripts.remove,
  }),
  paths: [{ name: 'Custom App', rules: [SIGNED] }],
};
