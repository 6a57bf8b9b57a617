import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseFat } from '../../../src/macho/fat.ts';
import { looseChains, looseOpcodes } from '../../macho/loose-tables.ts';
import { ARCHITECTURES, linkers, linkSlice, llvmTool } from '../../plugin/source.ts';
import { byDay } from '../../support/by-day.ts';
import { canRun, host, isEmulated, type Run, SCENARIOS } from '../login-host/host.ts';
import { able, NO_HURRY_MS, SLICES, useHosts } from './held.ts';

const held = useHosts(able);

/** What decisions.md and spec of the plugin allow it to link: nothing that is not in every macOS since 10.14. */
const LIBRARIES = [
  '/usr/lib/libSystem.B.dylib',
  '/System/Library/Frameworks/CoreFoundation.framework/Versions/A/CoreFoundation',
];

interface Imports {
  readonly fixups: string;
  readonly rebases: number;
  readonly binds: number;
  readonly libraries: readonly string[];
  readonly imports: readonly string[];
}

describe.each(SLICES)('loading of a plugin for %s', (slice) => {
  const state = canRun(slice);
  const fixture = fileURLToPath(new URL(`../../fixtures/login-host/chained-fixups-${slice}`, import.meta.url));

  it.skipIf(state.missing)(`binds every import, to two libraries only${state.note}`, async () => {
    const [image] = await host<Imports>(held.out, slice, held.plugins[slice] as string, ['imports']);
    expect(image?.libraries).toEqual(LIBRARIES);
    expect(image?.fixups).toMatch(/^LC_DYLD_(INFO_ONLY|CHAINED_FIXUPS)$/);
    expect(image?.imports).toContain('_posix_spawn');
    expect(image?.imports.filter((name) => /fork|exec|system|popen|dlopen|assert|abort/.test(name))).toEqual([]);
  });

  it.skipIf(state.missing)(`follows chained fixups${state.note}`, async () => {
    const [image] = await host<Imports>(held.out, slice, fixture, ['imports']);
    expect(image).toMatchObject({ fixups: 'LC_DYLD_CHAINED_FIXUPS', rebases: 7, binds: 7 });
    const [run] = await host<Run>(held.out, slice, fixture, ['run', 'rotates']);
    expect(run?.violations).toEqual(['clears the request without a success']);
  });

  it.skipIf(state.missing)(`takes its slice out of the fat file that ships${state.note}`, async () => {
    expect(readFileSync(held.plugins[slice] as string).readUInt32BE(0)).toBe(0xcafebabe);
    const [run] = await host<Run>(held.out, slice, held.plugins[slice] as string, ['run', 'rotates']);
    expect(run?.slice).toBe(slice);
  });

  it.skipIf(state.missing)(
    `refuses what the dyld of macOS 27 refuses${state.note}`,
    async () => {
      const shipped = parseFat(readFileSync(held.plugins[slice] as string)).find((part) => part.architecture === slice);
      const loose = [...looseOpcodes(shipped?.data as Buffer), ...looseChains(readFileSync(fixture))];
      // All are refused by bindTableProblems, every day: test/macho/bind-tables.test.ts.
      for (const { name, bytes, refusal } of isEmulated(slice) ? byDay(loose, 6) : loose) {
        const path = join(held.out, `loose-${slice}`);
        writeFileSync(path, bytes);
        await expect(host(held.out, slice, path, ['imports']), name).rejects.toThrow(refusal);
      }
      expect(loose.length).toBeGreaterThan(30);
    },
    NO_HURRY_MS,
  );

  it.skipIf(state.missing || !llvmTool('clang'))(
    `binds what any version of the linker writes${state.note}`,
    async () => {
      const architecture = ARCHITECTURES.find(({ name }) => name === slice) as (typeof ARCHITECTURES)[number];
      for (const linker of linkers()) {
        const { path, remove } = linkSlice(architecture, linker);
        const [run] = await host<Run>(held.out, slice, path, ['run', 'rotates']);
        expect(run?.violations, linker).toEqual([]);
        remove();
      }
    },
    NO_HURRY_MS,
  );

  it.skipIf(state.missing)(`refuses what is not a plugin${state.note}`, async () => {
    await expect(host(held.out, slice, SCENARIOS, ['imports'])).rejects.toThrow('is no 64-bit Mach-O');
  });
});
