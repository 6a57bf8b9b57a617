import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
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
  /** Peak of the largest process, MiB. */
  readonly memory: number;
}

/** Runs a command `runs` times and returns the median of each figure, as GNU time counts them. */
export function measure(argv: readonly string[], runs: number, options: SpawnSyncOptions = {}): Measurement {
  const report = join(tmpdir(), `bench-${process.pid}.time`);
  const results: Measurement[] = [];
  for (let run = 0; run < runs; run++) {
    const timed = findOnPath('time') ? ['/usr/bin/time', '-o', report, '-f', '%e %U %S %M'] : undefined;
    if (!timed) throw new Error('bench needs GNU time: sudo apt-get install -y time');
    const [program, ...rest] = [...timed, ...argv] as [string, ...string[]];
    const result = spawnSync(program, rest, { stdio: ['ignore', 'ignore', 'inherit'], ...options });
    if (result.status !== 0) throw new Error(`${argv.join(' ')} ended with ${result.status}`);
    const [wall, user, system, kilobytes] = readFileSync(report, 'utf8').trim().split(' ').map(Number) as [
      number,
      number,
      number,
      number,
    ];
    results.push({ wall, cpu: user + system, memory: kilobytes / 1024 });
  }
  rmSync(report, { force: true });
  const median = (key: keyof Measurement) =>
    results.map((result) => result[key]).sort((a, b) => a - b)[Math.floor(runs / 2)] as number;
  return { wall: median('wall'), cpu: median('cpu'), memory: median('memory') };
}

/** Prints measurements as a table, with the ratio of wall times to the first. */
export function printTable(rows: readonly (readonly [string, Measurement])[]): void {
  const first = (rows[0] as readonly [string, Measurement])[1];
  process.stdout.write(
    `${'command'.padEnd(44)} ${'wall'.padStart(8)} ${'cpu'.padStart(8)} ${'peak'.padStart(9)}  wall ratio\n`,
  );
  for (const [name, { wall, cpu, memory }] of rows) {
    const ratio = wall / first.wall;
    process.stdout.write(
      `${name.padEnd(44)} ${`${wall.toFixed(2)} s`.padStart(8)} ${`${cpu.toFixed(2)} s`.padStart(8)} ${`${memory.toFixed(0)} MiB`.padStart(9)}  ${ratio.toFixed(2)}\n`,
    );
  }
}
