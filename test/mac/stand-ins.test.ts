import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KNOWN_CALLS } from './simulated/known-calls/known-calls.ts';
import { READ } from './simulated/known-calls/row.ts';
import { writeSealedBundle } from './simulated/sealed-bundle.ts';
import { REPOSITORY, SimulatedMac, simulatedMacNeeds, stockRight, TIME_UP } from './simulated/simulated-mac.ts';
import { BUNDLE as B } from './simulated/test-package.ts';

const { missing, note } = simulatedMacNeeds;

describe.skipIf(missing)(`stand-ins${note}`, () => {
  let mac: SimulatedMac;
  let clean: string;
  beforeAll(async () => {
    mac = await SimulatedMac.start('dash');
    writeSealedBundle(mac.path(B), { short: '1.1.0', build: '10100' }, { 'a.sh': '#!/bin/sh\n' });
    clean = await mac.save('clean');
  });
  beforeEach(() => mac.reset(clean));
  afterAll(() => mac?.stop());

  for (const [tool, rows] of Object.entries(KNOWN_CALLS))
    describe(tool, () => {
      it.each(rows.map((row) => [row[0], row] as const))('%s', async (_, [, text, status, stdout, stderr]) => {
        const ran = await mac.shell(text);
        expect(ran).toMatchObject({ status });
        if (stdout !== undefined)
          expect(ran.stdout).toEqual(stdout instanceof RegExp ? expect.stringMatching(stdout) : stdout);
        if (stderr !== undefined)
          expect(ran.stderr).toEqual(stderr instanceof RegExp ? expect.stringMatching(stderr) : stderr);
      });
    });

  describe('what authd stores', () => {
    const write = (list: string) =>
      `echo '{class="evaluate-mechanisms"; comment=c; junk=1; mechanisms=(${list});}' >/tmp/x; /usr/bin/security authorizationdb write system.login.console </tmp/x`;

    it.each([
      ['"X:y,Privileged"', ['X:y,privileged']],
      ['"X::y"', ['X:y']],
      ['"X:y,privileged,z"', ['X:y,privileged']],
      ['"X:y, privileged"', ['X:y']],
      ['"no colon", "a:b"', ['a:b']],
      ['"a:b", "a:b"', ['a:b', 'a:b']],
      ['"a b:c d"', ['a b:c d']],
    ])('%s', async (list, stored) => {
      expect(await mac.shell(write(list))).toMatchObject({ status: 0, stderr: 'YES (0)\n' });
      expect((await mac.right())?.mechanisms).toEqual(stored);
    });

    it('denies the whole write for a mechanism without name, and dies of delimiters only', async () => {
      const before = mac.rightBytes();
      expect(await mac.shell(write('"a:b", "NoName:"'))).toMatchObject({ status: 255, stderr: 'NO (-60005)\n' });
      expect(await mac.shell(write('":"'))).toMatchObject({ status: 255, stderr: 'NO (-60008)\n' });
      expect(mac.rightBytes()).toEqual(before);
    });

    it('keeps created, drops unknown keys, fills in version 0, tries and shared', async () => {
      const before = await mac.right();
      await mac.shell(write('"a:b"'));
      const right = await mac.right();
      expect(right).toMatchObject({ created: before?.created, version: 0, tries: 10000, shared: true, comment: 'c' });
      expect(right).not.toHaveProperty('junk');
      expect(right).not.toHaveProperty('identifier');
      expect(right?.modified).not.toBe(before?.modified);
    });

    it('gives every well-formed right back as it was, but for modified', async () => {
      const bytes = readFileSync(stockRight('macos-26'));
      await mac.setRight(bytes);
      await mac.shell(`${READ} >/tmp/x; /usr/bin/security -q authorizationdb write system.login.console </tmp/x`);
      const real = /<key>modified<\/key>\n\t<real>[^<]*<\/real>/;
      expect(mac.rightBytes().toString().replace(real, '')).toBe(bytes.toString().replace(real, ''));
    });
  });

  describe('faults', () => {
    it('ends the n-th command with a status', async () => {
      await mac.faults('2 fail 9');
      expect(await mac.shell('/usr/bin/id -u; /usr/bin/id -u; /usr/bin/id -u')).toMatchObject({
        status: 0,
        stdout: '0\n0\n',
      });
    });
    it('kills the whole script before the n-th command', async () => {
      await mac.faults('2 kill');
      expect(await mac.shell('/usr/bin/id -u; (x=$(/usr/bin/id -g)); echo never')).toMatchObject({
        status: 137,
        stdout: '0\n',
      });
      expect(mac.calls()).toBe(2);
    });
    it('hangs', async () => {
      await mac.faults('id:1 hang');
      expect(await mac.shell('/usr/bin/id -u')).toMatchObject({ status: TIME_UP });
    });
    it('shortens and empties output with exit 0', async () => {
      await mac.faults('security-read:1 truncate 20', 'security-read:2 empty-output');
      expect(await mac.shell(`${READ}; echo; ${READ}`)).toMatchObject({ status: 0, stdout: '<?xml version="1.0" \n' });
    });
    it('swallows a write, and fails late', async () => {
      await mac.faults('security-write:1 swallow', 'security-write:2 late');
      const before = mac.rightBytes();
      const write = `echo '{class=allow;}' >/tmp/x; /usr/bin/security authorizationdb write system.login.console </tmp/x`;
      expect(await mac.shell(write)).toMatchObject({ status: 0, stderr: 'YES (0)\n' });
      expect(mac.rightBytes()).toEqual(before);
      expect(await mac.shell(write)).toMatchObject({ status: 255, stderr: 'NO (-60008)\n' });
      expect(mac.rightBytes()).not.toEqual(before);
    });
    it('lets another tool write in between', async () => {
      await mac.put('/.sim/hooks/other', readFileSync(stockRight('macos-13')));
      await mac.faults('security-read:1 between other');
      expect((await mac.shell(READ)).stdout).toBe(readFileSync(stockRight('macos-13'), 'utf8'));
    });
    it('runs a hook that is executable, whose calls do not count', async () => {
      await mac.put('/.sim/hooks/run', '/bin/rm -rf /Library/Security/SecurityAgentPlugins/*\n', 0o755);
      await mac.faults('security-read:1 between run');
      await mac.shell(`${READ} >/dev/null`);
      expect(mac.calls()).toBe(1);
      expect(await mac.seal(B)).toBe('No such file or directory');
    });
  });

  it('records argv, user, folder and a hash of what was read', async () => {
    await mac.shell('cd /tmp; echo word | /usr/bin/security authorizationdb write r');
    expect(mac.log().at(-1)).toMatchObject({
      argv: ['/usr/bin/security', 'authorizationdb', 'write', 'r'],
      uid: 0,
      cwd: '/private/tmp',
      stdin: expect.stringMatching(/^[0-9a-f]{16}:5$/),
      status: 255,
    });
  });

  it('prints every XML case of the corpus as CoreFoundation would', async () => {
    const folder = join(REPOSITORY, 'test/fixtures/authorizationdb');
    const { cases } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
    for (const [name, { group, read }] of Object.entries<{ group: string; read: { exit: number } }>(cases)) {
      if (group === 'output' || read.exit !== 0) continue;
      const bytes = readFileSync(join(folder, `${name}.plist`));
      await mac.setRight(bytes);
      const { stdout } = await mac.shell(`${READ} >/tmp/x; /usr/bin/plutil -convert xml1 -o - /tmp/x`);
      expect(stdout, name).toBe(bytes.toString());
    }
  });
});
