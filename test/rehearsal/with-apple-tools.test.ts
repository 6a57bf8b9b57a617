import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EXTRA_PACKAGES } from '../../build/plan/plan.ts';
import { type AppleMachine, makeAppleMachine } from '../support/apple-tools/apple-machine.ts';
import { inProcess } from '../support/in-process.ts';

const PACKAGES = 1 + EXTRA_PACKAGES.length;
let machine: AppleMachine;
let root: string;
beforeAll(async () => {
  machine = await makeAppleMachine();
  root = mkdtempSync(join(tmpdir(), 'apple-rehearsal-'));
  for (const name of ['package.json', 'package-lock.json', 'payload', 'scripts', 'LICENSE', 'release.config.json'])
    symlinkSync(join(process.cwd(), name), join(root, name));
  cpSync('.rehearsal/authority', join(root, '.rehearsal/authority'), { recursive: true });
});
afterAll(() => {
  machine?.dispose();
  rmSync(root, { recursive: true, force: true });
});

it('rehearses without credentials: Apple’s tools compile and build, ours sign, for nobody but us', async () => {
  const run = await inProcess(['release', '--toolchain', 'apple', '--out', 'out', '--json'], {
    cwd: root,
    // The stand-ins are found first.
    env: { PATH: process.env.PATH, SOURCE_DATE_EPOCH: '1700000000' },
  });
  expect(run.status, run.stderr).toBe(0);
  const manifest = JSON.parse(run.stdout);
  expect(manifest).toMatchObject({ mode: 'rehearsal', toolchain: 'apple', submission: { status: 'Accepted' } });
  expect(JSON.parse(readFileSync(join(root, 'out', manifest.version, 'release.json'), 'utf8'))).toEqual(manifest);
  const calls = machine.calls();
  const count = (tool: string, command: string) =>
    calls.filter((call) => call[0] === tool && call[1] === command).length;
  expect([count('pkgbuild', '--quiet'), count('codesign', '--force'), count('stapler', 'staple')]).toEqual([
    PACKAGES,
    0,
    0,
  ]);
  expect(calls.some((call) => call[0] === 'xcrun' && call.includes('clang'))).toBe(true);
  expect(calls.some(([tool]) => tool === 'notarytool')).toBe(false);
});
