import { ANY_TOOL } from '../../find-messages.ts';
import { type MessageTable, status } from '../../message.ts';

/** Ways to print an exit code of `security`: the lowest eight bits of its status, as 51 of -25293. */
function exitCode(code: number): RegExp {
  return new RegExp(`\\bsecurity\\b[^\\n]*\\b(exit(ed with)?|return|status)( code| status)?:? ${code}(?!\\d)`);
}

const OWN_KEYCHAIN =
  'A release signs from a keychain of its own, which is unlocked and admits the signing tools: run it again';

/**
 * What is wrong with a keychain, its password or the right to use a key: the texts of SecCopyErrorMessageString, which security,
 * codesign, productsign and notarytool print alike, with their names and numbers.
 *
 * Source: Security-61901, SecBase.h, Authorization.h, cssmerr.h.
 */
export const KEYCHAIN: MessageTable = {
  tools: [ANY_TOOL],
  rows: [
    {
      code: 'KEYCHAIN_LOCKED',
      kind: 'tool',
      match: [
        exitCode(36),
        'User interaction is not allowed',
        'User interaction is required, but is currently not allowed',
        ...status('errSecInteractionNotAllowed', -25308),
        ...status('errSecInteractionRequired', -25315),
        ...status('errSecInDarkWake', -25320),
        ...status('CSSMERR_CSP_NO_USER_INTERACTION', -2147415840),
      ],
      cause: 'The keychain is locked or the key asks before it is used, and there is no session in which to ask.',
      who: 'maintainer',
      next: `${OWN_KEYCHAIN}. By hand: security unlock-keychain "$KEYCHAIN" && security set-key-partition-list -S apple-tool:,apple: -s "$KEYCHAIN"`,
      act: 'sign-portable',
      area: 'keychain',
    },
    {
      code: 'KEYCHAIN_PASSWORD',
      kind: 'tool',
      match: [
        exitCode(51),
        'The user name or passphrase you entered is not correct',
        ...status('errSecAuthFailed', -25293),
      ],
      cause:
        'The password given is not that of the keychain (set-key-partition-list and unlock-keychain want its own, not that of the .p12).',
      who: 'maintainer',
      next: `Delete the keychain and make it again. ${OWN_KEYCHAIN}`,
      act: 'release',
      area: 'keychain',
    },
    {
      code: 'KEY_ACCESS_DENIED',
      kind: 'tool',
      match: [
        ...status('CSSMERR_CSP_OPERATION_AUTH_DENIED', -2147416032),
        ...status('CSSMERR_DL_OPERATION_AUTH_DENIED', -2147413984),
        'User canceled the operation',
        'errSecUserCanceled',
      ],
      cause: 'The use of the private key was denied, by a person at a dialog or by its access list.',
      who: 'maintainer',
      next: OWN_KEYCHAIN,
      act: 'sign-portable',
      area: 'keychain',
    },
    {
      code: 'KEYCHAIN_NOT_FOUND',
      kind: 'tool',
      match: [
        exitCode(50),
        'The specified keychain could not be found',
        'A default keychain could not be found',
        'No keychain is available',
        ...status('errSecNoSuchKeychain', -25294),
        ...status('errSecNoDefaultKeychain', -25307),
        ...status('errSecNotAvailable', -25291),
        ...status('CSSMERR_DL_DATASTORE_DOESNOT_EXIST', -2147413737),
      ],
      cause:
        'The keychain that was named does not exist, this account has none, or something removed it during the run.',
      who: 'maintainer',
      next: `security list-keychains -d user. ${OWN_KEYCHAIN}`,
      act: 'release',
      area: 'keychain',
    },
    {
      code: 'KEYCHAIN_INVALID',
      kind: 'tool',
      match: [
        'The specified keychain is not a valid keychain file',
        'This keychain was created by a different version of the system software',
        ...status('errSecInvalidKeychain', -25295),
        ...status('errSecWrongSecVersion', -25310),
      ],
      cause: 'The keychain file is damaged, not a keychain, or of another macOS.',
      who: 'runner',
      next: 'security delete-keychain "$KEYCHAIN"; a release makes its own',
      act: 'release',
      area: 'keychain',
    },
    {
      code: 'KEYCHAIN_EXISTS',
      kind: 'tool',
      match: [
        exitCode(48),
        'A keychain with the same name already exists',
        ...status('errSecDuplicateKeychain', -25296),
        ...status('CSSMERR_DL_DATASTORE_ALREADY_EXISTS', -2147413736),
      ],
      cause: 'An earlier job on this machine left its keychain behind.',
      who: 'runner',
      next: 'security delete-keychain "$KEYCHAIN"',
      area: 'keychain',
    },
    {
      code: 'KEYCHAIN_ITEM_EXISTS',
      kind: 'warning',
      match: [
        exitCode(45),
        'The specified item already exists in the keychain',
        ...status('errSecDuplicateItem', -25299),
      ],
      cause: 'This certificate or key is in the keychain already; importing it again changes nothing.',
      who: 'maintainer',
      next: 'Import into a new keychain, as a release does',
      area: 'keychain',
    },
    {
      code: 'KEYCHAIN_ITEM_NOT_FOUND',
      kind: 'tool',
      match: [
        exitCode(44),
        'The specified item could not be found in the keychain',
        ...status('errSecItemNotFound', -25300),
        ...status('CSSMERR_CSP_PRIVATE_KEY_NOT_FOUND', -2147415730),
      ],
      cause:
        'None of the searched keychains holds the certificate or its private key; codesign looks only at the search list.',
      who: 'maintainer',
      next: 'security list-keychains -d user; export certificate and key together, as one .p12',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'KEYCHAIN_ITEM_UNREADABLE',
      kind: 'tool',
      match: [
        'Key material must be wrapped for export',
        ...status('errSecKeyIsSensitive', -25258),
        'The contents of this item cannot be retrieved',
        ...status('errSecDataNotAvailable', -25316),
        'The specified item is no longer valid',
        ...status('errSecInvalidItemRef', -25304),
      ],
      cause: 'The key cannot be read out of the keychain: it was imported as not exportable, or its item is damaged.',
      who: 'maintainer',
      next: 'Export certificate and key from the Mac on which the signing request was made',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'KEYCHAIN_NOT_WRITABLE',
      kind: 'tool',
      match: [
        /Will not set default: UID=\d+ does not own directory/,

        'Write permissions error',
        'This keychain cannot be modified',
        ...status('errSecReadOnly', -25292),
        'errSecWrPerm',
      ],
      cause: 'The keychain or its preferences belong to root, because an earlier call ran under sudo.',
      who: 'runner',
      next: 'Run without sudo; sudo chown -R "$USER" ~/Library/Preferences ~/Library/Keychains',
      area: 'keychain',
    },
    {
      code: 'AUTHORIZATION_NO_INTERACTION',
      kind: 'tool',
      match: [
        'The authorization was denied since no user interaction was possible',
        'The authorization was canceled by the user',
        'The authorization was denied',
        'Unable to obtain authorization for this operation',
        ...status('errAuthorizationInteractionNotAllowed', -60007),
        ...status('errAuthorizationCanceled', -60006),
        ...status('errAuthorizationDenied', -60005),
        ...status('errAuthorizationInternal', -60008),
      ],
      cause:
        'What was asked for needs the rights of an administrator or an answer at a dialog, and this session (ssh, launchd, a job) gives neither.',
      who: 'runner',
      next: 'Run it as root, or as the user who is logged in at the screen; a release needs neither',
      area: 'keychain',
    },
    {
      code: 'KEYCHAIN_ENTITLEMENT',
      kind: 'tool',
      match: ["A required entitlement isn't present", ...status('errSecMissingEntitlement', -34018)],
      cause: 'The program asked for the data protection keychain without the entitlement for it.',
      who: 'maintainer',
      next: 'Use a keychain file instead, as a release does',
      area: 'keychain',
    },
  ],
};
