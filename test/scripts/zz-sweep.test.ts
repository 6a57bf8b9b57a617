import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SimulatedMac } from '../mac/simulated/simulated-mac.ts';
import { BUNDLE, ENTRY, putProduct, RUN } from './product.ts';

const SH = (process.env.SH ?? 'dash') as 'dash';
const lives: Record<string, (mac: SimulatedMac) => Promise<readonly string[]>> = {
  install: async () => RUN.install,
  guardinstall: async (mac) => {
    await mac.run(['/bin/sh', ...RUN.register]);
    return RUN.guardPackage;
  },
  unregister: async (mac) => {
    await mac.run(['/bin/sh', ...RUN.register]);
    return RUN.unregister;
  },
  uninstall: async (mac) => {
    await mac.put('/Library/Preferences/com.netflix.Escrow-Buddy.plist', '{EnableGuard=YES;}');
    await mac.run(['/bin/sh', ...RUN.install]);
    return RUN.uninstall;
  },
  heal: async () => RUN.guard,
  unlock: async (mac) => {
    await mac.put('/Library/Preferences/com.netflix.Escrow-Buddy.plist', '{EnableGuard=YES;}');
    await mac.run(['/bin/sh', ...RUN.install]);
    await mac.shell(`rm -rf "${BUNDLE}"`);
    return RUN.guard;
  },
};
for (const [name, prepare] of Object.entries(lives))
  for (const kind of ['fail 1', 'kill', 'empty-output', 'truncate 40'])
    it(`${name} ${kind}`, async () => {
      const mac = await SimulatedMac.start(SH);
      await putProduct(mac);
      const program = await prepare(mac);
      const fresh = await mac.save('fresh');
      const before = ((await mac.right())!.mechanisms as string[]).filter((m) => m !== ENTRY);
      const bad: string[] = [];
      let n = 1;
      const unlocked = name === 'unlock';
      for (; ; n++) {
        await mac.reset(fresh);
        await mac.faults(`${n} ${kind}`);
        const run = await mac.run(
          ['/bin/sh', ...program],
          name === 'unlock' || name === 'heal'
            ? { job: 'com.netflix.Escrow-Buddy.guard', timeoutMs: 20000 }
            : { timeoutMs: 20000 },
        );
        const calls = mac.calls();
        const at = (mac.log().slice(-1)[0]?.argv ?? []).slice(0, 3).join(' ');
        const said = mac.stdout().trim().split('\n').slice(-1)[0];
        const err = mac.stderr();
        const right = (await mac.right())?.mechanisms ?? [];
        const entry = right.includes(ENTRY);
        const seal = await mac.seal(BUNDLE);
        const problem: string[] = [];
        if (mac.unknownCalls()) problem.push('unknown ' + mac.unknownCalls());
        if (JSON.stringify(right.filter((m) => m !== ENTRY)) !== JSON.stringify(before))
          problem.push('foreign changed');
        if (entry && seal !== 'ok' && !(unlocked && run.status !== 0)) problem.push('orphan! ' + seal);
        if (run.status === 124) problem.push('TIME UP');
        if (run.status === 97) problem.push('97');
        if (err && kind !== 'kill') problem.push('stderr ' + err.trim());
        if (run.status === 0 && name === 'uninstall' && existsSync(mac.path(BUNDLE))) problem.push('ok but bundle');
        if (run.status === 0 && (name === 'install' || name === 'heal') && !entry) problem.push('exit 0 but no entry');
        // repair
        await mac.faults();
        let again = program;
        if (name === 'uninstall' && !existsSync(mac.path(program[0]))) again = RUN.uninstallPackage;
        if (name === 'unlock' && !existsSync(mac.path(program[0]))) again = ['-c', ':'];
        if (name === 'heal') await mac.shell('rmdir /var/run/* 2>/dev/null');
        const t = Date.now();
        const run2 = await mac.run(['/bin/sh', ...again], { timeoutMs: 20000 });
        if (Date.now() - t > 1500) problem.push('slow repair ' + (Date.now() - t));
        if (run2.status !== 0) problem.push(`repair ${run2.status} ${mac.stdout()}`);
        const right2 = (await mac.right())?.mechanisms ?? [];
        const want = ['install', 'heal', 'guardinstall'].includes(name);
        if (right2.includes(ENTRY) !== want) problem.push('repair: entry ' + right2.includes(ENTRY));
        const left = readdirSync(mac.path('/private/var/db')).filter((f) => f !== 'receipts');
        if (left.length) problem.push('left ' + left.join());
        if (name === 'uninstall' || name === 'unlock') {
          const files = (await mac.shell('find /Library /private/var -type f -o -type l')).stdout
            .split('\n')
            .filter((f) => f && !f.includes('/select/') && !(name === 'unlock' && f.includes('Preferences')));
          if (files.length) problem.push('files left ' + files.join());
        }
        if (problem.length) bad.push(`${n} ${kind} [${at}] -> ${run.status} ${said} :: ${problem.join('; ')}`);
        if (calls < n) break;
      }
      console.log(name, kind, n, 'points;', bad.length, 'bad\n' + bad.slice(0, 12).join('\n'));
      await mac.stop();
    }, 600000);
