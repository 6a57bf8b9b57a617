import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { placeCommandLine } from '../../support/cli.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'release-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('an interrupted run', () => {
  it('exits 130 and leaves no half-written file', async () => {
    const out = join(scratch, 'interrupted');
    const child = spawn(
      process.execPath,
      [
        '--import',
        resolve('test/support/signal-at-words.mjs'),
        '.build/cli.mjs',
        'release',
        '--rehearsal',
        '--out',
        out,
      ],
      {
        env: { ...process.env, NO_COLOR: '1', SIGNALS: 'SIGINT', SIGNALS_AT: '✓  1/10 compile' },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    child.stderr.resume();
    const status = await new Promise((done) => child.on('close', (code) => done(code)));
    expect(status).toBe(130);
    const left = readdirSync(join(out, '1.1.0'));
    expect(left.filter((name) => name !== 'release.json')).toEqual([]);
  });
});

describe('a wrong project', () => {
  it('is refused before any work, with exit 2', () => {
    const copy = join(scratch, 'wrong');
    mkdirSync(copy);
    cpSync('package.json', join(copy, 'package.json'));
    placeCommandLine(copy);
    writeFileSync(join(copy, 'release.config.json'), '{"product":{}}');
    const run = spawnSync(process.execPath, ['.build/cli.mjs', 'release'], { cwd: copy, encoding: 'utf8' });
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('product.title: missing');
    expect(run.stderr).toContain('next: Mend release.config.json');
    expect(existsSync(join(copy, 'out'))).toBe(false);
  });
});
