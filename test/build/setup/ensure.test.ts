import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findLlvmProgram } from '../../../src/toolchain/portable/llvm.ts';

const SETUP = join(process.cwd(), 'build/setup');
const NEEDED = ['dirname', 'uname', 'find', 'head', 'sed', 'git', 'node'];
let project: string;
let bin: string;

beforeEach(() => {
  const scratch = mkdtempSync(join(tmpdir(), 'setup-'));
  project = join(scratch, "it's a project");
  bin = join(scratch, 'bin');
  cpSync(SETUP, join(project, 'build/setup'), { recursive: true });
  mkdirSync(bin);
  for (const name of NEEDED) symlinkSync(found(name), join(bin, name));
  fake('npm', `echo "npm $*" >>'${scratch}/calls'`);
  fake('id', 'echo 1000');
});
afterEach(() => rmSync(join(project, '..'), { recursive: true, force: true }));

function found(name: string): string {
  const { stdout } = spawnSync('/bin/sh', ['-c', 'command -v "$0"', name], { encoding: 'utf8' });
  return stdout.trim();
}

function fake(name: string, body: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(bin, name), 0o755);
}

function start(path = bin) {
  return spawnSync('/bin/sh', [join(project, 'build/setup/run.sh'), 'release'], {
    encoding: 'utf8',
    env: { PATH: path },
    cwd: tmpdir(),
  });
}

describe('npm start on a machine without a compiler', () => {
  it.skipIf(process.platform === 'darwin')('stops before any work, and prints one command for each system', () => {
    const run = start();
    expect(run.status).toBe(2);
    expect(run.stderr).toBe(
      [
        'setup: missing: clang lld (LLVM 14 or later): packages cannot be installed here without asking.',
        '  Debian, Ubuntu: sudo apt-get install -y clang lld',
        '  macOS:          brew install llvm lld',
        'Then: npm start',
        '',
      ].join('\n'),
    );
    expect(() => readFileSync(join(project, '../calls'))).toThrow('ENOENT');
  });

  it.skipIf(process.platform === 'darwin')('says that apt failed where it may install and cannot', () => {
    fake('id', 'echo 0');
    fake('apt-get', 'echo "apt-get $*" >&2; exit 100');
    const run = start();
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(/^setup: installing through apt, about a minute: clang lld\napt-get update -qq\n/);
    expect(run.stderr).toContain('apt did not install it, its messages are above.\n  Debian, Ubuntu: sudo apt-get');
  });
});

describe.skipIf(process.platform === 'darwin')('npm start with an LLVM', () => {
  const version = (number: number) => `echo "Debian clang version ${number}.0.1"`;
  const isMissing = () => /missing:( clang)?( lld)? \(LLVM/.exec(start().stderr)?.[0] ?? '';

  it('that is too old stops, and names what is missing', () => {
    fake('clang', version(13));
    fake('ld64.lld', 'echo "LLD 13.0.1 (compatible with GNU linkers)"');
    expect(isMissing()).toBe('missing: clang lld (LLVM');
    fake('clang', version(14));
    expect(isMissing()).toBe('missing: lld (LLVM');
  });

  it('that is too old under the plain name takes a newer one, and the linker by its versioned name alone', () => {
    fake('clang', version(13));
    fake('clang-19', version(19));
    fake('ld64.lld-19', 'echo "LLD 19.1.0"');
    expect(isMissing()).toBe('');
    expect(findLlvmProgram('clang', bin)).toBe('clang-19');
    expect(findLlvmProgram('ld64.lld', bin)).toBe('ld64.lld-19');
  });
});

describe('npm start without what Node brings', () => {
  it.each([
    [
      'Node.js',
      'node',
      undefined,
      /^setup: Node\.js is missing\.\n {2}Debian.*\n {2}macOS: +brew install node\nThen: npm start\n$/,
    ],
    [
      'npm',
      'npm',
      undefined,
      /^setup: npm is missing;.*\n.*sudo apt-get install -y npm\n.*brew install node\nThen: npm start\n$/,
    ],
    [
      'a Node.js that is new enough',
      'node',
      '[ "$1" = --version ] && echo v18.1.0 && exit; exit 1',
      /^setup: Node\.js v18\.1\.0 is too old: 20\.19 or later is needed\.\n {2}Debian.*\n {2}macOS: +brew upgrade node\nThen: npm start\n$/,
    ],
  ])('%s stops and says how to get it', (_, name, instead, message) => {
    rmSync(join(bin, name));
    if (instead !== undefined) fake(name, instead);
    const run = start(bin.split(delimiter)[0]);
    expect(run.stderr).toMatch(message);
    expect(run.status).toBe(2);
  });
});

describe('modules-match', () => {
  const match = () => spawnSync(process.execPath, [join(SETUP, 'modules-match.mjs'), project]).status;
  const write = (path: string, value: object) => {
    mkdirSync(join(project, path, '..'), { recursive: true });
    writeFileSync(join(project, path), JSON.stringify(value));
  };
  beforeEach(() => {
    write('package-lock.json', { packages: { '': {}, 'node_modules/a': { version: '1.0.0' } } });
    write('node_modules/a/package.json', { version: '1.0.0' });
    write('node_modules/.package-lock.json', {});
  });

  it('accepts what npm ci finished', () => expect(match()).toBe(0));

  it('refuses an installation that was broken off', () => {
    rmSync(join(project, 'node_modules/.package-lock.json'));
    expect(match()).toBe(1);
  });

  it('refuses a missing package and another version', () => {
    write('node_modules/a/package.json', { version: '1.0.1' });
    expect(match()).toBe(1);
    rmSync(join(project, 'node_modules/a'), { recursive: true });
    expect(match()).toBe(1);
  });
});

describe('commands that take no arguments', () => {
  it.each(['check', 'mutations', 'nightly'])('npm run %s begins nothing when it is given one', (name) => {
    const script = join(project, `build/setup/${name}.sh`);
    const run = spawnSync('/bin/sh', [script, '--help', 'x'], { encoding: 'utf8', env: { PATH: bin }, cwd: tmpdir() });
    expect(run.stderr).toBe(`setup: npm run ${name} takes no arguments; it was given: --help x\n`);
    expect(run.status).toBe(2);
  });
});
