import type { MessageTable } from '../message.ts';

const LEGACY = 'openssl pkcs12 -legacy -in "$P12_FILE" -info -noout -passin env:P12_PASSWORD';

/** What `openssl` says about .p12 files and keys. Words from public reports; OpenSSL 1.1, 3 and LibreSSL differ. */
export const OPENSSL: MessageTable = {
  tools: ['openssl'],
  rows: [
    {
      code: 'OPENSSL_LEGACY_CIPHER',
      kind: 'tool',
      match: ['Algorithm (RC2-40-CBC'],
      cause:
        'The .p12 is encrypted with RC2, as Keychain Access does it; OpenSSL 3 reads that only with -legacy. This pipeline reads both.',
      who: 'maintainer',
      next: LEGACY,
      act: 'check',
      area: 'identities',
    },
    {
      code: 'OPENSSL_OUTPUT',
      kind: 'tool',
      match: ['Error outputting keys and certificates'],
      cause: 'OpenSSL opened the .p12 but could not decrypt its contents; the line below names the algorithm.',
      who: 'maintainer',
      next: LEGACY,
      act: 'check',
      area: 'identities',
    },
    {
      code: 'OPENSSL_NO_LEGACY_OPTION',
      kind: 'tool',
      match: ['Unrecognized flag legacy'],
      cause: 'This openssl is LibreSSL or 1.1, which has no such option and does not need it.',
      who: 'maintainer',
      next: 'openssl version; leave out -legacy',
      area: 'identities',
    },
    {
      code: 'OPENSSL_PASSWORD',
      kind: 'tool',
      match: ['Mac verify error: invalid password?'],
      cause: 'The password of the .p12 is wrong, or the file has no MAC at all.',
      who: 'maintainer',
      next: 'openssl pkcs12 -in "$P12_FILE" -info -noout -passin env:P12_PASSWORD',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'OPENSSL_NO_MAC',
      kind: 'warning',
      match: ['Warning: MAC is absent!'],
      cause: 'The .p12 has no MAC: openssl reads it, but macOS does not import it.',
      who: 'maintainer',
      next: 'openssl pkcs12 -export -legacy -in cert-and-key.pem -out new.p12',
      area: 'identities',
    },
  ],
};
