import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { byDay, ofTheDay } from '../support/by-day.ts';
import { placeCommandLine } from '../support/cli.ts';
import { inProcess } from '../support/in-process.ts';
import { quickCompiler } from '../support/quick-compiler.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'interrupt-'));
  for (const part of ['payload', 'scripts', 'package.json', 'package-lock.json', 'release.config.json', 'CHANGELOG.md'])
    cpSync(part, join(root, part), { recursive: true });
  placeCommandLine(root);
  cpSync('.rehearsal/authority', join(root, '.rehearsal/authority'), { recursive: true });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Runs until it prints `words`, when it is interrupted with several signals at once; returns how it ended and what it said. */
function interruptAt(
  words: string,
  signals: readonly NodeJS.Signals[],
  argv: readonly string[],
): Promise<{ status: number | null; stderr: string }> {
  const child = spawn(
    process.execPath,
    ['--import', resolve('test/support/signal-at-words.mjs'), '.build/cli.mjs', ...argv],
    {
      cwd: root,
      env: { ...process.env, PATH: quickCompiler(), NO_COLOR: '1', SIGNALS: signals.join(), SIGNALS_AT: words },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let stderr = '';
  child.stderr.on('data', (part) => (stderr += part));
  return new Promise((done) => child.on('close', (status) => done({ status, stderr })));
}

/** Where it is interrupted: before anything is submitted, or with a submission that must not be made again. */
const PLACES = [
  'This is a rehearsal',
  '✓  3/10',
  '✓  6/10',
  'uploading',
  'waiting for the notary',
  '✓  7/10',
  '✓  8/10',
  '✓  9/10',
];
const isBefore = (words: string) => /^This|[36]\//.test(words);
const TODAY = byDay(PLACES, 0, (words) => String(isBefore(words)));

describe(`a release that is interrupted${ofTheDay}`, () => {
  it.each(TODAY)('at %j ends with the command that goes on, and it does', async (words) => {
    rmSync(join(root, 'out'), { recursive: true, force: true });
    // Who is impatient presses it twice, and gets the last line all the same; two of one kind would be one.
    const signals = isBefore(words) ? (['SIGINT', 'SIGTERM'] as const) : (['SIGINT'] as const);
    const { status, stderr } = await interruptAt(words, signals, ['release', '--rehearsal', '--out', 'out']);
    expect(status, stderr).toBe(130);
    const last = stderr.trimEnd().split('\n').at(-1) as string;
    expect(last).toBe('To go on: npm start -- --rehearsal --out out --resume');
    const typed = last.replace('To go on: npm start -- ', '').split(' ');
    const again = await inProcess(['release', ...typed], { cwd: root });
    expect(again.status, again.stderr).toBe(0);
    expect(existsSync(join(root, 'out/1.1.0/SHA256SUMS'))).toBe(true);
  });
});

describe('a wait that is over', () => {
  it('ends with the command that goes on waiting', async () => {
    const argv = ['release', '--rehearsal', '--out', 'wait', '--submit-only'];
    const run = await inProcess(argv, { cwd: root });
    expect([run.status, run.stdout.trimEnd().split('\n').at(-1)]).toEqual([
      0,
      '  npm start -- --rehearsal --out wait --resume',
    ]);
    const twice = await inProcess(argv, { cwd: root });
    expect(twice.status).toBe(2);
    expect(twice.stderr).toMatch(/another run would submit a second time\nnext: .*--replace\n.*--resume\n$/);
  });
});
