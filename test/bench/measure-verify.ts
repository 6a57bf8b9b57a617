import { spawnSync } from 'node:child_process';

/** What a run of `verify` cost. */
export interface Cost {
  /** Of the processor, user and system, all threads. */
  readonly seconds: number;
  readonly peakMib: number;
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const TELL =
  "process.on('exit',()=>{const r=process.resourceUsage();process.stderr.write('COST '+r.maxRSS+' '+(r.userCPUTime+r.systemCPUTime)+'\\n')})";

/** Seconds of the processor, far beyond the promise: whoever takes so many is ended, and fails. */
const PATIENCE = 60;
/** A shell between: what a process had in memory before it became another counts for its peak on Linux. */
const BETWEEN = ['-c', `ulimit -t ${PATIENCE}; "$@"; exit $?`, 'sh'];

/** Runs the command line as people do, and returns what the whole process cost; NaN when it had to be ended. */
export function measureVerify(path: string, ...options: string[]): Cost {
  const argv = [
    '--import',
    `data:text/javascript,${encodeURIComponent(TELL)}`,
    '.build/cli.mjs',
    'verify',
    path,
    '--json',
    ...options,
  ];
  const { status, stdout, stderr } = spawnSync('sh', [...BETWEEN, process.execPath, ...argv], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const [, memory = 'NaN', time = 'NaN'] = /COST (\d+) (\d+)/.exec(stderr) ?? [];
  return { status, stdout, stderr, seconds: Number(time) / 1e6, peakMib: Number(memory) / 1024 };
}
