import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtPackage } from '../support/built-package.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'mac-runner-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

function smoke(fault: string, mode = '--release') {
  const package_ = builtPackage();
  const env = {
    PATH: `${resolve('test/github/fake-mac')}:${process.env.PATH}`,
    RUNNER_TEMP: scratch,
    SMOKE_FAULT: fault,
  };
  return spawnSync('bash', ['test/mac-runner/smoke.sh', mode, package_], { encoding: 'utf8', env });
}

describe('smoke.sh against stand-ins', () => {
  it('passes when all is well', () => {
    const { status, stdout, stderr } = smoke('');
    expect(status, stderr).toBe(0);
    expect(stdout).toContain('smoke: all well');
  });

  it.each([
    ['gatekeeper-off', 'Gatekeeper is off on this runner'],
    ['installer', 'FAILED: installer'],
    ['codesign', 'codesign refuses the bundle'],
    ['owner', 'not root:wheel'],
    ['twice', 'the mechanism is not there exactly once'],
    ['changed', 'system.login.console is not what it was'],
  ])('fails for %s', (fault, words) => {
    const { status, stderr } = smoke(fault);
    expect(status).toBe(1);
    expect(stderr).toContain(words);
  });

  it('leaves Gatekeeper out for a development build', () => {
    expect(smoke('gatekeeper-off', '--ad-hoc').status).toBe(0);
  });

  it('names its use', () => expect(smoke('', '--other').status).toBe(2));
});
