import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, inject } from 'vitest';
import { buildHost, canRun, type Slice } from '../login-host/host.ts';
import { pluginUnderTest } from '../login-host/plugin-under-test.ts';

export const SLICES: readonly Slice[] = ['x86_64', 'arm64'];
export const able = SLICES.filter((slice) => !canRun(slice).missing);
/** A run that hangs is ended by the host itself, in virtual or processor time: how busy the machine is decides nothing. */
export const NO_HURRY_MS = 3_600_000;

/** Gives the tests around it a folder with the host for each slice, and the plug-in that ships; from `beforeAll` on. */
export function useHosts(slices: readonly Slice[]): { out: string; plugins: Partial<Record<Slice, string>> } {
  const held = { out: '', plugins: {} };
  beforeAll(async () => {
    held.out = mkdtempSync(join(tmpdir(), 'login-host-'));
    held.plugins = await pluginUnderTest(inject('releaseFolder'), slices);
    await Promise.all(slices.map((slice) => buildHost(held.out, slice)));
  }, NO_HURRY_MS);
  afterAll(() => rmSync(held.out, { recursive: true, force: true }));
  return held;
}
