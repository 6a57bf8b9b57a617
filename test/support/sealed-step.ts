import { spawn, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import type { Role } from './stored-keys.ts';

/** The namespaces and tools that the sealed step needs; tests without them are skipped and say so. */
export const SEALED_STEP = lookForNeeds();

function lookForNeeds(): { readonly missing: boolean; readonly note: string } {
  const isRoot = process.getuid?.() === 0;
  const argv = [
    'unshare',
    '--mount',
    '--net',
    '--pid',
    '--ipc',
    '--uts',
    '--fork',
    '--kill-child',
    '--',
    'setpriv',
    '--version',
  ];
  const [program, ...rest] = isRoot ? argv : ['sudo', '-n', ...argv];
  const { status } = spawnSync(program as string, rest);
  return status === 0
    ? { missing: false, note: '' }
    : { missing: true, note: ' (skipped: needs Linux, root or sudo without a password, unshare and setpriv)' };
}

/** How a script of build/signers ended, and all that it printed. */
export interface Ended {
  readonly status: number | null;
  readonly printed: string;
}

interface Given {
  readonly digests: string;
  readonly out: string;
  readonly env?: NodeJS.ProcessEnv;
  /** A copy of the step where something else is to stand beside the key. */
  readonly script?: string;
  /** An open file that the step inherits as each of its descriptors 3 to 9. */
  readonly inherited?: number;
}

/** Runs the real sealed step. */
export function sealedStep(role: Role, given: Given): Promise<Ended> {
  const script = given.script ?? resolve('build/signers/sealed.sh');
  const argv = [script, '--role', role, '--digests', given.digests, '--out', given.out];
  const inherited = given.inherited === undefined ? [] : Array<number>(7).fill(given.inherited);
  const env = { ...process.env, ...given.env };
  const child = spawn('/bin/sh', argv, { env, stdio: ['ignore', 'pipe', 'pipe', ...inherited] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part) => void (printed += part));
  return new Promise((done) => child.on('close', (status) => done({ status, printed })));
}

/** Checks signatures with a project's certificates. */
export function checkSignatures(
  project: string,
  role: Role,
  { digests, signatures, out }: { readonly digests: string; readonly signatures: string; readonly out: string },
): Ended {
  const options = { '--role': role, '--digests': digests, '--signatures': signatures, '--out': out };
  const argv = [resolve('build/signers/check-signatures.sh'), ...Object.entries(options).flat()];
  const { status, stdout, stderr } = spawnSync('/bin/sh', argv, { cwd: project, encoding: 'utf8' });
  return { status, printed: stdout + stderr };
}
