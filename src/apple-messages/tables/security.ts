import { type MessageTable, status } from '../message.ts';

const OWN_KEYCHAIN = 'A release makes a keychain of its own for each signature and removes it: run it again';

/**
 * What `security` says when it imports a .p12, lists identities and sets who may use a key. What it says of keychains in general
 * is in `any/keychain.ts`.
 *
 * Words from public reports and from Security-61901: SecBase.h, and keychain_*.c and identity_find.m of SecurityTool.
 */
export const SECURITY: MessageTable = {
  tools: ['security'],
  rows: [
    {
      code: 'P12_PASSWORD',
      kind: 'tool',
      match: [
        'MAC verification failed during PKCS12 import',
        ...status('errSecPkcs12VerifyFailure', -25264),
        'SecKeychainItemImport: The user name or passphrase you entered is not correct',
        'Passphrase is required for import/export',
        ...status('errSecPassphraseRequired', -25260),
      ],
      cause:
        'The password of the .p12 is wrong, empty or was changed by the shell, or OpenSSL 3 encrypted the file in a way that macOS cannot read.',
      who: 'maintainer',
      next: 'Check the password; if it is right: openssl pkcs12 -export -legacy -in cert-and-key.pem -out legacy.p12',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'P12_EMPTY',
      kind: 'tool',
      match: ['SecKeychainItemImport: One or more parameters passed to a function were not valid'],
      cause: 'The .p12 is empty: its secret is not set in this environment, as in runs for a fork.',
      who: 'maintainer',
      next: 'Set the secret that holds the .p12',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'P12_FORMAT',
      kind: 'tool',
      match: [
        'Unable to import an item',

        'Unknown format in import',
        'Import/Export format unsupported',
        'SecKeychainItemImport: Unable to decode the provided data',
        ...status('errSecUnknownFormat', -25257),
        ...status('errSecUnsupportedFormat', -25256),
        ...status('errSecDecode', -26275),
        ...status('CSSMERR_CL_UNKNOWN_FORMAT', -2147411890),
      ],
      cause:
        'The file is not a .p12: its base64 was decoded twice, not at all or only in part, or another file (a .cer, a profile) was encoded.',
      who: 'maintainer',
      next: 'Encode the .p12 once: base64 -i identity.p12',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'P12_MISSING',
      kind: 'tool',
      match: ['security: Error reading infile … No such file or directory'],
      cause: 'The file to import does not exist: the step that writes it was skipped or wrote it elsewhere.',
      who: 'maintainer',
      next: 'ls -l "$P12_FILE"',
      area: 'identities',
    },
    {
      code: 'P12_UNREADABLE',
      kind: 'tool',
      match: ['security: Error reading infile'],
      cause:
        'The file to import cannot be read: its owner or mode forbids it, or macOS protects the folder it is in (Documents, Desktop, Downloads).',
      who: 'runner',
      next: 'ls -l "$P12_FILE"; put it into a temporary folder',
      area: 'identities',
    },
    {
      code: 'P12_NO_ITEMS',
      kind: 'tool',
      match: ['security: No keychain items found'],
      cause: 'The .p12 opens, but holds neither a certificate nor a key.',
      who: 'maintainer',
      next: 'Export the certificate and its private key together, as one .p12',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'P12_IMPORTED',
      kind: 'harmless',
      match: [/\b\d+ (identity|identities|certificates?|keys?) imported/],
      cause: 'The import worked.',
      who: 'maintainer',
      next: 'nothing',
      area: 'identities',
    },
    {
      code: 'KEYCHAIN_NOTHING_TO_DELETE',
      kind: 'harmless',
      match: ['SecKeychainDelete: The specified keychain could not be found'],
      cause: 'There was no old keychain to remove.',
      who: 'maintainer',
      next: 'nothing',
      area: 'keychain',
    },
    {
      code: 'KEYCHAIN_PARTITION_LIST',
      kind: 'tool',
      match: ['SecKeychainItemSetAccessWithPassword: The user name or passphrase you entered is not correct'],
      cause:
        "set-key-partition-list needs the keychain's own password, and nobody knows that of a hosted runner's login keychain.",
      who: 'maintainer',
      next: OWN_KEYCHAIN,
      act: 'release',
      area: 'keychain',
    },
    {
      code: 'KEYCHAIN_NO_SIGNING_KEY',
      kind: 'tool',
      match: ['SecItemCopyMatching: The specified item could not be found in the keychain'],
      cause:
        'The keychain holds no private key that set-key-partition-list could open: the .p12 had only a certificate.',
      who: 'maintainer',
      next: 'Export the certificate and its private key together, as one .p12',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'NO_VALID_IDENTITIES',
      kind: 'tool',
      match: [/\b0 identities found/, '0 valid identities found'],
      cause: 'No certificate here has both its private key and a trusted chain. The tool exits 0 all the same.',
      who: 'maintainer',
      next: 'security find-identity "$KEYCHAIN", which lists those that are not valid and says why',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'CERTIFICATE_VERIFIED',
      kind: 'harmless',
      match: ['certificate verification successful'],
      cause: 'The certificate and its chain are valid.',
      who: 'maintainer',
      next: 'nothing',
      area: 'identities',
    },
    {
      code: 'TRUST_NO_INTERACTION',
      kind: 'tool',
      match: [
        'SecTrustSettingsSetTrustSettings: errSecInternalComponent',
        'SecTrustSettingsSetTrustSettings: The authorization was denied since no user interaction was possible',
      ],
      cause:
        'Changing whom a Mac trusts asks a person since macOS 11; no build needs it. A Developer ID chain is trusted already.',
      who: 'maintainer',
      next: 'Leave out add-trusted-cert, and put the intermediate certificate into the .p12',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'TRUST_NO_SETTINGS',
      kind: 'harmless',
      match: ['No Trust Settings were found', ...status('errSecNoTrustSettings', -25263)],
      cause: 'Nobody has changed the trust of this certificate, as it should be.',
      who: 'maintainer',
      next: 'nothing',
      area: 'identities',
    },
    {
      code: 'SECURITY_USAGE',
      kind: 'tool',
      match: ['security: unknown command', 'security: no such command'],
      cause: 'This macOS has no such command of security, or it was misspelled.',
      who: 'maintainer',
      next: 'security help',
      area: 'keychain',
    },
  ],
};
