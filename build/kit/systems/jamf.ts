import { escapeXml, renderJson } from '../render.ts';
import { SETTINGS } from '../settings.ts';
import { type KitInput, type KitSystem, SIGNED } from '../system.ts';

/** Jamf Pro. Sources: jamf/jamf-upload templates, check-jamf-* of pre-commit-macadmin, Jamf Pro API, 2026. */
export const jamf: KitSystem = {
  name: 'Jamf Pro',
  folder: 'jamf-pro',
  steps: ({ facts }) => ({
    escrow: 'Computers, Configuration Profiles, Security & Privacy, FileVault: turn key escrow on.',
    package: `Upload \`${facts.file.name}\` and add it to a policy for all Macs. Add the extension attribute: upload \`extension-attribute.xml\`.`,
    request:
      'Make the smart group of `smart-group-key-missing.json` and the policy of `policy.xml`: it runs the request once a day on Macs in that group.',
    check:
      'The extension attribute says `Requested`, then `Rotated`; after the next inventory the key is `Valid`. `Stuck` and `ORPHANED` need you: `smart-group-stuck.json`.',
    remove: 'A policy with `remove.sh`, or the Uninstall package. Never a policy that deletes the bundle’s path.',
  }),
  files: ({ facts, scripts }: KitInput) => ({
    'extension-attribute.sh': scripts['state-jamf'],
    'extension-attribute.xml': `<?xml version="1.0" encoding="UTF-8"?>
<extensionAttribute>
<displayName>${escapeXml(facts.title)}</displayName>
<description>Is a recovery key on its way, made, or stuck, and why</description>
<dataType>string</dataType>
<scriptContentsMac>${escapeXml(scripts['state-jamf'])}</scriptContentsMac>
</extensionAttribute>
`,
    'smart-group-key-missing.json': renderJson(
      group('FileVault key missing', [
        ['FileVault 2 Partition Encryption State', 'is', 'Encrypted'],
        ['FileVault 2 Individual Key Validation', 'is not', 'Valid'],
      ]),
    ),
    'smart-group-stuck.json': renderJson(
      group(
        `${facts.title}: stuck`,
        [
          [facts.title, 'like', 'Stuck'],
          [facts.title, 'like', 'ORPHANED'],
        ],
        'or',
      ),
    ),
    'policy.xml': policy(facts.file.name, scripts.request),
    'settings-schema.json': settingsSchema(facts),
    'remove.sh': scripts.remove,
    'package.json': renderJson({
      packageName: facts.file.name,
      fileName: facts.file.name,
      categoryId: '-1',
      priority: 10,
      rebootRequired: false,
      fillUserTemplate: false,
      osInstall: false,
      suppressUpdates: false,
      hashType: 'SHA_512',
      hashValue: facts.file.sha512,
    }),
  }),
  paths: [{ name: 'policy', rules: [SIGNED] }],
};

/** For Application & Custom Settings, Custom Schema. */
function settingsSchema(facts: KitInput['facts']): string {
  return renderJson({
    title: `${facts.title} (${facts.values.DOMAIN})`,
    description: `Settings of ${facts.title}. GenerateNewKey is not among them: a profile could never clear it.`,
    properties: Object.fromEntries(
      SETTINGS.map(({ key, title, description, type, minimum, maximum, fallback }, index) => [
        key,
        {
          title,
          description,
          property_order: 5 * (index + 1),
          anyOf: [
            { title: 'Not configured', type: 'null' },
            {
              title: 'Configured',
              type,
              ...(minimum === undefined ? {} : { minimum, maximum }),
              ...(fallback === undefined ? {} : { default: fallback }),
            },
          ],
        },
      ]),
    ),
  });
}

function group(name: string, criteria: readonly (readonly [string, string, string])[], andOr = 'and') {
  return {
    name,
    criteria: criteria.map(([criterion, searchType, value], priority) => ({
      name: criterion,
      priority,
      andOr,
      searchType,
      value,
    })),
  };
}

function policy(fileName: string, request: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<policy>
<general><name>FileVault key: ask for a new one</name><enabled>true</enabled><trigger_checkin>true</trigger_checkin><frequency>Once every day</frequency></general>
<scope><computer_groups><computer_group><name>FileVault key missing</name></computer_group></computer_groups></scope>
<package_configuration><packages><size>1</size><package><name>${escapeXml(fileName)}</name><action>Install</action></package></packages></package_configuration>
<files_processes><run_command>${escapeXml(commandOf(request))}</run_command></files_processes>
<maintenance><recon>true</recon></maintenance>
</policy>
`;
}

/** A policy runs one command; the script is handed to sh on its standard input. */
function commandOf(script: string): string {
  return `/bin/echo ${Buffer.from(script).toString('base64')} | /usr/bin/base64 -D | /bin/sh`;
}
