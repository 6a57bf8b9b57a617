import { createHmac } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { check } from '../needs.ts';
import { certificatesOf } from '../stored-keys.ts';

const ROLES = ['application', 'installer'] as const;
/** Addresses of keys, and who may use them, by service. */
export const SERVICES = {
  aws: {
    script: 'build/signers/aws-kms.sh',
    keyOf: (role: string) =>
      `arn:aws:kms:eu-central-1:111122223333:key/${role === 'application' ? '1' : '2'}234abcd-12ab-34cd-56ef-1234567890ab`,
    variables: { AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/escrow-buddy-signing' },
    as: 'arn:aws:iam::111122223333:role/escrow-buddy-signing',
  },
  azure: {
    script: 'build/signers/azure-key-vault.sh',
    keyOf: (role: string) => `https://example-vault.vault.azure.net/keys/${role}`,
    variables: {
      AZURE_CLIENT_ID: '11111111-2222-3333-4444-555555555555',
      AZURE_TENANT_ID: '66666666-7777-8888-9999-000000000000',
    },
    as: '66666666-7777-8888-9999-000000000000/11111111-2222-3333-4444-555555555555',
  },
} as const;

/** A key service and GitHub's issuer of tokens, both on this machine. */
export interface KeyService {
  /** Folder with `aws` and `az`, for PATH. */
  readonly bin: string;
  /** Audiences that tokens were asked for, in order. */
  readonly audiences: string[];
  /** What a job with `id-token: write` has in its environment. @param subject claim `sub` of its tokens */
  environmentFor(subject: string): Record<string, string>;
  close(): void;
}

/**
 * Starts a key service that holds the rehearsal's signing keys and gives them to one subject.
 *
 * @param subject whom the service lets in, such as `repo:owner/name:environment:signing`
 */
export async function startKeyService(
  folder: string,
  service: keyof typeof SERVICES,
  { members }: RehearsalAuthority,
  subject: string,
): Promise<KeyService> {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const { keyOf, as } = SERVICES[service];
  const keys = ROLES.map((role) => {
    const path = join(folder, `${role}.pem`);
    const pem = members[role].privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(path, pem, { mode: 0o600 });
    return [keyOf(role), path] as const;
  });
  const secret = `secret of ${folder}`;
  const settings = join(folder, 'settings.json');
  writeFileSync(
    settings,
    JSON.stringify({ keys: Object.fromEntries(keys), secret, subject, as, region: 'eu-central-1' }),
  );
  for (const name of ['aws', 'az']) {
    const program = resolve(`test/support/key-services/${name}.mjs`);
    const line = `KEY_SERVICE='${settings}' exec '${process.execPath}' '${program}' "$@"`;
    writeFileSync(join(bin, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  }
  const issuer = await startIssuer(folder, secret);
  return { bin, ...issuer };
}

/** GitHub's issuer, as far as a job sees it. Source: GitHub, "OpenID Connect reference", "Methods for requesting the OIDC token". */
async function startIssuer(folder: string, secret: string): Promise<Omit<KeyService, 'bin'>> {
  const [key, certificate] = [join(folder, 'issuer.key'), join(folder, 'issuer.pem')];
  const request = ['-subj', '/CN=issuer', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  check('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, ...request]);
  const audiences: string[] = [];
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (asked, answer) => {
    const { searchParams } = new URL(asked.url ?? '', 'https://issuer.invalid');
    const [, subject] = /^Bearer (.+)$/.exec(asked.headers.authorization ?? '') ?? [];
    const audience = searchParams.get('audience') ?? 'https://github.com/owner';
    if (!subject) return void answer.writeHead(401).end();
    audiences.push(audience);
    const claims = { aud: audience, sub: Buffer.from(subject, 'base64url').toString() };
    const parts = [{ alg: 'HS256' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
    const signature = createHmac('sha256', secret).update(parts.join('.')).digest('base64url');
    return void answer.end(JSON.stringify({ count: 1, value: [...parts, signature].join('.') }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    audiences,
    environmentFor: (subject) => ({
      ACTIONS_ID_TOKEN_REQUEST_URL: `https://127.0.0.1:${port}/idtoken?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: Buffer.from(subject).toString('base64url'),
      CURL_CA_BUNDLE: certificate,
    }),
    close: () => void server.close(),
  };
}

/** What `signing.externalSigner` of release.config.json says for a service, and the certificates it names. */
export function externalSignerFor(service: keyof typeof SERVICES, authority: RehearsalAuthority) {
  const { script, keyOf } = SERVICES[service];
  const identityOf = (role: (typeof ROLES)[number]) => ({
    command: ['sh', script, keyOf(role)],
    certificates: `certificates/${role}.pem`,
  });
  return {
    settings: { application: identityOf('application'), installer: identityOf('installer') },
    certificates: certificatesOf(authority),
  };
}
