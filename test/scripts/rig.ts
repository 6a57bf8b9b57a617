import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { REPOSITORY, SimulatedMac } from '../mac/simulated/simulated-mac.ts';
import { BUNDLE, ENTRY, PRODUCT, putProduct, RUN } from './product.ts';

export const LOCAL = '/Library/Preferences/com.netflix.Escrow-Buddy.plist';
export const MANAGED = '/Library/Managed Preferences/com.netflix.Escrow-Buddy.plist';
export const LOCK = '/private/var/db/com.netflix.Escrow-Buddy.lock';
export const JOB = `/Library/LaunchDaemons/${PRODUCT.guardIdentifier}.plist`;
export const EXECUTABLE = `${BUNDLE}/Contents/MacOS/Escrow Buddy`;

/** Returns the bytes of a case of the authorization database's test data. */
export function fixture(name: string): Buffer {
  return readFileSync(join(REPOSITORY, 'test/fixtures/authorizationdb', `${name}.plist`));
}

/** Gives the tests around it a simulated Mac with the product's files, anew for each test, and shorthands for it. */
export function useMac() {
  const held: { mac?: SimulatedMac; fresh?: string } = {};
  const mac = new Proxy({} as SimulatedMac, {
    get(_, name) {
      const value = Reflect.get(held.mac as SimulatedMac, name, held.mac);
      return typeof value === 'function' ? value.bind(held.mac) : value;
    },
  });
  beforeAll(async () => {
    held.mac = await SimulatedMac.start('dash');
    await putProduct(held.mac);
    held.fresh = await held.mac.save('fresh');
  });
  beforeEach(() => mac.reset(held.fresh as string));
  afterAll(() => mac.stop());

  const run = async (program: readonly string[], job = '-') => {
    const { status } = await mac.run(['/bin/sh', ...program], { job });
    return { status, said: mac.stdout(), stderr: mac.stderr() };
  };
  const entries = async () => (await mac.right())?.mechanisms ?? [];
  return {
    mac,
    run,
    entries,
    guard: () => run(RUN.guard, PRODUCT.guardIdentifier),
    registered: async () => (await entries()).includes(ENTRY),
    writes: () => mac.log().filter(({ argv }) => argv.includes('write')).length,
    leftovers: () => readdirSync(mac.path('/private/var/db')).filter((name) => name.startsWith('com.netflix')),
  };
}
