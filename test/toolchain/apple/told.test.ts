import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InterruptedError } from '../../../src/base/errors.ts';
import { openRehearsalAuthority, REHEARSAL_FOLDER } from '../../../src/rehearsal/authority.ts';
import { runPkgbuild } from '../../../src/toolchain/apple/pkgbuild.ts';
import { runProductbuild } from '../../../src/toolchain/apple/productbuild.ts';
import { type AppleToolOptions, runAppleTool } from '../../../src/toolchain/apple/run-apple-tool.ts';
import { assessPackage } from '../../../src/toolchain/apple/spctl.ts';
import { appleStapler } from '../../../src/toolchain/apple/stapler.ts';
import type { AppleTool } from '../../../src/toolchain/apple/tool-error.ts';
import { appleVerifier } from '../../../src/toolchain/apple/verifier.ts';
import { builtPackage } from '../../support/built-package.ts';
import { directory, file } from '../../support/payload.ts';

/** Programs of a few words stand for Apple's: what one says and how it ends is all that the code under test hears. */
const scratch = mkdtempSync(join(tmpdir(), 'told-'));
const before = process.env.PATH;
let bin: string;
beforeEach(() => {
  bin = mkdtempSync(join(scratch, 'bin-'));
  process.env.PATH = `${bin}${delimiter}${before}`;
  play('xcrun', 'shift 2; exec "$@"');
});
afterEach(() => {
  process.env.PATH = before;
});
afterAll(() => rmSync(scratch, { recursive: true }));

function play(tool: string, script: string): void {
  writeFileSync(join(bin, tool), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, tool), 0o755);
}
const says = (words: string, exitCode = 0, stream = 1) => `printf '%s\\n' '${words}' >&${stream}; exit ${exitCode}`;

describe('one of Apple’s tools', () => {
  it.each<[AppleTool, boolean]>([
    ['clang', true],
    ['ld', true],
    ['lipo', true],
    ['notarytool', true],
    ['stapler', true],
    ['codesign', false],
    ['pkgbuild', false],
    ['productbuild', false],
    ['productsign', false],
    ['pkgutil', false],
    ['spctl', false],
    ['security', false],
  ])('%s is found by xcrun: %s', async (tool, byXcrun) => {
    for (const name of ['xcrun', tool]) play(name, `echo ${name} "$@"`);
    const { stdout } = await runAppleTool(tool, ['a', 'b c']);
    expect(stdout).toBe(byXcrun ? `xcrun --sdk macosx ${tool} a b c\n` : `${tool} a b c\n`);
  });

  it.each<[number, AppleToolOptions, string]>([
    [0, {}, 'taken'],
    [3, { allowedExitCodes: [3] }, 'taken'],
    [0, { allowedExitCodes: [3] }, 'taken'],
    [3, {}, 'TOOL_FAILED: spctl ended with 3:\nwords'],
    [4, { allowedExitCodes: [3] }, 'TOOL_FAILED: spctl ended with 4:\nwords'],
    [255, {}, 'TOOL_FAILED: spctl ended with 255:\nwords'],
  ])('that ends with %i where %j is asked: %s', async (exitCode, options, expected) => {
    play('spctl', says('words', exitCode));
    const outcome = runAppleTool('spctl', [], options).then(
      () => 'taken',
      ({ code, message }) => `${code}: ${message}`,
    );
    expect(await outcome).toBe(expected);
  });

  it('that crashes has failed, and one that is not there is missed', async () => {
    play('spctl', 'kill -s SEGV $$');
    const options = { allowedExitCodes: [1] };
    await expect(runAppleTool('spctl', [], options)).rejects.toMatchObject({
      code: 'TOOL_CRASHED',
      message: expect.stringMatching(/ended with 128:\n.*SIGSEGV/),
    });
    process.env.PATH = scratch;
    await expect(runAppleTool('spctl', [])).rejects.toMatchObject({ code: 'TOOL_MISSING' });
  });
});

const TRUSTED = '   Status: signed by a developer certificate issued by Apple for distribution';
const STAMPED = `${TRUSTED}\n   Signed with a trusted timestamp on: 2025-03-01 12:00:00 +0000`;
const NOTARIZED = 'a.pkg: accepted\nsource=Notarized Developer ID';

describe('the verifier of a Mac', () => {
  const verify = async (signal?: AbortSignal) => {
    const checks = await appleVerifier().verify('a.pkg', { signal });
    return checks.map(
      (check) => `${check.id.replace('apple.', '')} ${check.status === 'fail' ? check.reason : check.status}`,
    );
  };
  const passed = ['signature pass', 'gatekeeper pass', 'ticket pass'];
  beforeEach(() => {
    play('pkgutil', says(STAMPED));
    play('spctl', says(NOTARIZED, 0, 2));
    play('stapler', says('The validate action worked!'));
  });

  it('is content when all three are', async () => expect(await verify()).toEqual(passed));

  it.each([
    ['pkgutil', says(TRUSTED), 0, 'signature pkgutil: no trusted timestamp'],
    ['pkgutil', says('   Status: no signature', 1), 0, 'signature pkgutil: no signature'],
    ['pkgutil', says('words', 2), 0, 'signature pkgutil ended with 2:\nwords'],
    ['spctl', says('a.pkg: accepted\nsource=Developer ID'), 1, 'gatekeeper spctl: source=Developer ID'],
    ['spctl', says('a.pkg: rejected', 3, 2), 1, 'gatekeeper spctl: rejected, source=null'],
    ['spctl', says(NOTARIZED, 3), 1, 'gatekeeper spctl: rejected, source=Notarized Developer ID'],
    ['spctl', says(NOTARIZED, 1), 1, `gatekeeper spctl ended with 1:\n${NOTARIZED}`],
    ['stapler', says('words', 1), 2, 'ticket stapler ended with 1:\nwords'],
  ])('tells of %s that does %s', async (tool, script, at, expected) => {
    play(tool, script);
    expect(await verify()).toEqual(passed.map((one, index) => (index === at ? expected : one)));
  });

  it('ends with a run that is interrupted', async () => {
    await expect(verify(AbortSignal.abort())).rejects.toBeInstanceOf(InterruptedError);
  });

  it('knows what Gatekeeper would do', async () => {
    play('spctl', `${says('origin=X', 0, 2).replace('; exit 0', '')}; ${says('a.pkg: accepted')}`);
    expect(await assessPackage('a.pkg', {})).toEqual({ accepted: true, source: null, origin: 'X' });
  });
});

describe('the stapler of a Mac', () => {
  const LATE = 'Could not find base64 encoded ticket in response for 2/de18';
  const staple = async (options: { maxWaitMs?: number; pauseMs?: number } = {}) => {
    const path = join(bin, 'a.pkg');
    copyFileSync(builtPackage(), path);
    const { trust } = await openRehearsalAuthority(REHEARSAL_FOLDER);
    const told: string[] = [];
    const tell = (text: string) => void told.push(text);
    const stapled = await appleStapler(trust).staple({ path }, { tell, goOn: 'go on', pauseMs: 1, ...options });
    return { ...stapled, told };
  };

  it('says what is stapled, and whether it was before', async () => {
    play('stapler', says('The staple and validate action worked!'));
    const size = readFileSync(builtPackage()).length;
    expect(await staple()).toMatchObject({ kind: 'stapled-product', size, unchanged: true, told: [] });
  });

  it('waits for a ticket that is late', async () => {
    const count = join(bin, 'count');
    play('stapler', `echo x >> '${count}'\n[ "$(wc -l < '${count}')" -gt 2 ] && exit 0\n${says(LATE, 65)}`);
    expect((await staple()).told).toEqual(['no ticket yet', 'no ticket yet']);
  });

  it('does not wait for ever, and says how to go on', async () => {
    play('stapler', says(LATE, 65));
    await expect(staple({ maxWaitMs: 0 })).rejects.toMatchObject({
      code: 'TICKET_LATE',
      message: expect.stringMatching(/^no ticket within 0 s: /),
      hint: 'go on',
    });
  });

  it('does not wait after another failure', async () => {
    play('stapler', says('words', 1));
    await expect(staple()).rejects.toMatchObject({ code: 'TOOL_FAILED' });
    play('stapler', says('CloudKit query failed due to "The network connection was lost"', 68));
    await expect(staple()).rejects.not.toMatchObject({ code: 'TICKET_LATE' });
  });
});

describe('pkgbuild and productbuild', () => {
  const common = { identifier: 'com.example.a', version: '1.0' };
  const plan = { ...common, installLocation: '/Library', payload: [directory('.'), file('./a', 'a')], bundles: [] };
  const scripts = [directory('.'), file('./postinstall', '#!/bin/sh\n', 0o755)];

  it.each([
    [0, false],
    [1, false],
    [2, true],
  ])('are given scripts when there are some: %i entries', async (count, given) => {
    play(
      'pkgbuild',
      `echo "$@" > '${bin}/argv'; find "$3" | wc -l >> '${bin}/argv'; for last; do :; done; cp '${builtPackage()}' "$last"`,
    );
    const path = join(bin, 'made.pkg');
    await runPkgbuild({ ...plan, scripts: scripts.slice(0, count) }, path, {});
    const argv = readFileSync(join(bin, 'argv'), 'utf8');
    expect([argv.includes(' --scripts /'), argv.trim().split('\n').at(-1)]).toEqual([given, '2']);
    expect(readFileSync(path)).toEqual(readFileSync(builtPackage()));
  });

  it('read a Distribution that names packages as files, where an archive names its members', async () => {
    play('productbuild', `cp "$3" '${bin}/distribution'; echo "$@" > '${bin}/argv'`);
    const distribution = Buffer.from(
      '<a>#b</a><pkg-ref id="x" version="1">#com.example.a.pkg</pkg-ref><pkg-ref id="y"/>',
    );
    await runProductbuild({ ...common, distribution, component: join(bin, 'a.pkg'), path: '/out.pkg' }, {});
    expect(readFileSync(join(bin, 'distribution'), 'utf8')).toBe(
      '<a>#b</a><pkg-ref id="x" version="1">com.example.a.pkg</pkg-ref><pkg-ref id="y"/>',
    );
    expect(readFileSync(join(bin, 'argv'), 'utf8')).toBe(
      `--quiet --distribution ${bin}/a.pkg.Distribution --package-path ${bin} --identifier com.example.a --version 1.0 /out.pkg\n`,
    );
  });
});
