import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { simulatedMacNeeds } from '../mac/simulated/simulated-mac.ts';
import { builtPackage } from '../support/built-package.ts';
import { needs } from '../support/needs.ts';
import { authoritiesIn } from './replay.ts';

const tools = needs('jq', 'bsdtar');
const missing = simulatedMacNeeds.missing || tools.missing;
const note = simulatedMacNeeds.note || tools.note;

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'mac-runner-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const RELEASE = ['--release', 'REHEARSAL0', '--image', 'macos-26'];
const AD_HOC = ['--ad-hoc', '--image', 'macos-26'];

function smoke(fault: string, argv: readonly string[] = RELEASE, package_ = builtPackage()) {
  const env = {
    PATH: `${resolve('test/github/fake-mac')}:${process.env.PATH}`,
    RUNNER_TEMP: scratch,
    GITHUB_OUTPUT: join(scratch, 'output'),
    SMOKE_FAULT: fault,
    FAKE_AUTHORITIES: authoritiesIn('.rehearsal'),
  };
  return spawnSync('bash', ['test/mac-runner/smoke.sh', ...argv, package_], { encoding: 'utf8', env });
}
const verdict = () => {
  const [name, ...value] = readFileSync(join(scratch, 'output'), 'utf8').trimEnd().split('=');
  return { name, ...JSON.parse(value.join('=')) };
};

describe.skipIf(missing)(`smoke.sh with the real package on a simulated Mac${note}`, () => {
  it('passes although a runner has neither a profile nor FileVault, and tells what it tried', () => {
    const { status, stdout, stderr } = smoke('');
    expect(status, stdout + stderr).toBe(0);
    expect(stdout).toContain('"state":"attention"');
    expect(verdict()).toMatchObject({
      name: 'macos-26',
      schema: 1,
      image: 'macos-26',
      macOS: { version: '26.5', build: '25F71' },
      package: { name: basename(builtPackage()), sha256: expect.stringMatching(/^[0-9a-f]{64}$/), team: 'REHEARSAL0' },
      tried: expect.arrayContaining(['gatekeeper', 'ticket', 'install', 'load-arm64', 'load-x86_64', 'uninstall']),
      skipped: [],
      verdict: 'pass',
    });
  });

  it.each(['*.pkg', 'one.pkg\nother.pkg', 'one.pkg,other.pkg', 'one.pkg '])('tries no file called %j', (name) => {
    copyFileSync(builtPackage(), join(scratch, name));
    const { status, stderr } = smoke('', RELEASE, join(scratch, name));
    expect([status, stderr]).toEqual([2, expect.stringContaining('the path of a package has letters')]);
  });

  it.each([
    ['gatekeeper-off', 'Gatekeeper is off on this runner'],
    ['team-of-package', 'the package is not signed by team REHEARSAL0'],
    ['team-of-code', 'the code is not signed by team REHEARSAL0'],
    ['installer', 'FAILED: installer'],
    ['codesign', 'codesign refuses the bundle'],
    ['owner', 'not root:wheel'],
    ['twice', 'the mechanism is not there exactly once'],
    ['changed', 'system.login.console is not what it was'],
    ['unsigned', 'codesign refuses the bundle'],
    ['status-unsigned', 'status.sh finds it broken: exit 2'],
    ['forced', 'status.sh: request: '],
    ['thin-x86_64', 'no slice for x86_64'],
    ['dyld-arm64', 'dyld would refuse the slice for arm64'],
  ])('fails for %s, and gives no verdict', (fault, words) => {
    const { status, stdout, stderr } = smoke(fault);
    expect(status, stdout + stderr).toBe(1);
    expect(stderr).toContain(words);
    expect(verdict).toThrow('ENOENT');
  });

  it.each([
    ['no-rosetta', { id: 'load-x86_64', reason: 'Rosetta 2 is not installed' }],
    ['no-dyld_info', { id: 'dyld-arm64', reason: 'this Xcode has no dyld_info' }],
  ])('passes with %s, and says what was not tried', (fault, skipped) => {
    const { status, stderr } = smoke(fault);
    expect(status, stderr).toBe(0);
    expect(verdict().skipped).toContainEqual(skipped);
    expect(verdict().tried).not.toContain(skipped.id);
  });

  it('leaves Gatekeeper out for a development build', () => {
    expect(smoke('gatekeeper-off', AD_HOC).status).toBe(0);
    expect(verdict().tried).not.toContain('gatekeeper');
  });

  it.each([[['--other']], [['--release', 'team', '--image', 'macos-26']], [['--ad-hoc']], [[...AD_HOC, 'more']]])(
    'names its use for %j',
    (argv) => expect(smoke('', argv).status).toBe(2),
  );
});
