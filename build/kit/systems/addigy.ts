import { type KitInput, type KitSystem, SIGNED } from '../system.ts';

/** Addigy. Source: support.addigy.com, Smart Software, 2026. */
export const addigy: KitSystem = {
  name: 'Addigy',
  folder: 'addigy',
  steps: ({ facts }) => ({
    escrow: 'A FileVault profile with key escrow.',
    package: `Smart Software: \`${facts.file.name}\`, installation \`install.txt\`, condition \`condition.sh\` (0 means install). Without a condition Addigy tries once only.`,
    request:
      'A flex policy for Macs whose fact "FileVault Key Escrowed" is false, with `request.sh` as installation command.',
    check: 'A custom fact with `fact.sh`.',
    remove:
      'The removal script of the Smart Software must be `remove.sh`. **A removal that lists the bundle’s path locks people out.**',
  }),
  files: ({ facts, scripts }: KitInput) => ({
    'install.txt': `/usr/sbin/installer -pkg '${facts.file.name}' -target /\n`,
    'condition.sh': scripts['need-munki'],
    'request.sh': scripts.request,
    'fact.sh': scripts.state,
    'remove.sh': scripts.remove,
  }),
  paths: [
    {
      name: 'Smart Software',
      rules: [
        SIGNED,
        {
          rule: 'The name has none of the characters & < > " \' /.',
          source: 'support.addigy.com, Smart Software, 2026',
          problem: ({ facts }) => (/[&<>"'/]/.test(facts.title) ? `the title is ${facts.title}` : undefined),
        },
      ],
    },
  ],
};
