import type { MessageTable } from '../../message.ts';

const OWN_KEY =
  'Set NOTARY_KEY, NOTARY_KEY_ID and NOTARY_ISSUER_ID of one team key, the only credentials this pipeline uses';

/** What notarytool, and altool before it, say of their own words, files and credentials before anybody is asked. From public reports. */
export const NOTARY_COMMAND: MessageTable = {
  tools: ['notarytool', 'notary-api', 'altool'],
  rows: [
    {
      code: 'NOTARY_PROFILE',
      kind: 'tool',
      match: ['No Keychain password item found for profile', 'Could not find a keychain item with profile name'],
      cause: 'The profile was never stored, or is in a keychain that is locked. This pipeline uses none.',
      who: 'maintainer',
      next: OWN_KEY,
      act: 'check',
      area: 'notary-connection',
    },
    {
      code: 'NOTARY_KEYCHAIN_LOCKED',
      kind: 'tool',
      match: ['keychainLocked('],
      cause: 'The keychain with the stored credentials is locked. This pipeline uses none.',
      who: 'maintainer',
      next: OWN_KEY,
      act: 'check',
      area: 'notary-connection',
    },
    {
      code: 'NOTARY_KEY_FORMAT',
      kind: 'tool',
      match: [
        'invalidPEMDocument',
        'invalidASN1',
        /Private key [^\n]*(does not exist|not found|could not be read|is invalid)/i,
        'App Store Connect API key not found',
        'unable to read or parse the private key',
      ],
      cause: 'The key lost its line ends on its way through a secret store, is another kind of key, or is not there.',
      who: 'maintainer',
      next: 'Set NOTARY_KEY to the .p8 file as downloaded, or to its base64',
      act: 'check',
      area: 'notary-key',
    },
    {
      code: 'NOTARY_ARGUMENTS',
      kind: 'tool',
      match: [
        'Profile name must be at least 3 characters',
        /must be a valid UUID/,

        /Missing expected argument "--(key|key-id|issuer|apple-id|team-id|keychain-profile)/,
        /The value [^\n]* is invalid for "--(key|key-id|issuer)[ "]/,
        /\bissuerNotProvided\b/,
        /Do not provide [^\n]*issuer/i,
        'Missing option --keychain-profile',
      ],
      cause: 'A credential is empty or missing: a secret that is not set in this environment.',
      who: 'maintainer',
      next: OWN_KEY,
      act: 'check',
      area: 'notary-connection',
    },
    {
      code: 'NOTARY_USAGE',
      kind: 'tool',
      match: [
        /^Error: \d+ unexpected arguments?:/,
        /^Error: Unexpected argument "[^\n]*"/,
        /^Error: Unknown option "--?[\w-]+"/,
        /^Error: Missing (value for|expected argument) "[^\n]*"/,
        /^Error: The value [^\n]* is invalid for "[<-]/,
      ],
      cause:
        'notarytool got words that it does not take: a name with spaces without quotes, a file that is not there, or an option of another Xcode.',
      who: 'maintainer',
      next: 'Read the line word by word; xcrun notarytool submit --help',
      act: 'notary-portable',
      area: 'notarytool',
    },
    {
      code: 'NOTARY_APPLE_ID',
      kind: 'refused',
      match: [
        'We are unable to create an authentication session',
        /This Apple (ID|Account) has been locked/,
        'Must provide an Apple ID',
      ],
      cause:
        'An Apple ID was used, and it is locked, missing, or without an app-specific password. A release uses a team key.',
      who: 'maintainer',
      next: OWN_KEY,
      act: 'check',
      area: 'notary-connection',
    },
    {
      code: 'NOTARY_FILE_KIND',
      kind: 'tool',
      match: [
        /must be a zip archive \(zip\), flat installer package \(pkg\), or UDIF disk image \(dmg\)/,
        /do not know how to notarize/,
        /is not a valid file type for notarization/i,
      ],
      cause: 'The notary takes packages, disk images and zip archives only.',
      who: 'maintainer',
      next: 'Submit the signed package',
      act: 'release',
      area: 'notarize',
    },
    {
      code: 'NOTARY_ALTOOL_GONE',
      kind: 'tool',
      match: [
        /altool has been (decommissioned|deprecated)/i,
        /Notarization of MacOS applications using altool/i,
        'Unable to get notarization info',
        'altool encountered an error',
      ],
      cause: 'Apple took altool out of service for notarization in November 2023. This pipeline does not use it.',
      who: 'maintainer',
      next: OWN_KEY,
      act: 'check',
      area: 'notary-connection',
    },
    {
      code: 'NOTARY_NOT_JSON',
      kind: 'tool',
      match: ['Unexpected end of JSON input', /Unexpected token [^\n]* in JSON at position \d+/],
      cause: 'A wrapper expected JSON and got a plain error of notarytool, often the one about agreements.',
      who: 'maintainer',
      next: 'xcrun notarytool history --key "$KEY_FILE" --key-id "$KEY_ID" --issuer "$ISSUER"',
      act: 'check',
      area: 'notary-connection',
    },
  ],
};
