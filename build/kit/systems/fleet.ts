import { mechanismQuery, orphanQuery, versionQuery } from '../queries.ts';
import { renderYaml } from '../render.ts';
import { isPlaceholder, type KitSystem, SIGNED } from '../system.ts';

/** Fleet. Sources: fleetdm/fleet, GitOps files and orbit/pkg/update/escrow_buddy.go, 2026. */
export const fleet: KitSystem = {
  name: 'Fleet',
  folder: 'fleet',
  steps: ({ facts }) => ({
    escrow: 'Settings, MDM: turn disk encryption on.',
    package: `If Fleet is the MDM it brings its own copy of Escrow Buddy and sets \`GenerateNewKey\` itself: **do not deploy this package beside it**; a second copy may be overwritten. If Fleet only manages software: put \`lib/macos/\` into your GitOps repository and \`team.yml\`’s lines into the team.`,
    request:
      'Fleet as the MDM decides by itself. Otherwise run `lib/macos/scripts/escrow-buddy-request.sh` on hosts that the policy names.',
    check: 'The policies of `policies.yml`: each host that passes returns a row.',
    remove: `The software’s uninstall script is \`lib/macos/scripts/escrow-buddy-uninstall.sh\`; Fleet’s default would remove ${facts.title} only half.`,
  }),
  files: (input) => {
    const { facts, url, scripts } = input;
    return {
      'lib/macos/software/escrow-buddy.yml': renderYaml({
        url,
        hash_sha256: facts.file.sha256,
        pre_install_query: { path: '../queries/escrow-buddy-needed.yml' },
        install_script: { path: '../scripts/escrow-buddy-install.sh' },
        uninstall_script: { path: '../scripts/escrow-buddy-uninstall.sh' },
        post_install_script: { path: '../scripts/escrow-buddy-check.sh' },
      }),
      'lib/macos/queries/escrow-buddy-needed.yml': renderYaml([
        {
          name: `${facts.title} ${facts.version} is needed`,
          description: 'Rows mean: install.',
          platform: 'darwin',
          query: `SELECT 1 WHERE NOT EXISTS (${versionQuery(input)} AND value = '${facts.version}');`,
        },
      ]),
      'lib/macos/scripts/escrow-buddy-install.sh':
        '#!/bin/sh\nexec /usr/sbin/installer -pkg "$INSTALLER_PATH" -target /\n',
      'lib/macos/scripts/escrow-buddy-uninstall.sh': scripts.remove,
      'lib/macos/scripts/escrow-buddy-check.sh': scripts['need-audit'],
      'lib/macos/scripts/escrow-buddy-request.sh': scripts.request,
      'team.yml': renderYaml({
        software: { packages: [{ path: '../lib/macos/software/escrow-buddy.yml', self_service: false }] },
      }),
      'policies.yml': renderYaml([
        {
          name: `${facts.title} is registered`,
          platform: 'darwin',
          description: 'The login mechanism is there.',
          resolution: 'Install the package again, or run AuthDBSetup.sh.',
          query: mechanismQuery(input),
        },
        {
          name: `${facts.title} cannot lock anybody out`,
          platform: 'darwin',
          description: 'No login entry is without its bundle.',
          resolution: 'Install the package again at once, or remove the entry: see the rescue card.',
          query: orphanQuery(input),
        },
      ]),
    };
  },
  paths: [
    {
      name: 'software package',
      rules: [
        SIGNED,
        {
          rule: 'The address is one from which Fleet can download.',
          source: 'fleetdm/fleet, docs/Configuration/yaml-files.md',
          problem: ({ url }) =>
            url.startsWith('https://') && !isPlaceholder(url) ? undefined : `${url} is not such an address: give --url`,
        },
      ],
    },
  ],
};
