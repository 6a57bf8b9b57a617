import { mechanismQuery, orphanQuery, versionQuery } from '../queries.ts';
import { renderJson } from '../render.ts';
import type { KitSystem } from '../system.ts';

/** osquery. Source: osquery schema, tables authorization_mechanisms, plist, file, managed_policies, disk_encryption, 2026. */
export const osquery: KitSystem = {
  name: 'osquery',
  folder: 'osquery',
  steps: () => ({
    escrow: 'Not osquery’s part.',
    package: 'Not osquery’s part: it observes.',
    request: 'Not osquery’s part.',
    check: 'Add `escrow-buddy.pack.json` as a pack.',
    remove: 'Not osquery’s part.',
  }),
  files: (input) => ({
    'escrow-buddy.pack.json': renderJson({
      platform: 'darwin',
      queries: {
        registered: query(mechanismQuery(input), 'The login mechanism is registered.'),
        version: query(`${versionQuery(input)};`, 'Version of the bundle on the disk.'),
        orphaned: query(
          orphanQuery(input),
          'Rows when no login entry is without its bundle; none when the next login will fail.',
        ),
        filevault: query('SELECT DISTINCT filevault_status FROM disk_encryption;', 'Whether FileVault is on.'),
        escrow_profile: query(
          "SELECT value FROM managed_policies WHERE domain = 'com.apple.security.FDERecoveryKeyEscrow' AND name = 'Location';",
          'Where a profile sends recovery keys.',
        ),
        key_record: query(
          "SELECT mtime FROM file WHERE path = '/var/db/FileVaultPRK.dat';",
          'When a key was last recorded for escrow.',
        ),
        outcome: query(
          `SELECT key, value FROM preferences WHERE domain = '${input.facts.values.DOMAIN}' AND key IN ('GenerateNewKey', 'LastOutcome', 'LastAttempt', 'LastRotation', 'LastExitStatus', 'ConsecutiveFailures', 'LastFailedUID');`,
          'The request, and how the last login with one ended.',
        ),
      },
    }),
  }),
  paths: [],
};

const query = (text: string, description: string) => ({ query: text, interval: 3600, snapshot: true, description });
