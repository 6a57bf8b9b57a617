import { existsSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { simulatedMacNeeds } from '../mac/simulated/simulated-mac.ts';
import { BUNDLE, ENTRY, RUN } from './product.ts';
import { EXECUTABLE, fixture, JOB, LOCAL, LOCK, useMac } from './rig.ts';

const { missing, note } = simulatedMacNeeds;
const RECORD = '/Library/Application Support/Escrow Buddy/guard.plist';

describe.skipIf(missing)(`the lock at its edges${note}`, () => {
  const { mac, run, registered, writes } = useMac();
  const holder = () => readlinkSync(mac.path(LOCK));
  /** Puts a lock of the first process, which lives, there while a tool runs: `mv:1` is its first call. */
  const thief = async (call: string) => {
    const theirs = `1.${Math.floor(mac.now())}`;
    await mac.put('/.sim/hooks/thief', `#!/bin/sh\nrm -f ${LOCK}; ln -s ${theirs} ${LOCK}\n`, 0o755);
    await mac.faults(`${call} between thief`);
    return theirs;
  };

  it.each([
    ['901 seconds old', -901, true],
    ['800 seconds old', -800, false],
    ['of a clock that is 990 seconds ahead', 1100, true],
    ['of a clock that is 800 seconds ahead', 800, false],
  ])('%s, of a living process: taken over %s', async (_, seconds, taken) => {
    symlinkSync(`1.${Math.floor(mac.now()) + seconds}`, mac.path(LOCK));
    const { status, said } = await run(RUN.register);
    expect([status, await registered()], said).toEqual([taken ? 0 : 1, taken]);
  });

  it('that another script took while ours was reading: nothing is written, and theirs stays', async () => {
    const theirs = await thief('security-read:2');
    const { status, said } = await run(RUN.register);
    expect(status, said).toBe(1);
    expect(said).toContain('took over');
    expect([writes(), holder()]).toEqual([0, theirs]);
  });

  it('that a quicker script made anew while ours broke the old one is given back', async () => {
    symlinkSync('99999.1', mac.path(LOCK));
    const theirs = await thief('mv:1');
    const { status, said } = await run(RUN.register);
    expect(status, said).toBe(1);
    expect(said).toContain('still at work (process 1)');
    expect([writes(), holder()]).toEqual([0, theirs]);
  });
});

describe.skipIf(missing)(`the list of mechanisms at its edges${note}`, () => {
  const { mac, run, entries } = useMac();

  it('takes the entry in front of an anchor that is the very first', async () => {
    await mac.setRight(fixture('fault-only-done'));
    const { status, said } = await run(RUN.register);
    expect(status, said).toBe(0);
    expect(await entries()).toEqual([ENTRY, 'loginwindow:done']);
  });
});

describe.skipIf(missing)(`the guard at its edges${note}`, () => {
  const { mac, run, guard, registered, writes } = useMac();
  const recorded = (key: string) =>
    new RegExp(`<key>${key}</key>\\s*<string>([^<]*)</string>`).exec(readFileSync(mac.path(RECORD), 'utf8'))?.[1];

  beforeEach(async () => {
    await mac.put(LOCAL, '{EnableGuard=YES;}');
    expect((await run(RUN.install)).status).toBe(0);
    await mac.setRight(fixture('stock-macos-26'));
  });

  it('a heal that wrote nothing does not use up the one of this boot', async () => {
    mac.forgetLog();
    await mac.faults('security-read:2 truncate 900');
    expect((await guard()).status).toBe(1);
    expect([writes(), recorded('LastResult')]).toEqual([0, 'not-understood']);
    await mac.faults();
    expect((await guard()).status).toBe(0);
    expect(await registered()).toBe(true);
  });

  it('neither does one that found the entry put back by somebody else', async () => {
    await mac.put('/.sim/hooks/other', fixture('stock-macos-26-registered'));
    await mac.faults('security-read:2 between other');
    expect((await guard()).status).toBe(0);
    expect(recorded('LastResult')).toBe('healthy');
    await mac.setRight(fixture('stock-macos-26'));
    await mac.faults();
    await guard();
    expect(await registered()).toBe(true);
  });

  it('records that all is well after it has healed, once', async () => {
    await guard();
    expect(recorded('LastResult')).toBe('healed');
    await guard();
    expect([recorded('LastResult'), recorded('LastAction')]).toEqual(['healthy', 'healed']);
  });

  it('says with its exit status that it does not understand the right, or cannot put it right', async () => {
    await mac.setRight(fixture('fault-no-done'));
    expect((await guard()).status).toBe(1);
    expect(recorded('LastResult')).toBe('not-understood');
    await mac.setRight(fixture('stock-macos-26'));
    await mac.shell(`rm -r '${RECORD}'`);
    await mac.faults('codesign:1 hang', 'codesign:2 hang');
    expect((await guard()).status).toBe(1);
    expect(recorded('LastResult')).toBe('unproven');
  });

  it('leaves after a day to the second', async () => {
    await mac.shell(`rm "${EXECUTABLE}"`);
    rmSync(mac.path(BUNDLE), { recursive: true });
    await guard();
    const since = Number(recorded('GoneSince'));
    // It looks twice at a bundle that is not there, two seconds apart.
    await mac.pass(since + 86_397 - mac.now());
    await guard();
    expect(existsSync(mac.path(JOB))).toBe(true);
    await mac.pass(since + 86_398 - mac.now());
    await guard();
    expect(existsSync(mac.path(JOB))).toBe(false);
  });

  it('does not believe a record of tomorrow', async () => {
    rmSync(mac.path(BUNDLE), { recursive: true });
    await guard();
    const since = recorded('GoneSince') as string;
    const later = String(Number(since) + 200_000);
    await mac.put(RECORD, readFileSync(mac.path(RECORD), 'utf8').replace(`>${since}<`, `>${later}<`));
    await guard();
    expect(Number(recorded('GoneSince'))).toBeLessThan(Number(since) + 1000);
  });
});
