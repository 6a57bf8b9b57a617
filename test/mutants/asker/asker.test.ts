import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSync } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import type { Ask } from '../question.ts';
import { openAsker } from './asker.ts';

const folder = mkdtempSync(join(tmpdir(), 'asker-'));
afterAll(() => rmSync(folder, { recursive: true }));

const [SPINS, HANGS, DIES, ANSWERS] = [1, 2, 3, 4];
// Stands for run-tests.ts; the number of a test that ran is here the number of a process.
const program = join(folder, 'program.mjs');
writeFileSync(
  program,
  `import { spawn, spawnSync } from 'node:child_process';
const spin = ['-c', 'while :; do sleep 1; done'];
process.on('message', ({ on }) => {
  if (on === ${HANGS}) spawnSync('/bin/sh', spin);
  const by = [process.pid, ...(on === ${SPINS} ? [spawn('/bin/sh', spin).pid] : [])];
  process.send({ ran: [{ file: '', name: '', seconds: 0, failed: false, by }], atLoad: [] });
  if (on === ${DIES}) process.exit();
});
`,
);
const question = (on: number): Ask => ({ files: [], on, record: false });
const MINUTE = 60_000;

/** Waits until processes run no more; one that nobody has collected yet is dead too. */
async function gone(pids: readonly number[]): Promise<void> {
  const runs = () => {
    const states = execFileSync('ps', ['-A', '-o', 'pid=,stat=']).toString().split('\n');
    return states.some((line) => {
      const [pid, state] = line.trim().split(/\s+/);
      return pids.includes(Number(pid)) && !state?.startsWith('Z');
    });
  };
  while (runs()) await sleep(20);
}

const pidsOf = (outcome: object): readonly number[] =>
  'ran' in outcome ? (outcome as { ran: { by: number[] }[] }).ran.flatMap(({ by }) => by) : [];

describe('an asker', () => {
  it('ends what a test started together with tests that hang', async () => {
    const asker = openAsker(folder, program, folder);
    const pids = pidsOf(await asker.ask(question(SPINS!), MINUTE));
    expect(pids).toHaveLength(2);
    expect(await asker.ask(question(HANGS!), 1)).toEqual({ ended: 'the tests hang' });
    await gone(pids);
    asker.end();
  });

  it('ends what a test started when it is told to', async () => {
    const asker = openAsker(folder, program, folder);
    const pids = pidsOf(await asker.ask(question(SPINS!), MINUTE));
    asker.end();
    await gone(pids);
  });

  it('leaves nothing running when the process that asks is killed', async () => {
    const { outputFiles } = buildSync({
      entryPoints: ['test/mutants/asker/asker.ts'],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
    });
    const driver = join(folder, 'driver.mjs');
    const words = [folder, program, folder].map((word) => JSON.stringify(word)).join();
    writeFileSync(
      driver,
      `${outputFiles[0]!.text}
const { ran } = await openAsker(${words}).ask(${JSON.stringify(question(SPINS!))}, ${MINUTE});
process.stdout.write(JSON.stringify(ran[0].by));
`,
    );
    const asks = spawn(process.execPath, [driver], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pids = JSON.parse(String(await new Promise((told) => asks.stdout.once('data', told))));
    expect(pids).toHaveLength(2);
    asks.kill('SIGKILL');
    await gone(pids);
  });

  it('asks in a new process when the one before has died since it answered', async () => {
    const asker = openAsker(folder, program, folder);
    const before = pidsOf(await asker.ask(question(DIES!), MINUTE));
    await gone(before);
    // The end of the channel is heard a turn later.
    await sleep(0);
    const after = pidsOf(await asker.ask(question(ANSWERS!), MINUTE));
    asker.end();
    expect(after).toHaveLength(1);
    expect(after).not.toEqual(before);
  });
});
