import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';

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

/** Runs the real sealed step of a folder of parts; returns its end and everything it printed. */
export function sealedStep(
  role: 'application' | 'installer',
  files: { readonly parts: string; readonly record: string; readonly out: string; readonly env?: NodeJS.ProcessEnv },
): Promise<{ status: number | null; printed: string }> {
  const { parts, record, out } = files;
  const argv = [join(parts, 'sealed.sh'), '--role', role, '--parts', parts, '--record', record, '--out', out];
  const child = spawn('/bin/sh', argv, { env: { ...process.env, ...files.env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => void (printed += part));
  return new Promise((done) => child.on('close', (status) => done({ status, printed })));
}
