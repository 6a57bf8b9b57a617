import type { MessageTable } from '../message.ts';

/**
 * What `productsign`, `productbuild` and `pkgbuild` say; they share most of their words. From public reports. Timestamps, keychains
 * and certificates have tables of their own.
 */
export const PACKAGE_BUILDERS: MessageTable = {
  tools: ['productsign', 'productbuild', 'pkgbuild'],
  rows: [
    {
      code: 'PKGBUILD_IDENTIFIER',
      kind: 'tool',
      match: ['No package identifier specified'],
      cause: 'pkgbuild needs an identifier unless its root holds exactly one bundle.',
      who: 'maintainer',
      next: 'Set package.identifier in the configuration',
      area: 'configuration',
    },
    {
      code: 'PKGBUILD_EMPTY',
      kind: 'tool',
      match: ['Can\'t find "." in bom file', "Can't find . in bom"],
      cause: 'The payload folder is empty or unreadable, or a link points outside it.',
      who: 'maintainer',
      next: 'ls -laR "$ROOT", then build again',
      act: 'release',
      area: 'package',
    },
    {
      code: 'PKGBUILD_PATH',
      kind: 'tool',
      match: [
        /(pkgbuild|productbuild|productsign): error: [^\n]*(path|package|bundle|file)[^\n]*(does not exist|not found|could not be found)/,
      ],
      cause: 'What was to be packed does not exist: the stage before it did not run or wrote elsewhere.',
      who: 'maintainer',
      next: 'Check the path, then build again',
      act: 'release',
      area: 'package',
    },
    {
      code: 'PKGBUILD_TOO_LARGE',
      kind: 'tool',
      match: [/pkgbuild: error: [^\n]*File too large/],
      cause: 'A file of the payload is larger than 8 GiB, which a package of this form cannot hold.',
      who: 'maintainer',
      next: 'find "$ROOT" -size +8G',
      area: 'package',
    },
    {
      code: 'PRODUCTSIGN_ROLE',
      kind: 'tool',
      match: ['An installer signing identity (not an application signing identity) is required'],
      cause: 'A certificate of another kind was given: packages need Developer ID Installer.',
      who: 'account-holder',
      next: 'Set INSTALLER_P12_BASE64 to a Developer ID Installer certificate',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'PRODUCTSIGN_NO_IDENTITY',
      kind: 'tool',
      match: ['Could not find appropriate signing identity'],
      cause:
        'The searched keychains hold no Developer ID Installer certificate (perhaps only the Application one), or lack its private key.',
      who: 'maintainer',
      next: 'security find-identity -v "$KEYCHAIN"; export the Developer ID Installer certificate with its key',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'PRODUCTSIGN_KEY_ACCESS',
      kind: 'tool',
      match: ['CSSMERR_CSP_NO_USER_INTERACTION', /SignData failed:[^\n]*-25308/],
      cause: 'productsign may not use the key without asking, and nobody is there to answer.',
      who: 'maintainer',
      next: 'A release signs from a keychain of its own, which admits productsign: run it again',
      act: 'sign-portable',
      area: 'keychain',
    },
    {
      code: 'PRODUCTSIGN_FAILED',
      kind: 'tool',
      match: ['error: Failed to sign the product'],
      cause: 'This is only the last line; the lines above name the cause.',
      who: 'maintainer',
      next: 'Have the lines above it explained',
      area: 'sign-package',
    },
    {
      code: 'PRODUCTSIGN_HANGS',
      kind: 'silent',
      match: [],
      cause: 'productsign prints nothing and never ends: it waits for a keychain dialog that nobody sees.',
      who: 'maintainer',
      next: 'Stop it. A release signs from a keychain of its own, which admits productsign: run it again',
      act: 'sign-portable',
      area: 'keychain',
    },
  ],
};
