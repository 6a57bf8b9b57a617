import type { MessageTable } from '../message.ts';

const READ = 'openssl pkcs12 -in "$P12_FILE" -info -noout -passin env:P12_PASSWORD';
const LEGACY = 'openssl pkcs12 -legacy -in "$P12_FILE" -info -noout -passin env:P12_PASSWORD';

/**
 * What `openssl` says about .p12 files and keys, and what other readers of .p12 files say alike. From public reports; OpenSSL 1.1,
 * OpenSSL 3 and LibreSSL differ.
 */
export const OPENSSL: MessageTable = {
  tools: ['openssl', 'p12'],
  rows: [
    {
      code: 'OPENSSL_LEGACY_CIPHER',
      kind: 'tool',
      match: [
        /Algorithm \((RC2-40-CBC|RC2-CBC|RC4|DES|PKCS12KDF|MD4|MD5)\b/,
        /EVP_PBE_CipherInit(_ex)?:unknown cipher/,
        /unknown (cipher|pbe algorithm)[^\n]*RC2/,
      ],
      cause:
        'The .p12 is encrypted with an old algorithm (RC2 or 3DES, as Keychain Access does it); OpenSSL 3 reads that only with -legacy. This pipeline reads both.',
      who: 'maintainer',
      next: LEGACY,
      act: 'check',
      area: 'identities',
    },
    {
      code: 'OPENSSL_UNSUPPORTED',
      kind: 'tool',
      match: [
        /inner_evp_generic_fetch:unsupported/,
        /error:0308010C:digital envelope routines/,
        'ERR_OSSL_EVP_UNSUPPORTED',
        /Unsupported PKCS12 PFX data/,
      ],
      cause:
        'OpenSSL 3 does not offer the algorithm that was asked for. If a .p12 was read, it is encrypted with RC2 or 3DES, which need -legacy; this pipeline reads both.',
      who: 'maintainer',
      next: 'openssl pkcs12 -legacy -in "$P12_FILE" -info -noout -passin env:P12_PASSWORD',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'OPENSSL_LEGACY_PROVIDER',
      kind: 'tool',
      match: [
        /(unable|could not|cannot) (to )?load (the )?(legacy provider|provider legacy)/,
        'Unable to load provider legacy',
      ],
      cause: 'This openssl was built without the legacy provider, or does not find its module legacy.so.',
      who: 'maintainer',
      next: 'openssl list -providers; this pipeline reads the .p12 without it',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'OPENSSL_NO_LEGACY_OPTION',
      kind: 'tool',
      match: [
        'Unrecognized flag legacy',
        /(unknown|unrecognized) option:? "?-legacy/,
        /pkcs12: (Unknown|Unrecognized)[^\n]*legacy/,
      ],
      cause: 'This openssl is LibreSSL or 1.1, which has no such option and does not need it.',
      who: 'maintainer',
      next: 'openssl version; leave out -legacy',
      area: 'identities',
    },
    {
      code: 'OPENSSL_PASSWORD',
      kind: 'tool',
      match: [
        /PKCS12_item_decrypt_d2i|PKCS12_pbe_crypt|pkcs12 cipherfinal error/,

        'Mac verify error: invalid password?',
        'PKCS12_parse:mac verify failure',
        'mac verify failure',
        'incorrect password given when decrypting PFX data',
        /(PKCS#?12|PFX)[^\n]*\(wrong password\?\)/,
        /PKCS#?12 MAC could not be verified/,
        'bad decrypt',
        /(PKCS#?12|p12|pfx)[^\n]*(invalid|incorrect|wrong) password/,
      ],
      cause:
        'The password of the .p12 is wrong or empty, or the file is encrypted or checked in a way that this reader does not know.',
      who: 'maintainer',
      next: `${READ}; if that works, export it again: openssl pkcs12 -export -legacy -in cert-and-key.pem -out new.p12`,
      act: 'check',
      area: 'identities',
    },
    {
      code: 'OPENSSL_NO_MAC',
      kind: 'warning',
      match: ['MAC is absent'],
      cause: 'The .p12 has no MAC: openssl reads it, but macOS does not import it.',
      who: 'maintainer',
      next: 'openssl pkcs12 -export -legacy -in cert-and-key.pem -out new.p12',
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
      code: 'OPENSSL_NOT_MATCHING',
      kind: 'tool',
      match: [
        /No cert(ificate)?( in -in file [^\n]*)? matches private key/,
        'key values mismatch',
        'x509_check_private_key',
      ],
      cause: 'The certificate was issued for another private key than this one.',
      who: 'maintainer',
      next: 'Use the key that made the signing request, or request a new certificate with this key',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'OPENSSL_NOT_A_KEY',
      kind: 'tool',
      match: [
        'unable to load private key',
        'Could not read private key from',
        'Could not find private key from',
        /unable to load (certificates?|signing key file)/,
        /Could not (read|find) certificate (of [^\n]+ )?from/,
        /PEM_read_bio\w*:no start line/,
        'bad base64 decode',
        /Expecting: (ANY PRIVATE KEY|TRUSTED CERTIFICATE|CERTIFICATE)/i,
      ],
      cause: 'The file is not in PEM form, is another kind of file, is empty, or lost its line ends in a secret store.',
      who: 'maintainer',
      next: 'head -1 "$FILE"; a .cer of Apple needs -inform DER',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'OPENSSL_INPUT',
      kind: 'tool',
      match: [
        /Can"t open "?[^\n]* for reading, No such file/,
        /Could not open file or uri for loading/,
        'Error getting passwords',
        'Error reading password',
        /Error opening input file/,
      ],
      cause:
        'The file or the password could not be read: a path that does not exist, or an environment variable that is not set.',
      who: 'maintainer',
      next: 'ls -l "$P12_FILE"; test -n "$P12_PASSWORD"',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'OPENSSL_NOT_P12',
      kind: 'tool',
      match: [
        /asn1[ _]check[ _]tlen:wrong tag/,
        /asn1_d2i_read_bio|ASN1_get_object:(header too long|too long)/,
        /d2i_PKCS12/,
        /base64: (invalid input|stdin: \(null\): error decoding|error decoding)/,
        /^base64: [^\n]*invalid input/,
      ],
      cause:
        'What was read is not a .p12: its base64 was decoded twice, not at all or only in part, or the secret is empty.',
      who: 'maintainer',
      next: 'Encode the .p12 once: base64 -i identity.p12',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'KEY_NOT_RSA',
      kind: 'tool',
      match: [
        'CSR algorithm/size incorrect',
        'Expected: RSA(2048)',
        'OID is not RSA',
        'does not contain an RSAPrivateKey',
        /only (support|accept)s? RSA keys?/i,
      ],
      cause: 'Apple issues Developer ID certificates for RSA keys of 2048 bits only, not for ECDSA keys.',
      who: 'maintainer',
      next: 'openssl req -new -newkey rsa:2048 -nodes -keyout key.pem -out request.csr',
      area: 'identities',
    },
  ],
};
