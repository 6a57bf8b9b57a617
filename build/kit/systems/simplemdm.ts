import { type KitInput, type KitSystem, SIGNED } from '../system.ts';

/** SimpleMDM. Source: SimpleMDM API, apps and script jobs, 2026. */
export const simplemdm: KitSystem = {
  name: 'SimpleMDM',
  folder: 'simplemdm',
  steps: ({ facts }) => ({
    escrow: 'A FileVault profile with key escrow, in the assignment group.',
    package: `Add \`${facts.file.name}\` as an app: \`POST /api/v1/apps\` with \`binary=@${facts.file.name}\`; for Munki also \`../munki/pkgsinfo.plist\`. Put it into the assignment group.`,
    request: 'A script job with `request.sh` for Macs whose recovery-key field is empty.',
    check: 'A script job with `custom-attribute.sh`, its output into a custom attribute.',
    remove: 'A script job with `remove.sh`, after taking the app out of the group.',
  }),
  files: ({ scripts }: KitInput) => ({
    'custom-attribute.sh': scripts.state,
    'request.sh': scripts.request,
    'remove.sh': scripts.remove,
  }),
  paths: [
    {
      name: 'app',
      rules: [
        SIGNED,
        {
          rule: 'The package is a product archive.',
          source: 'SimpleMDM, supported package types, 2026',
          problem: ({ facts }) => (facts.minimumMacOS === '' ? 'it has no Distribution' : undefined),
        },
      ],
    },
  ],
};
