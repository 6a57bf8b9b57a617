import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const RUNS = 9;

/** Builds the plug-in's package and says what everything but the compiler adds to Node's own start. */
export async function benchPlugin(): Promise<void> {
  const out = mkdtempSync(join(tmpdir(), 'bench-plugin-'));
  try {
    const bare: number[] = [];
    const whole: number[] = [];
    const compiler: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      bare.push(secondsOf(['-e', '0']).seconds);
      const { seconds, stdout } = secondsOf(['.build/cli.mjs', 'build', '--json', '--out', out]);
      const stages = JSON.parse(stdout).stages as { name: string; seconds: number }[];
      whole.push(seconds);
      compiler.push(stages.find((stage) => stage.name === 'compile')?.seconds ?? 0);
    }
    const own = whole.map((seconds, run) => seconds - (compiler[run] as number) - (bare[run] as number));
    const rows: [string, number][] = [
      ['node -e 0', median(bare)],
      ['npm run -s cli -- build, whole', median(whole)],
      ['  compile stage (clang and linker)', median(compiler)],
      ['  everything else, beyond node -e 0', median(own)],
    ];
    for (const [name, seconds] of rows)
      process.stdout.write(`${name.padEnd(44)} ${(seconds * 1000).toFixed(0).padStart(6)} ms\n`);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function secondsOf(argv: readonly string[]): { seconds: number; stdout: string } {
  const since = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`node ${argv.join(' ')} ended with ${status}: ${stderr}`);
  return { seconds: (performance.now() - since) / 1000, stdout };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
