import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Manifest } from '../../build/plan/manifest.ts';

const RUNS = 9;

/** What one run took, in milliseconds. */
interface RunTimes {
  /** Without the compiler, whose time varies by more than signing takes. */
  readonly wall: number;
  readonly stages: number;
}

/** Compares a signed run with an unsigned one: what signatures of bundle and package add, without the network. */
export async function benchSigning(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-signing-'));
  try {
    runOnce(folder, ['release', '--rehearsal', '--until', 'sign-package']); // makes the rehearsal's keys, and warms the disk
    const signed: RunTimes[] = [];
    const unsigned: RunTimes[] = [];
    for (let run = 0; run < RUNS; run++) {
      signed.push(runOnce(folder, ['release', '--rehearsal', '--until', 'sign-package']));
      unsigned.push(runOnce(folder, ['build']));
    }
    const added = (key: keyof RunTimes) => median(signed, key) - median(unsigned, key);
    process.stdout.write(`stages sign-code and sign-package   ${median(signed, 'stages').toFixed(0)} ms\n`);
    process.stdout.write(`the same, ad-hoc and unsigned       ${median(unsigned, 'stages').toFixed(0)} ms\n`);
    process.stdout.write(`signing adds to the stages          ${added('stages').toFixed(0)} ms\n`);
    process.stdout.write(`signing adds to the whole run       ${added('wall').toFixed(0)} ms\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runOnce(folder: string, argv: readonly string[]): RunTimes {
  const since = performance.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['.build/cli.mjs', ...argv, '--json', '--out', folder],
    { encoding: 'utf8' },
  );
  const wall = performance.now() - since;
  if (status !== 0) throw new Error(stderr);
  const { stages } = JSON.parse(stdout) as Manifest;
  const seconds = stages.filter(({ name }) => name.startsWith('sign-')).reduce((sum, stage) => sum + stage.seconds, 0);
  const compile = stages.find(({ name }) => name === 'compile')?.seconds ?? 0;
  return { wall: wall - compile * 1000, stages: seconds * 1000 };
}

function median(times: readonly RunTimes[], key: keyof RunTimes): number {
  return times.map((time) => time[key]).sort((a, b) => a - b)[times.length >> 1] as number;
}
