import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Plan } from '../../../build/plan/plan.ts';
import { makePlan } from '../../../build/plan/plan.ts';
import { compile, readBundleSource } from '../../../build/stages/compile.ts';
import { compileCache } from '../../../build/stages/compile-cache.ts';
import type { Compiler, MachOSlice } from '../../../src/toolchain/toolchain.ts';

let root: string;
let plan: Plan;
let compiled: number;
const SLICES: readonly MachOSlice[] = [
  { architecture: 'x86_64', data: Buffer.from('one') },
  { architecture: 'arm64', data: Buffer.from('two') },
];
const compiler = (version = '14.0.6'): Compiler => ({
  compile: async () => {
    compiled++;
    return SLICES;
  },
  join: async () => Buffer.alloc(0),
  versions: async () => ({ clang: version }),
});
const run = async (using = compiler(), cache = compileCache(join(root, 'kept'))) =>
  (await compile(using, {}, { plan, signal: new AbortController().signal }, cache)).value.slices;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'compile-cache-'));
  for (const name of ['payload', 'release.config.json', 'package.json'])
    cpSync(name, join(root, name), { recursive: true });
  plan = await makePlan({ root, outFolder: join(root, 'out'), sourceDateEpoch: '1700000000' });
  compiled = 0;
});
afterEach(() => rmSync(root, { recursive: true }));

describe('what was compiled before', () => {
  it('is taken again for the same sources, flags and tools', async () => {
    expect(await run()).toEqual(SLICES);
    expect(await run()).toEqual(SLICES);
    expect(compiled).toBe(1);
  });

  it.each([
    ['a source', () => writeFileSync(join(root, 'payload/plugin/clock.c'), '/* other */\n')],
    ['a stub header', () => writeFileSync(join(root, 'payload/plugin/sdk/include/time.h'), '/* other */\n')],
    ['a new file beside them', () => writeFileSync(join(root, 'payload/plugin/new.h'), '')],
    [
      'a flag',
      () => {
        const path = join(root, 'payload/plugin/build.json');
        writeFileSync(path, readFileSync(path, 'utf8').replace('"-Os"', '"-O1"'));
      },
    ],
  ])('is not taken when %s differs', async (_, change) => {
    await run();
    change();
    await run();
    expect(compiled).toBe(2);
  });

  it('is not taken for another compiler', async () => {
    await run();
    await run(compiler('15.0.0'));
    expect(compiled).toBe(2);
  });

  it('is not taken when the oldest macOS of a slice differs', async () => {
    await run();
    plan = { ...plan, config: { ...plan.config, macOS: { ...plan.config.macOS, arm64: '12.0' } } };
    await run();
    expect(compiled).toBe(2);
  });

  it.each([
    ['cut', (file: Buffer) => file.subarray(0, -1)],
    ['flipped', (file: Buffer) => Buffer.concat([file.subarray(0, -1), Buffer.from([(file.at(-1) as number) ^ 1])])],
    ['emptied', () => Buffer.alloc(0)],
  ])('is compiled again when a file of it was %s', async (_, damage) => {
    await run();
    const path = join(root, 'kept', readdirSync(join(root, 'kept'))[0] as string, 'arm64');
    writeFileSync(path, damage(readFileSync(path)));
    expect(await run()).toEqual(SLICES);
    expect(compiled).toBe(2);
  });

  it('is kept for the last four compilations', async () => {
    for (let version = 14; version < 20; version++) await run(compiler(`${version}.0.0`));
    expect(readdirSync(join(root, 'kept'))).toHaveLength(4);
    await run(compiler('19.0.0'));
    expect(compiled).toBe(6);
    for (const name of readdirSync(join(root, 'kept'))) expect(name).toMatch(/^[0-9a-f]{32}$/);
  });

  it('stays when it is taken, and the one that was not taken for longest goes', async () => {
    const kept = () => readdirSync(join(root, 'kept'));
    const names: string[] = [];
    for (const version of ['14', '15', '16', '17']) {
      await run(compiler(version));
      const [made] = kept().filter((name) => !names.includes(name)) as [string];
      names.push(made);
    }
    // In an order that is neither that of their names nor that of their making.
    const ages = [400, 300, 500, 200];
    for (const [index, name] of names.entries()) {
      const then = new Date(Date.now() - (ages[index] as number) * 1000);
      utimesSync(join(root, 'kept', name), then, then);
    }
    await run(compiler('16'));
    expect(compiled).toBe(4);
    await run(compiler('18'));
    expect(kept()).toHaveLength(4);
    expect(names.filter((name) => !kept().includes(name))).toEqual([names[0]]);
  });

  it('hides no error of our own', async () => {
    const cache = compileCache(join(root, 'kept'));
    const source = await readBundleSource(plan);
    await expect(cache.write(source, { clang: 1n as never }, SLICES)).rejects.toThrow(TypeError);
  });

  it('is not asked for without a cache, and a place that cannot be written to is not a failure', async () => {
    await run();
    await compile(compiler(), {}, { plan, signal: new AbortController().signal }, null);
    writeFileSync(join(root, 'file'), '');
    expect(await run(compiler(), compileCache(join(root, 'file/below')))).toEqual(SLICES);
    expect(compiled).toBe(3);
  });

  it('does not know the folder of the checkout', async () => {
    const source = await readBundleSource(plan);
    const cache = compileCache(join(root, 'kept'));
    await cache.write(source, { clang: '14' }, SLICES);
    cpSync(source.folder, join(root, 'elsewhere'), { recursive: true });
    expect(await cache.read({ ...source, folder: join(root, 'elsewhere') }, { clang: '14' })).toEqual(SLICES);
  });
});
