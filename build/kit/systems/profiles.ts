import type { PlistValue } from 'plist';
import { profileUuid, renderPlist, renderProfile } from '../render.ts';
import { SETTINGS, type Setting } from '../settings.ts';
import type { KitInput, KitSystem } from '../system.ts';

/** Configuration profiles and a manifest of the settings. Sources: apple/device-management; ProfileManifests, 2026. */
export const profiles: KitSystem = {
  name: 'Configuration profiles',
  folder: 'profiles',
  steps: ({ facts }) => ({
    escrow:
      'Only where your MDM has no FileVault profile of its own: put your MDM’s certificate (DER) into `escrow-template.mobileconfig` in place of the placeholder, which no Mac accepts. One such profile a Mac. From macOS 26 on, FileVault may be switched on in the setup screens, with a key that only the person’s Passwords app holds: `setup-screen.mobileconfig`, installed at enrolment, leaves that screen out. Better still, let that screen make a key that your MDM escrows: `filevault-at-setup.mobileconfig` (FDEFileVault), for Macs that enrol automatically and await their configuration, together with the escrow profile and instead of `setup-screen.mobileconfig`. A Mac takes one FileVault profile: leave both to your MDM where it has its own.',
    package:
      'To keep the guard out of people’s Login Items, install `background-item.mobileconfig` before the Guard package.',
    request: `A request is never a profile: \`GenerateNewKey\` is not in \`settings.mobileconfig\`, because a forced one could never be cleared and ${facts.title} refuses it.`,
    check: '`profiles show -type configuration` lists them.',
    remove: 'Remove the settings and background profiles after the product. Keep the escrow profile.',
  }),
  files: (input) => ({
    'escrow-template.mobileconfig': escrowProfile(input),
    'background-item.mobileconfig': backgroundProfile(input),
    'setup-screen.mobileconfig': setupScreenProfile(input),
    'filevault-at-setup.mobileconfig': fileVaultProfile(input),
    'settings.mobileconfig': settingsProfile(input),
    [`${input.facts.values.DOMAIN}.plist`]: manifest(input),
  }),
  paths: [],
};

const identifierOf = ({ facts }: KitInput, name: string) => `${facts.values.DOMAIN}.profile.${name}`;

function escrowProfile(input: KitInput): string {
  const certificate = `${identifierOf(input, 'escrow')}.certificate`;
  return renderProfile({
    identifier: identifierOf(input, 'escrow'),
    name: 'FileVault key escrow (template)',
    description: 'Sends new FileVault recovery keys to the MDM whose certificate this is. Put yours in first.',
    payloads: [
      {
        PayloadIdentifier: certificate,
        PayloadType: 'com.apple.security.pkcs1',
        PayloadDisplayName: 'Certificate of the MDM',
        PayloadCertificateFileName: 'escrow.cer',
        // No DER certificate begins like this, so a Mac refuses the template as it stands.
        PayloadContent: Buffer.from('REPLACE THIS WITH THE DER CERTIFICATE OF YOUR MDM'),
      } as unknown as Record<string, PlistValue>,
      {
        PayloadIdentifier: `${identifierOf(input, 'escrow')}.redirection`,
        PayloadType: 'com.apple.security.FDERecoveryKeyEscrow',
        PayloadDisplayName: 'Key escrow',
        Location: 'REPLACE THIS WITH THE NAME THAT PEOPLE SEE',
        EncryptCertPayloadUUID: profileUuid(certificate),
      },
    ],
  });
}

/** The setup screen that may encrypt a Mac before an MDM can escrow its key. Source: apple/device-management, skipkeys. */
function setupScreenProfile(input: KitInput): string {
  return renderProfile({
    identifier: identifierOf(input, 'setup-screen'),
    name: 'FileVault not in the setup screens',
    description: 'Leaves out the setup screen that turns FileVault on without escrow, macOS 26 and later.',
    payloads: [
      {
        PayloadIdentifier: `${identifierOf(input, 'setup-screen')}.items`,
        PayloadType: 'com.apple.SetupAssistant.managed',
        SkipSetupItems: ['FileVault'],
      },
    ],
  });
}

/** FileVault on from the first login, with a key for the MDM alone. Source: apple/device-management, com.apple.MCX.FileVault2. */
function fileVaultProfile(input: KitInput): string {
  return renderProfile({
    identifier: identifierOf(input, 'filevault-at-setup'),
    name: 'FileVault on in the setup screens',
    description:
      'Turns FileVault on during automated enrolment, macOS 14 and later; the escrow profile sends its key to the MDM.',
    payloads: [
      {
        PayloadIdentifier: `${identifierOf(input, 'filevault-at-setup')}.filevault`,
        PayloadType: 'com.apple.MCX.FileVault2',
        Enable: 'On',
        // Without it the payload would need the person's password in itself.
        Defer: true,
        DeferForceAtUserLoginMaxBypassAttempts: 0,
        ForceEnableInSetupAssistant: true,
        UseRecoveryKey: true,
        ShowRecoveryKey: false,
      },
    ],
  });
}

function backgroundProfile(input: KitInput): string {
  const { facts } = input;
  return renderProfile({
    identifier: identifierOf(input, 'background-item'),
    name: `${facts.title}: background item`,
    description: 'Lets the guard run without asking, macOS 13 and later.',
    payloads: [
      {
        PayloadIdentifier: `${identifierOf(input, 'background-item')}.rules`,
        PayloadType: 'com.apple.servicemanagement',
        Rules: [
          {
            RuleType: 'Label',
            RuleValue: facts.values.GUARD_IDENTIFIER as string,
            ...(facts.signing ? { TeamIdentifier: facts.signing.teamIdentifier } : {}),
            Comment: `Guard of ${facts.title}`,
          },
        ],
      } as Record<string, PlistValue>,
    ],
  });
}

function settingsProfile(input: KitInput): string {
  const { facts } = input;
  const values = Object.fromEntries(
    SETTINGS.flatMap(({ key, fallback }) => (fallback === undefined ? [] : [[key, fallback]])),
  );
  return renderProfile({
    identifier: identifierOf(input, 'settings'),
    name: `${facts.title}: settings`,
    description: 'Every setting with the value it has without this profile; remove what you do not want to force.',
    payloads: [
      {
        PayloadIdentifier: `${identifierOf(input, 'settings')}.values`,
        PayloadType: facts.values.DOMAIN as string,
        ...values,
      },
    ],
  });
}

/** For ProfileCreator and iMazing Profile Editor. Source: ProfileManifests, manifest format 1. */
function manifest({ facts }: KitInput): string {
  const domain = facts.values.DOMAIN as string;
  return renderPlist({
    pfm_description: `Settings of ${facts.title}`,
    pfm_domain: domain,
    pfm_format_version: 1,
    pfm_macos_min: facts.minimumMacOS,
    pfm_platforms: ['macOS'],
    pfm_subkeys: [
      ...payloadKeys(facts.title, domain),
      ...SETTINGS.map((setting) => settingKey(setting, facts.version)),
    ],
    pfm_targets: ['system'],
    pfm_title: facts.title,
    pfm_unique: false,
    pfm_version: 1,
  } as unknown as PlistValue);
}

function settingKey({ key, title, description, type, fallback, minimum, maximum, format }: Setting, version: string) {
  return {
    pfm_app_min: version,
    pfm_description: description,
    pfm_name: key,
    pfm_title: title,
    pfm_type: type,
    ...(fallback === undefined ? {} : { pfm_default: fallback }),
    ...(minimum === undefined ? {} : { pfm_range_min: minimum, pfm_range_max: maximum as number }),
    ...(format === undefined ? {} : { pfm_format: format }),
  };
}

/** Every manifest begins with these. */
function payloadKeys(title: string, domain: string) {
  const texts: [name: string, title: string, value: string][] = [
    ['PayloadDescription', 'Payload Description', `Settings of ${title}`],
    ['PayloadDisplayName', 'Payload Display Name', title],
    ['PayloadIdentifier', 'Payload Identifier', domain],
    ['PayloadType', 'Payload Type', domain],
    ['PayloadUUID', 'Payload UUID', ''],
    ['PayloadOrganization', 'Payload Organization', ''],
  ];
  return [
    ...texts.map(([name, label, value]) => ({
      pfm_name: name,
      pfm_title: label,
      pfm_description: label,
      pfm_type: 'string',
      ...(value === '' ? {} : { pfm_default: value }),
      ...(name === 'PayloadOrganization' ? {} : { pfm_require: 'always' }),
    })),
    {
      pfm_name: 'PayloadVersion',
      pfm_title: 'Payload Version',
      pfm_description: 'The version of this payload',
      pfm_type: 'integer',
      pfm_default: 1,
      pfm_range_list: [1],
      pfm_require: 'always',
    },
  ];
}
