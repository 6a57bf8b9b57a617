import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from '../../support/cli.ts';
import { sha256 } from '../../support/file-digest.ts';
import { inProcess } from '../../support/in-process.ts';
import { needs } from '../../support/needs.ts';
import { quickCompiler } from '../../support/quick-compiler.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'release-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('npm start', () => {
  it('puts data on standard output and the story on standard error', () => {
    const run = cli(['build', '--json', '--out', join(scratch, 'json')]);
    expect(run.status).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ schema: 1, version: '1.1.0', toolchain: 'portable' });
    expect(run.stderr).toMatch(/✓ +1\/\d+ compile .*✓ +5\/\d+ build-package /s);
    expect(run.stderr).not.toContain('\x1b');
  });

  const npm = needs('npm');
  it.skipIf(npm.missing)(`prints JSON only through npm, whose own banner --silent leaves out${npm.note}`, () => {
    const words = ['--', '--json', '--rehearsal', '--until', 'compile', '--out', join(scratch, 'npm')];
    for (const quiet of [['--silent'], []]) {
      const env = { ...process.env, PATH: quickCompiler() };
      const { status, stdout, stderr } = spawnSync('npm', ['start', ...quiet, ...words], { encoding: 'utf8', env });
      expect(status, stderr).toBe(0);
      const banner = quiet.length > 0 ? '' : (/^\n> .*\n> .*\n\n/.exec(stdout)?.[0] ?? 'no banner');
      expect(JSON.parse(stdout.slice(banner.length))).toMatchObject({ schema: 1, mode: 'rehearsal' });
    }
  });

  it('ends with what was made and what to do next', async () => {
    const run = await inProcess(['build', '--out', join(scratch, 'summary')]);
    expect(run.stdout).toMatch(/Made .*Escrow\.Buddy-1\.1\.0\.pkg\n {2}package +com\.netflix\.Escrow-Buddy\n/);
    expect(run.stdout).toContain(`sha256     ${sha256(join(scratch, 'summary/1.1.0/Escrow.Buddy-1.1.0.pkg'))}`);
    expect(run.stdout).toMatch(/\nNext:\n {2}npm run -s cli -- inspect .*\n$/);
  });
});
