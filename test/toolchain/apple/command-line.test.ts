import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AppleMachine, makeAppleMachine } from '../../support/apple-tools/apple-machine.ts';
import { cli } from '../../support/cli.ts';

let machine: AppleMachine;
let work: string;

beforeAll(async () => {
  machine = await makeAppleMachine();
  work = mkdtempSync(join(tmpdir(), 'command-line-'));
});
afterAll(() => {
  machine?.dispose();
  rmSync(work, { recursive: true, force: true });
});

describe('the command line on a machine with Apple’s tools', () => {
  it('takes them by itself, and doctor shows it', () => {
    const run = cli(['doctor', '--json']);
    const { checks } = JSON.parse(run.stdout) as { checks: { id: string; reason: string }[] };
    const toolchain = checks.find(({ id }) => id === 'toolchain');
    expect(toolchain).toMatchObject({
      status: 'pass',
      reason: expect.stringMatching(/^apple: clang [\d.]+, macOS SDK 26\.0$/),
    });
  });

  it('builds a package with them', () => {
    const run = cli(['build', '--toolchain', 'apple', '--json', '--out', work]);
    expect(run.stderr).not.toContain('rror');
    expect(JSON.parse(run.stdout)).toMatchObject({ toolchain: 'apple', tools: { 'macOS SDK': '26.0' } });
    expect(machine.calls().some((call) => call.includes('clang'))).toBe(true);
  });

  it('without them refuses --toolchain apple, with the next step', () => {
    const run = cli(['build', '--toolchain', 'apple', '--out', work], {
      env: { PATH: work, SOURCE_DATE_EPOCH: '1700000000' },
    });
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('the apple toolchain needs xcrun and pkgbuild on PATH');
    expect(run.stderr).toContain('--toolchain portable');
  });
});
