import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { disk, makeWorld, type World } from './simulated/lives.ts';
import { SHELLS_OF_THE_DAY, simulatedMacNeeds } from './simulated/simulated-mac.ts';
import { GUARD_JOB, GUARD_SCRIPT, type Packages, RESOURCES } from './simulated/test-package.ts';

/** Every shipped script by its place on the Mac; installer scripts are put where an admin would try them. */
const SHIPPED: readonly (readonly [string, (keyof Packages)?])[] = [
  [`${RESOURCES}/AuthDBSetup.sh`],
  [`${RESOURCES}/AuthDBTeardown.sh`],
  [`${RESOURCES}/status.sh`],
  [`${RESOURCES}/uninstall.sh`],
  [GUARD_SCRIPT],
  ['/private/tmp/product/preinstall', 'product'],
  ['/private/tmp/product/postinstall', 'product'],
  ['/private/tmp/guard/postinstall', 'guard'],
  ['/private/tmp/uninstall/postinstall', 'uninstall'],
  ['/private/tmp/request/postinstall', 'request'],
];

describe.skipIf(simulatedMacNeeds.missing).each(SHELLS_OF_THE_DAY)(
  `arguments under %s${simulatedMacNeeds.note}`,
  (shell) => {
    let world: World;
    let ready: string;
    beforeAll(async () => {
      world = await makeWorld(shell);
      const { mac, packages } = world;
      for (const [path, owner] of SHIPPED) {
        if (owner === undefined) continue;
        await mac.put(path, readFileSync(join(packages[owner].scripts!, path.split('/').at(-1)!)), 0o755);
        await mac.put(path.replace(/[^/]+$/, 'guard.sh'), 'exit 1\n', 0o755);
      }
      ready = await mac.save('ready');
    });
    beforeEach(() => world.mac.reset(ready));
    afterAll(() => world?.mac.stop());

    /** Runs a script with arguments, which must do nothing: no tool of the Mac is even called. */
    const idle = async (script: string, ...argv: string[]) => {
      const { mac } = world;
      mac.forgetLog();
      const [before, right] = [disk(mac), mac.rightBytes()];
      const { status } = await mac.run(['/bin/sh', script, ...argv]);
      expect(mac.log(), `${script} ${argv.join(' ')}`).toEqual([]);
      expect(disk(mac)).toEqual(before);
      expect(mac.rightBytes()).toEqual(right);
      return { status, stdout: mac.stdout(), stderr: mac.stderr() };
    };

    it.each(SHIPPED.map(([path]) => path))('%s --help prints how it is called, and ends with 0', async (script) => {
      for (const word of ['--help', '-h']) {
        const { status, stdout, stderr } = await idle(script, word);
        expect(status).toBe(0);
        expect(stdout).toMatch(/^usage: \S+ .*\[.*--help\]/);
        expect(stdout.split('\n').length).toBeGreaterThan(2);
        expect(stderr).toBe('');
      }
    });

    it.each(SHIPPED.map(([path]) => path))('%s ends with 64 for anything that it does not know', async (script) => {
      const wrong = [
        ['--nonsense'],
        ['help'],
        [''],
        ['--help', 'x'],
        ['-x', '--help'],
        ['--json', '--json'],
        ['--', 'x'],
        ['*'],
        ['a', 'b'],
      ];
      for (const argv of wrong) {
        const { status, stdout, stderr } = await idle(script, ...argv);
        expect(status, JSON.stringify(argv)).toBe(64);
        expect(stdout).toBe('');
        expect(stderr).toMatch(/^usage: /);
      }
    });

    it('scripts of Installer take no target that is not a path', async () => {
      for (const [script, owner] of SHIPPED) {
        if (owner === undefined) continue;
        expect((await idle(script, '/p.pkg', '/Library', 'target', '/')).status).toBe(64);
        expect((await idle(script, '--target', '/Library', '/', '/')).status).toBe(64);
      }
    });

    it('a job that is given words by mistake ends, too', async () => {
      const { mac } = world;
      writeFileSync(mac.path(GUARD_JOB), 'kept\n');
      chmodSync(mac.path(GUARD_JOB), 0o644);
      expect((await idle(GUARD_SCRIPT, 'remove')).status).toBe(64);
    });
  },
);
