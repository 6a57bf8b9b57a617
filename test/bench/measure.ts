import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOnPath } from '../support/needs.ts';

/** What one run of a command took. */
export interface Measurement {
  /** Seconds. */
  readonly wall: number;
  /** Seconds, user and system, with its children. */
  readonly cpu: number;
  /** Peak of the largest process, MiB: VmHWM. */
  readonly memory: number;
}

/** Runs a command and returns what it took, as GNU time counts it. @throws Error when it fails */
export function measureOnce(argv: readonly string[]): Measurement {
  if (!findOnPath('time')) throw new Error('bench needs GNU time: sudo apt-get install -y time');
  const report = join(tmpdir(), `bench-${process.pid}.time`);
  const timed = ['-o', report, '-f', '%e %U %S %M', ...argv];
  const { status, stderr } = spawnSync('/usr/bin/time', timed, {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}: ${stderr.slice(-300)}`);
  const [wall = 0, user = 0, system = 0, kilobytes = 0] = readFileSync(report, 'utf8').trim().split(' ').map(Number);
  rmSync(report, { force: true });
  return { wall, cpu: user + system, memory: kilobytes / 1024 };
}

/** Returns the median of each figure. */
export function medianOf(results: readonly Measurement[]): Measurement {
  const median = (key: keyof Measurement) =>
    results.map((result) => result[key]).sort((a, b) => a - b)[results.length >> 1] as number;
  return { wall: median('wall'), cpu: median('cpu'), memory: median('memory') };
}
