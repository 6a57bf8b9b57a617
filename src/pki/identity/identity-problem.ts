import { UsageError } from '../../base/errors.ts';

/** What an identity is used for. */
export type IdentityRole = 'application' | 'installer';

/** What each role's certificate is called by Apple. */
export const ROLE_NAMES: Readonly<Record<IdentityRole, string>> = {
  application: 'Developer ID Application',
  installer: 'Developer ID Installer',
};

const EXPORT_AGAIN =
  'Export certificate and private key together from Keychain Access (My Certificates) as .p12 again.';
const CREATE = 'Create one at https://developer.apple.com/account/resources/certificates (Account Holder only).';

/** The next step for each way in which an identity can be wrong; the message says which it was. */
const HINTS = {
  IDENTITY_EMPTY: 'Set the variable or file to the .p12; a secret that is set from an empty file is empty.',
  IDENTITY_BASE64: 'Encode the .p12 anew: `base64 < identity.p12`, on one line or several.',
  IDENTITY_BASE64_TWICE: 'Encode the .p12 once: `base64 < identity.p12`.',
  IDENTITY_NOT_P12: EXPORT_AGAIN,
  IDENTITY_DAMAGED: EXPORT_AGAIN,
  IDENTITY_PASSWORD_MISSING: 'Give the password that was typed when the .p12 was exported.',
  IDENTITY_PASSWORD_WRONG: 'Check the password, also for a newline or quotes that came with it when it was copied.',
  IDENTITY_ENCRYPTION:
    'Rewrite it: `openssl pkcs12 -in old.p12 -nodes -out all.pem`, then `openssl pkcs12 -export -in all.pem -out new.p12`.',
  IDENTITY_NO_KEY: `The file has certificates only. ${EXPORT_AGAIN}`,
  IDENTITY_NO_CERTIFICATE: `The file has a private key only. ${EXPORT_AGAIN}`,
  IDENTITY_KEY_MISMATCH: 'The certificate was made for another key: export from the Mac on which it was requested.',
  IDENTITY_AMBIGUOUS: 'Export one identity a file.',
  IDENTITY_ROLE_SWAPPED: 'The two identities are probably exchanged: check which file or variable is which.',
  IDENTITY_DEVELOPMENT: `A development certificate is for one's own Macs only. ${CREATE}`,
  IDENTITY_APP_STORE: `An App Store certificate does not sign software given out directly. ${CREATE}`,
  IDENTITY_SELF_SIGNED: `No Mac trusts a certificate that signed itself. ${CREATE}`,
  IDENTITY_TYPE: CREATE,
  IDENTITY_KEY_TYPE: `Developer ID keys are RSA 2048. ${CREATE}`,
  IDENTITY_KEY_WEAK: `Developer ID keys are RSA 2048. ${CREATE}`,
  IDENTITY_ISSUER: `Only Apple issues Developer ID certificates. ${CREATE}`,
  IDENTITY_CHAIN:
    'Add the issuing certificate to the .p12; Apple has it at https://www.apple.com/certificateauthority/.',
  IDENTITY_EXPIRED: CREATE,
  IDENTITY_NOT_YET_VALID: 'Set the clock of this machine right, or wait.',
  IDENTITY_TEAM_MISSING: CREATE,
  IDENTITY_TEAM_MISMATCH: 'Use two certificates of the same team.',
  IDENTITY_MIXED: 'Use real identities for both roles, or none for a rehearsal.',
  IDENTITY_PEM: 'Give the certificate as `BEGIN CERTIFICATE` and the key as `BEGIN PRIVATE KEY`.',
  IDENTITY_PEM_PASSWORD: 'Decrypt the key: `openssl pkey -in key.pem -out plain.pem`, or use a .p12.',
} as const;

/** Stable codes of wrong identities. */
export type IdentityProblemCode = keyof typeof HINTS;

/**
 * Returns the UsageError (exit 2) about a wrong identity.
 *
 * @param role whose identity it is, named in the message
 * @param problem what was found, as the rest of the sentence
 */
export function identityProblem(
  code: IdentityProblemCode,
  role: IdentityRole | undefined,
  problem: string,
  cause?: unknown,
): UsageError {
  const subject = role ? `the ${ROLE_NAMES[role]} identity` : 'the two signing identities';
  return new UsageError(code, `${subject}: ${problem}`, {
    hint: HINTS[code],
    ...(cause !== undefined && { cause }),
  });
}
