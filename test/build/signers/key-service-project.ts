import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect } from 'vitest';
import type { CliRun } from '../../support/cli.ts';
import { inProcess } from '../../support/in-process.ts';
import {
  externalSignerFor,
  type KeyService,
  SERVICES,
  startKeyService,
} from '../../support/key-services/key-service.ts';
import { testAuthority } from '../../support/test-authority.ts';

const SUBJECT = 'repo:owner/name:environment:signing';

/** A folder of parts whose keys are in a service, and that service. */
export interface Project {
  readonly parts: string;
  readonly service: KeyService;
  readonly name: keyof typeof SERVICES;
  at(file: string): string;
}

/**
 * Makes parts and starts the service with their keys.
 *
 * @param folder a new folder for both and for the files of the tests
 */
export async function projectWith(name: keyof typeof SERVICES, folder: string): Promise<Project> {
  const parts = join(folder, 'parts');
  expect((await inProcess(['parts', '--out', parts])).status).toBe(0);
  const authority = await testAuthority(join(parts, '.rehearsal'));
  const { settings, certificates } = externalSignerFor(name, authority);
  const file = join(parts, 'release.config.json');
  const config = JSON.parse(readFileSync(file, 'utf8'));
  config.signing.externalSigner = settings;
  writeFileSync(file, JSON.stringify(config));
  for (const [path, pem] of Object.entries(certificates)) {
    mkdirSync(dirname(join(parts, path)), { recursive: true });
    writeFileSync(join(parts, path), pem);
  }
  const service = await startKeyService(join(folder, 'service'), name, authority, SUBJECT);
  return { parts, service, name, at: (one) => join(folder, one) };
}

/** Runs a command in the project. */
export const run = ({ parts }: Project, ...argv: string[]): Promise<CliRun> => inProcess(argv, { cwd: parts });

/** Runs the real script of a job that has nothing but the way to the key. */
export function useKey(
  { parts, service, name, at }: Project,
  role: 'application' | 'installer',
  change: { readonly argv?: Record<string, string>; readonly env?: Record<string, string | undefined> } = {},
): Promise<{ status: number | null; printed: string }> {
  const options = {
    '--service': name,
    '--role': role,
    '--project': parts,
    '--digests': readFileSync(at(`${role}.txt`), 'utf8'),
    '--out': at(`${role}.signatures`),
    ...change.argv,
  };
  const script = resolve('build/signers/key-service.sh');
  const env = {
    PATH: `${service.bin}:${process.env.PATH}`,
    TMPDIR: at('.'),
    ...service.environmentFor(SUBJECT),
    ...SERVICES[name].variables,
    ...change.env,
  };
  const child = spawn('sh', [script, ...Object.entries(options).flat()], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => void (printed += part));
  return new Promise((done) => child.on('close', (status) => done({ status, printed })));
}
