import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'plist';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makePlan, type Plan } from '../../../build/plan/plan.ts';
import { compile, readBundleSource, renderInfoPlist } from '../../../build/stages/compile.ts';
import type { MachOSlice } from '../../../src/toolchain/toolchain.ts';

let root: string;
let plan: Plan;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'compile-stage-'));
  mkdirSync(join(root, 'payload/plugin'), { recursive: true });
  for (const name of ['payload/Info.plist', 'payload/plugin/build.json']) cpSync(name, join(root, name));
  plan = { ...(await makePlan({ root: process.cwd(), outFolder: root, sourceDateEpoch: '1700000000' })), root };
});
afterEach(() => rmSync(root, { recursive: true }));

const { signal } = new AbortController();
const template = (change: (text: string) => string) => {
  const path = join(root, 'payload/Info.plist');
  writeFileSync(path, change(readFileSync(path, 'utf8')));
};

describe('renderInfoPlist', () => {
  it('fills in what is decided elsewhere, sorted by key', async () => {
    const text = (await renderInfoPlist(plan)).toString();
    const keys = Object.keys(parse(text) as object);
    expect(keys).toEqual([...keys].sort());
    expect(keys.length).toBeGreaterThan(6);
    expect(parse(text)).toMatchObject({
      CFBundleExecutable: 'Escrow Buddy',
      CFBundleIdentifier: 'com.netflix.Escrow-Buddy',
      CFBundleName: 'Escrow Buddy',
      CFBundleShortVersionString: '1.1.0',
      CFBundleVersion: '10100',
      LSMinimumSystemVersion: '10.14.4',
    });
    expect(text).toMatch(/<\/plist>\n$/);
  });

  it.each(['CFBundleVersion', 'LSMinimumSystemVersion'])('refuses a template that decides %s too', async (key) => {
    template((text) => text.replace('<dict>', `<dict><key>${key}</key><string>1</string>`));
    await expect(renderInfoPlist(plan)).rejects.toMatchObject({
      code: 'INFO_PLIST_INVALID',
      message: `payload/Info.plist has ${key}`,
      hint: expect.stringMatching(/^Remove it there/),
    });
  });

  it.each<[string, (text: string) => string]>([
    ['that is cut', (text) => text.slice(0, text.length / 2)],
    ['with a key twice', (text) => text.replace('<dict>', '<dict><key>A</key><string/><key>A</key><string/>')],
    ['that is a list', (text) => text.replace(/<dict>[\s\S]*<\/dict>/, '<array/>')],
  ])('refuses a template %s, and says how to get it back', async (_, change) => {
    template(change);
    await expect(renderInfoPlist(plan)).rejects.toMatchObject({
      name: 'UsageError',
      code: 'INFO_PLIST_INVALID',
      message: expect.stringMatching(/^payload\/Info\.plist: /),
      hint: expect.stringContaining('git checkout payload/Info.plist'),
    });
  });
});

describe('readBundleSource', () => {
  const inFile = (change: object) => {
    const path = join(root, 'payload/plugin/build.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }));
  };

  it.each(['sources', 'stubLibraries', 'exportedSymbols'])('needs at least one of %s', async (key) => {
    inFile({ [key]: ['one'] });
    expect(await readBundleSource(plan)).toMatchObject({ [key]: ['one'], executable: 'Escrow Buddy' });
    inFile({ [key]: ['one', 'two', 'three'] });
    expect(await readBundleSource(plan)).toMatchObject({ [key]: ['one', 'two', 'three'] });
    inFile({ [key]: [] });
    await expect(readBundleSource(plan)).rejects.toMatchObject({ code: 'BUILD_FILE_INVALID' });
  });
});

describe('compile', () => {
  const slices: readonly MachOSlice[] = [
    { architecture: 'x86_64', data: Buffer.from('one') },
    { architecture: 'arm64', data: Buffer.from('two') },
  ];
  const compiler = {
    compile: async () => slices,
    join: async () => Buffer.alloc(0),
    versions: async () => ({ clang: '14.0.6', lld: '15' }),
  };

  it('says what compiled, and whether it did so now', async () => {
    const tools = { node: '20', clang: 'older' };
    const now = await compile(compiler, tools, { plan, signal }, null);
    expect(now.summary).toBe('x86_64 and arm64, clang 14.0.6, lld 15');
    expect(now.facts).toEqual({ tools: { node: '20', clang: '14.0.6', lld: '15' } });
    const written: unknown[] = [];
    const cache = { read: async () => slices, write: async () => void written.push(0) };
    const kept = await compile(compiler, tools, { plan, signal }, cache);
    expect(kept.summary).toBe(`${now.summary}, unchanged since an earlier run`);
    expect([kept.value, written]).toEqual([now.value, []]);
  });
});
