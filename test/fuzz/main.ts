// npm run fuzz [-- READER ...] [--seconds N] [--seed N]: N seconds of processor time a reader. Changes honest inputs at random, and sees that every reader says so in its own words.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { READERS } from './outcome.ts';
import type { Reader } from './reader.ts';
import { fuzz, nameOf, type Progress } from './rounds.ts';

/** Where the thread leaves the input it is about to read: its length, then its bytes. */
const ROOM = 256 * 1024;
/** Processor time without an answer after which a reader has hung, seconds; wall time would blame a busy machine. */
const HANG_SECONDS = 30;
const LOOK_MS = 2_000;
/** Heap of V8 for a reader of inputs of 128 KiB, MiB. */
const HEAP_MIB = 512;
const RESIDENT_MIB = 1024;

interface Job {
  readonly reader: string;
  readonly seconds: number;
  readonly seed: number;
  readonly shared: SharedArrayBuffer;
}

if (isMainThread) process.exitCode = await main(process.argv.slice(2));
else await work(workerData as Job);

async function work({ reader, seconds, seed, shared }: Job): Promise<void> {
  const length = new Int32Array(shared, 0, 2);
  const room = Buffer.from(shared, 8);
  const until = processorSeconds() + seconds;
  await fuzz(READERS.find(({ name }) => name === reader) as Reader, seed, {
    goOn: () => processorSeconds() < until,
    tell: (progress) => parentPort?.postMessage(progress),
    before(data) {
      data.copy(room);
      Atomics.store(length, 0, data.length);
      Atomics.add(length, 1, 1);
    },
  });
  process.exit(0);
}

async function main(argv: string[]): Promise<number> {
  const option = (name: string, usual: number) => {
    const at = argv.indexOf(name);
    return at < 0 ? usual : Number(argv.splice(at, 2)[1]);
  };
  const seconds = option('--seconds', 20);
  const seed = option('--seed', Date.now() & 0x7fffffff);
  const unknown = argv.filter((name) => !READERS.some((reader) => reader.name === name));
  if (unknown.length > 0 || !(seconds > 0)) {
    process.stderr.write(`usage: npm run fuzz [-- READER ...] [--seconds N] [--seed N]; readers: ${names(READERS)}\n`);
    return 2;
  }
  let faults = 0;
  let executions = 0;
  process.stdout.write(`seed ${seed}\n${'reader'.padEnd(24)} executions  endings\n`);
  for (const reader of READERS.filter(({ name }) => argv.length === 0 || argv.includes(name))) {
    const progress = await fuzzApart({ reader: reader.name, seconds, seed, shared: new SharedArrayBuffer(ROOM) });
    const { fault } = progress;
    executions += progress.executions;
    const counts = `${String(progress.executions).padStart(10)}  ${String(progress.endings).padStart(7)}`;
    process.stdout.write(`${reader.name.padEnd(24)} ${counts}\n`);
    if (!fault) continue;
    faults++;
    process.stdout.write(`  ${keep(reader.name, Buffer.from(fault.data))}: ${fault.words}\n`);
  }
  process.stdout.write(`${executions} executions, ${faults} faults\n`);
  return faults > 0 ? 1 : 0;
}

/** Fuzzes in a thread of its own, which is ended when it hangs or takes too much memory. */
function fuzzApart(job: Job): Promise<Progress> {
  return new Promise((resolve) => {
    let last: Progress = { executions: 0, endings: 0, fault: undefined };
    let seen = -1;
    let since = 0;
    const counter = new Int32Array(job.shared, 0, 2);
    const worker = new Worker(new URL(import.meta.url), {
      workerData: job,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    });
    const end = (words?: string) => {
      clearInterval(watch);
      void worker.terminate();
      const data = Buffer.from(job.shared, 8, counter[0]);
      resolve(words === undefined ? last : { ...last, fault: { data: Buffer.from(data), words } });
    };
    const watch = setInterval(() => {
      const now = processorSeconds();
      if (counter[1] === seen && now - since > HANG_SECONDS) return end(`no answer within ${HANG_SECONDS} s`);
      if (counter[1] !== seen) since = now;
      seen = counter[1] as number;
    }, LOOK_MS);
    worker.on('message', (progress: Progress) => {
      last = progress;
      const resident = process.memoryUsage().rss / 2 ** 20;
      if (resident > RESIDENT_MIB) end(`${resident.toFixed(0)} MiB resident`);
    });
    worker.on('error', (error) => end(String(error)));
    worker.on('exit', () => end());
  });
}

/** Processor time of this process, all threads. */
function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function keep(reader: string, data: Buffer): string {
  const folder = join('.build/faults', reader);
  const path = join(folder, nameOf(data));
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, data);
  return path;
}

function names(readers: readonly Reader[]): string {
  return readers.map(({ name }) => name).join(', ');
}
