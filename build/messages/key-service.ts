import type { MessageTable } from '../../src/apple-messages/message.ts';

const TRUST = 'npm run -s cli -- doctor --ci, which prints the subject that the service must trust';

/** What a key service says to a job that comes with a token of GitHub: AWS with KMS, Azure with Key Vault. From public reports. */
export const KEY_SERVICE: MessageTable = {
  tools: ['key-service', 'aws', 'az'],
  rows: [
    {
      code: 'SERVICE_NO_PROVIDER',
      kind: 'refused',
      match: ['No OpenIDConnect provider found in your account', /AADSTS700211\b/],
      cause: "The account does not know GitHub's issuer of tokens, or knows it with a slash at its end.",
      who: 'maintainer',
      next: 'Add the provider https://token.actions.githubusercontent.com, without a slash at its end',
      area: 'workflow',
    },
    {
      code: 'SERVICE_SUBJECT',
      kind: 'refused',
      match: [
        'Not authorized to perform sts:AssumeRoleWithWebIdentity',
        /is not authorized to perform: sts:AssumeRoleWithWebIdentity/,
        /AADSTS(70021|700213|7002138)\b/,
        'No matching federated identity record found',
        'has no configured federated identity credentials',
      ],
      cause:
        'The service trusts another subject: another repository, environment or case of letters, or the form without numbers (repositories since July 2026 have them).',
      who: 'maintainer',
      next: TRUST,
      area: 'workflow',
    },
    {
      code: 'SERVICE_AUDIENCE',
      kind: 'refused',
      match: ['Incorrect token audience', /AADSTS(700212|50027)\b/],
      cause: 'The service expects another audience than sts.amazonaws.com or api://AzureADTokenExchange.',
      who: 'maintainer',
      next: 'Set the audience of the provider or of the federated credential',
      area: 'workflow',
    },
    {
      code: 'SERVICE_TENANT',
      kind: 'refused',
      match: [/AADSTS(700016|90002|900023)\b/],
      cause: 'AZURE_CLIENT_ID or AZURE_TENANT_ID is not that of the app registration.',
      who: 'maintainer',
      next: 'az ad app show --id "$AZURE_CLIENT_ID"; compare both with the variables of the repository',
      area: 'workflow',
    },
    {
      code: 'SERVICE_MAY_NOT_SIGN',
      kind: 'refused',
      match: [
        /is not authorized to perform: kms:\w+/,
        'Caller is not authorized to perform action on resource',
        /\bForbiddenBy(Rbac|Policy)\b/,
        /does not have keys (sign|get) permission/,
      ],
      cause: 'The role came in and may not use the key: it lacks kms:Sign on this very key, or Key Vault Crypto User.',
      who: 'maintainer',
      next: 'Give the role the right to sign with the two keys, and wait some minutes',
      area: 'workflow',
    },
    {
      code: 'SERVICE_KEY_USE',
      kind: 'refused',
      match: [
        /\bInvalidKeyUsageException\b/,
        'Key and signing algorithm are incompatible',
        /\bKMSInvalidStateException\b/,
        /\(KeyNotFound\)|\bKeyDisabled\b/,
      ],
      cause: 'The key is not there, is disabled, or is not an RSA key for signing with PKCS #1 v1.5.',
      who: 'maintainer',
      next: 'Compare the key in release.config.json with docs/signing-keys.md: RSA 2048, SIGN_VERIFY',
      area: 'workflow',
    },
  ],
};
