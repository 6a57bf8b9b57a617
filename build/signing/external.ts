import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../src/base/errors.ts';
import { runTool } from '../../src/base/run-tool.ts';
import { commandSigner } from '../../src/pki/identity/command-signer.ts';
import type { IdentitySource } from '../../src/pki/identity/identity.ts';
import type { IdentityRole } from '../../src/pki/identity/identity-problem.ts';
import type { Signer } from '../../src/pki/identity/signer.ts';
import { parseCertificate } from '../../src/pki/x509/certificate.ts';
import type { Config } from '../plan/config.ts';

/** What the configuration says of a key that another program reaches. */
type ExternalIdentity = NonNullable<Config['signing']['externalSigner']>[IdentityRole];

/** Certificates of a release that GitHub signs, in the project's folder: public, as PEM, leaf first. */
export const CERTIFICATES: Readonly<Record<IdentityRole, string>> = {
  application: 'certificates/application.pem',
  installer: 'certificates/installer.pem',
};

const PLACE_IT = 'Put the certificate there as PEM: docs/signing-keys.md.';

/** Returns where an identity comes from whose key another program reaches. */
export async function externalSource(
  external: ExternalIdentity,
  root: string,
  env: Readonly<NodeJS.ProcessEnv>,
): Promise<IdentitySource> {
  return { certificateChain: await readChain(external.certificates, root), signer: externalSigner(external, env) };
}

/**
 * Returns the certificates of a key that is elsewhere, DER, leaf first.
 *
 * @param path PEM file below `root`
 * @throws UsageError `IDENTITY_FILE`
 */
export async function readChain(path: string, root: string): Promise<[Buffer, ...Buffer[]]> {
  let pem: string;
  try {
    pem = await readFile(join(root, path), 'utf8');
  } catch (cause) {
    throw new UsageError('IDENTITY_FILE', `cannot read ${path}`, {
      cause,
      hint: PLACE_IT,
    });
  }
  const blocks = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g)];
  const [leaf, ...others] = blocks.map((block) => Buffer.from(block[1] as string, 'base64'));
  if (!leaf) throw new UsageError('IDENTITY_FILE', `${path} holds no certificate in PEM`, { hint: PLACE_IT });
  try {
    for (const der of [leaf, ...others]) parseCertificate(der);
  } catch (cause) {
    const problem = `${path}: a certificate in it cannot be read (${(cause as Error).message})`;
    throw new UsageError('IDENTITY_FILE', problem, { cause, hint: PLACE_IT });
  }
  return [leaf, ...others];
}

/** Returns the signer behind a configured command; it sees the variables that the configuration names, and no others. */
export function externalSigner(
  { command, hashes, environment }: Pick<ExternalIdentity, 'command' | 'hashes' | 'environment'>,
  env: Readonly<NodeJS.ProcessEnv>,
): Signer {
  const given = environment.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  return commandSigner({
    command: command as [string, ...string[]],
    hashes,
    run: runTool,
    environment: Object.fromEntries(given),
  });
}
