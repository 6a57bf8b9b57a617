import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { simulatedMacNeeds } from '../mac/simulated/simulated-mac.ts';
import { builtPackage } from '../support/built-package.ts';
import { needs } from '../support/needs.ts';
import { authoritiesIn } from './replay.ts';

const tools = needs('jq', 'bsdtar');
const missing = simulatedMacNeeds.missing || tools.missing;
const note = simulatedMacNeeds.note || tools.note;

const folders: string[] = [];
const scratchFolder = () => {
  folders.push(mkdtempSync(join(tmpdir(), 'mac-runner-')));
  return folders.at(-1) as string;
};
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const RELEASE = ['--release', 'REHEARSAL0', '--image', 'macos-26'];
const AD_HOC = ['--ad-hoc', '--image', 'macos-26'];

/** Runs it on a Mac of its own; returns what it printed and the file of its outputs as well. */
async function smoke(fault: string, argv: readonly string[] = RELEASE, package_ = builtPackage()) {
  const scratch = scratchFolder();
  const output = join(scratch, 'output');
  const env = {
    PATH: `${resolve('test/github/fake-mac')}:${process.env.PATH}`,
    RUNNER_TEMP: scratch,
    GITHUB_OUTPUT: output,
    SMOKE_FAULT: fault,
    FAKE_AUTHORITIES: authoritiesIn('.rehearsal'),
  };
  const run = spawn('bash', ['test/mac-runner/smoke.sh', ...argv, package_], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [status]] = await Promise.all([text(run.stdout), text(run.stderr), once(run, 'close')]);
  return { status, stdout, stderr, output };
}
const verdict = (output: string) => {
  const [name, ...value] = readFileSync(output, 'utf8').trimEnd().split('=');
  return { name, ...JSON.parse(value.join('=')) };
};

// Several at once, each on a Mac of its own.
describe.skipIf(missing).concurrent(`smoke.sh with the real package on a simulated Mac${note}`, () => {
  it('passes although a runner has neither a profile nor FileVault, and tells what it tried', async () => {
    const { status, stdout, stderr, output } = await smoke('');
    expect(status, stdout + stderr).toBe(0);
    expect(stdout).toContain('"state":"attention"');
    expect(verdict(output)).toMatchObject({
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

  it.each(['*.pkg', 'one.pkg\nother.pkg', 'one.pkg,other.pkg', 'one.pkg '])('tries no file called %j', async (name) => {
    const package_ = join(scratchFolder(), name);
    copyFileSync(builtPackage(), package_);
    const { status, stderr } = await smoke('', RELEASE, package_);
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
  ])('fails for %s, and gives no verdict', async (fault, words) => {
    const { status, stdout, stderr, output } = await smoke(fault);
    expect(status, stdout + stderr).toBe(1);
    expect(stderr).toContain(words);
    expect(() => verdict(output)).toThrow('ENOENT');
  });

  it.each([
    ['no-rosetta', { id: 'load-x86_64', reason: 'Rosetta 2 is not installed' }],
    ['no-dyld_info', { id: 'dyld-arm64', reason: 'this Xcode has no dyld_info' }],
  ])('passes with %s, and says what was not tried', async (fault, skipped) => {
    const { status, stderr, output } = await smoke(fault);
    expect(status, stderr).toBe(0);
    expect(verdict(output).skipped).toContainEqual(skipped);
    expect(verdict(output).tried).not.toContain(skipped.id);
  });

  it('leaves Gatekeeper out for a development build', async () => {
    const { status, output } = await smoke('gatekeeper-off', AD_HOC);
    expect(status).toBe(0);
    expect(verdict(output).tried).not.toContain('gatekeeper');
  });

  it.each([[['--other']], [['--release', 'team', '--image', 'macos-26']], [['--ad-hoc']], [[...AD_HOC, 'more']]])(
    'names its use for %j',
    async (argv) => expect((await smoke('', argv)).status).toBe(2),
  );
});
