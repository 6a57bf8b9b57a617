import { generateKeyPair, type KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { makeFolder } from '../../src/base/place/folder.ts';
import { demandFree } from '../../src/base/place/target.ts';
import { readWhole } from '../../src/base/with-file.ts';
import { certificateRequest, readPublicKey } from '../../src/pki/identity/certificate-request.ts';
import type { IdentityRole } from '../../src/pki/identity/identity-problem.ts';
import { localSigner, type Signer } from '../../src/pki/identity/signer.ts';
import {
  type CommandContext,
  type CommandResult,
  type CommonOptions,
  type Execute,
  example,
  pathOption,
} from '../command.ts';
import { readConfig } from '../plan/config.ts';
import { externalSigner } from '../signing/external.ts';

/** Options of `csr` as the command line gives them. */
export interface CsrOptions {
  readonly email: string;
  readonly name: string;
  readonly country: string;
  readonly out: string;
  readonly role: IdentityRole | 'both';
  /** Public half of a key that stays where it is; signing.externalSigner reaches the other half. */
  readonly publicKey?: string;
}

const PORTAL_NAMES = { application: 'Developer ID Application', installer: 'Developer ID Installer' } as const;

/** Adds the options of `csr`. */
export function configureCsr(command: Command, execute: Execute): void {
  command
    .requiredOption('--email <address>', 'mail address of the account holder', checked(/^[\x21-\x7e]+@[\x21-\x7e]+$/))
    .requiredOption('--name <name>', 'name of the company, for the request alone', checked(/^[^\p{Cc}]{1,64}$/u))
    .option('--country <code>', 'two letters', checked(/^[A-Z]{2}$/), 'US')
    .addOption(
      new Option('--role <role>', 'which certificate').choices(['application', 'installer', 'both']).default('both'),
    )
    .addOption(
      pathOption('--public-key <file>', 'of a key in a service: signing.externalSigner signs, and no key is made'),
    )
    .addOption(
      pathOption('--out <folder>', 'where requests and new keys go; nothing in it is replaced').makeOptionMandatory(),
    )
    .addHelpText('after', example('npm run -s cli -- csr --email owner@example.com --name "Example Ltd" --out keys'))
    .action((options: CsrOptions & CommonOptions) => execute((context) => csr(context, options), options));
}

function checked(pattern: RegExp): (value: string) => string {
  return (value) => {
    if (!pattern.test(value)) throw new InvalidArgumentError('It is not of the form that a certificate request takes.');
    return value;
  };
}

interface Made {
  readonly role: IdentityRole;
  readonly request: string;
  /** Null when the key is in a service. */
  readonly key: string | null;
}

/** Makes the certificate requests that Apple's portal asks for, and the keys, where they are not in a service. */
export async function csr(context: CommandContext, options: CsrOptions): Promise<CommandResult> {
  const roles = options.role === 'both' ? (['application', 'installer'] as const) : [options.role];
  if (options.publicKey !== undefined && roles.length > 1) {
    throw new UsageError('USAGE', '--public-key is that of one role', { hint: 'Add --role application or installer.' });
  }
  const folder = resolve(options.out);
  const service = options.publicKey === undefined ? undefined : await serviceKey(roles[0], options.publicKey, context);
  await makeFolder(folder, 0o700);
  // A key that is there already may be the only copy of one in use.
  const targets = roles.flatMap((role) => Object.values(placesOf(role, folder, options)));
  for (const path of targets) if (path !== null) await demandFree(path);
  const made: Made[] = [];
  for (const role of roles) made.push(await makeRequest(role, folder, options, service));
  return { document: { schema: 1, requests: made }, text: made.map(describe).join('\n') };
}

function placesOf(role: IdentityRole, folder: string, { publicKey }: CsrOptions): Pick<Made, 'request' | 'key'> {
  return {
    request: join(folder, `${role}.certSigningRequest`),
    key: publicKey === undefined ? join(folder, `${role}.key.pem`) : null,
  };
}

async function makeRequest(
  role: IdentityRole,
  folder: string,
  options: CsrOptions,
  service: RequestKey | undefined,
): Promise<Made> {
  const { email, name, country } = options;
  const { request, key } = placesOf(role, folder, options);
  const pair = service ?? (await newKey());
  const encoded = await certificateRequest({ email, commonName: name, country }, pair.publicKey, pair.signer);
  if (key !== null) await writeFile(key, pair.pem as string, { flag: 'wx', mode: 0o600 });
  await writeFile(request, pem(encoded), { flag: 'wx', mode: 0o644 });
  return { role, request, key };
}

interface RequestKey {
  readonly publicKey: KeyObject;
  readonly signer: Signer;
  readonly pem?: string;
}

async function newKey(): Promise<RequestKey> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  return {
    publicKey,
    signer: localSigner(privateKey),
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}

async function serviceKey(role: IdentityRole, file: string, { root, env }: CommandContext): Promise<RequestKey> {
  const { externalSigner: external } = (await readConfig(root)).signing;
  if (!external) {
    throw new UsageError('SIGNER_MISSING', 'release.config.json has no signing.externalSigner that could sign', {
      hint: 'docs/signing-keys.md has it for AWS KMS and Azure Key Vault.',
    });
  }
  return { publicKey: readPublicKey(await readWhole(resolve(file))), signer: externalSigner(external[role], env) };
}

function pem(encoded: Buffer): string {
  const lines = encoded.toString('base64').match(/.{1,64}/g) as string[];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}

function describe({ role, request, key }: Made): string {
  const where =
    key === null ? 'its key stays in the service' : `its key: ${key} (keep it secret, and keep a copy offline)`;
  return `${PORTAL_NAMES[role]}: ${request}\n  ${where}\n  next: upload the request in the Apple Developer account, Certificates, ${PORTAL_NAMES[role]}, G2\n`;
}
