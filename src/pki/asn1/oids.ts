/** Object identifiers, by what they stand for. The source of each group is in its comment. */

/** CMS content types and attributes. Source: RFC 5652, sections 4, 5 and 11; RFC 3161, RFC 2634, RFC 5035. */
export const CMS = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  timestampInfo: '1.2.840.113549.1.9.16.1.4',
  signingCertificate: '1.2.840.113549.1.9.16.2.12',
  timestampToken: '1.2.840.113549.1.9.16.2.14',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
} as const;

/** Digests and signatures. Source: RFC 3279, RFC 4055, RFC 5754, RFC 5758. */
export const ALGORITHM = {
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
  rsa: '1.2.840.113549.1.1.1',
  sha1WithRsa: '1.2.840.113549.1.1.5',
  sha256WithRsa: '1.2.840.113549.1.1.11',
  sha384WithRsa: '1.2.840.113549.1.1.12',
  sha512WithRsa: '1.2.840.113549.1.1.13',
  ecPublicKey: '1.2.840.10045.2.1',
  ecdsaWithSha1: '1.2.840.10045.4.1',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  ecdsaWithSha384: '1.2.840.10045.4.3.3',
  ecdsaWithSha512: '1.2.840.10045.4.3.4',
} as const;

/** Attributes of a name. Source: X.520; RFC 4519 for userId. */
export const NAME = {
  commonName: '2.5.4.3',
  country: '2.5.4.6',
  organization: '2.5.4.10',
  organizationalUnit: '2.5.4.11',
  userId: '0.9.2342.19200300.100.1.1',
} as const;

/** Certificate extensions. Source: RFC 5280, section 4.2. */
export const EXTENSION = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  certificatePolicies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

/** What a key may be used for. Source: RFC 5280, section 4.2.1.12; Apple's own as seen in Developer ID Installer leaves. */
export const KEY_PURPOSE = {
  codeSigning: '1.3.6.1.5.5.7.3.3',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  installerPackageSigning: '1.2.840.113635.100.4.13',
} as const;

/**
 * Extensions by which Apple marks its certificates.
 *
 * Source: Apple's Developer ID Certification Practice Statement; the names and critical flags are those seen in real
 * certificates (leaves issued in 2021, CAs of 2012 and 2021, tickets of 2021).
 */
export const APPLE = {
  arc: '1.2.840.113635.100.',
  developerIdApplication: '1.2.840.113635.100.6.1.13',
  developerIdInstaller: '1.2.840.113635.100.6.1.14',
  developerIdDate: '1.2.840.113635.100.6.1.33',
  developerIdAuthority: '1.2.840.113635.100.6.2.6',
  timestampAuthority: '1.2.840.113635.100.6.2.9',
  /** In the leaf "Software Ticket Signing" and its issuer "Apple System Integration CA 4" of tickets of 2021. */
  ticketSigning: '1.2.840.113635.100.6.1.30',
  systemIntegrationAuthority: '1.2.840.113635.100.6.2.17',
} as const;
