import { createHash } from 'node:crypto';
import fs, { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InterruptedError } from '../../src/base/errors.ts';
import { decodeBom } from '../../src/bom/decode.ts';
import { openPayload } from '../../src/cpio/payload-stream.ts';
import { readCpio } from '../../src/cpio/read.ts';
import { buildComponent, packageInfoOf } from '../../src/package/component.ts';
import { parsePackageInfo } from '../../src/package/package-info.ts';

import type { PayloadEntry } from '../../src/tree/entry.ts';
import { emitXar, layoutXar } from '../../src/xar/write.ts';
import { collect, directory, errorOf, FACTS, file, noise } from '../support/payload.ts';
import { readWhole } from '../support/xar.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'component-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const plan = (entry: PayloadEntry) => ({
  identifier: 'com.example.a',
  version: '1.0',
  installLocation: '/Library',
  payload: [directory('.'), entry],
  scripts: [],
  bundles: [],
});

describe('buildComponent', () => {
  it('hears an interruption in a payload that does not shrink, so that no thread is waited for', async () => {
    const piece = noise(512 * 1024);
    const controller = new AbortController();
    let asked = 0;
    const pieces = function* () {
      for (; asked < 40; asked++) {
        if (asked === 10) setImmediate(() => controller.abort());
        yield piece;
      }
    };
    const source = {
      size: 40 * piece.length,
      chunksNow: pieces,
      chunks: () => expect.fail('it could be read without waiting'),
    };
    const large: PayloadEntry = { ...FACTS, kind: 'file', path: './a', mode: 0o644, source };
    const building = buildComponent(plan(large), join(folder, 'a.pkg'), controller.signal);
    await expect(building).rejects.toThrow(InterruptedError);
    expect(asked).toBeLessThan(20);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('keeps the payload in one hidden file until it is disposed of', async () => {
    const { signal } = new AbortController();
    const component = await buildComponent(plan(file('./a', noise(1_000))), join(folder, 'a.pkg'), signal);
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^\.a\.pkg\.payload\..*\.unfinished$/)]);
    expect(statSync(join(folder, readdirSync(folder)[0] as string)).mode & 0o777).toBe(0o600);
    await component.dispose();
    expect(readdirSync(folder)).toEqual([]);
    await component.dispose();
  });

  const signal = new AbortController().signal;
  const pathsOf = async (packed: Buffer): Promise<string[]> => {
    const paths: string[] = [];
    for await (const { path } of readCpio(openPayload(pieces(packed)))) paths.push(path);
    return paths;
  };

  it.each<[string, readonly PayloadEntry[], readonly string[]]>([
    ['no scripts', [], []],
    ['a folder of scripts that is empty', [directory('.')], []],
    ['a script', [directory('.'), file('./preinstall', '#!/bin/sh\n', 0o755)], ['.', './preinstall']],
  ])('makes the members in order, with %s', async (_, scripts, expected) => {
    const made = await buildComponent({ ...plan(file('./a', 'hello')), scripts }, join(folder, 'a.pkg'), signal);
    const names = made.members.map(({ name }) => name);
    expect(names).toEqual(['Bom', 'Payload', ...(expected.length > 0 ? ['Scripts'] : []), 'PackageInfo']);
    const spooled = readFileSync(join(folder, readdirSync(folder)[0] as string));
    // The digests of the archive are checked as it is read.
    const { contents } = await readWhole(await collect(emitXar(layoutXar(made.members, { creationTime: 0 }))));
    const content = (name: string) => contents.get(name) as Buffer;
    expect(content('Payload').equals(spooled)).toBe(true);
    const { archivedChecksum } = made.members[1]!;
    expect(archivedChecksum).toBe(createHash('sha1').update(spooled).digest('hex'));
    expect(await pathsOf(spooled)).toEqual(['.', './a']);
    if (expected.length > 0) expect(await pathsOf(content('Scripts'))).toEqual(expected);
    expect(decodeBom(content('Bom')).records.map(({ path, size }) => [path, size])).toEqual([
      ['.', 96],
      ['./a', 5],
    ]);
    // One block of 512 bytes; the root counts as an entry alone.
    const counters = { numberOfFiles: 2, installKBytes: 1 };
    expect(made).toMatchObject({ ...counters, cpuTypes: [] });
    expect(parsePackageInfo(content('PackageInfo')).payload).toEqual(counters);
    await made.dispose();
  });

  it('names each processor of the programs once', async () => {
    // struct mach_header (mach-o/loader.h): magic, cputype, cpusubtype, filetype, three counts and flags.
    const program = (path: string, cpuType: number) => {
      const header = Buffer.alloc(28);
      for (const [index, value] of [0xfeedface, cpuType, 3, 2].entries()) header.writeUInt32LE(value, index * 4);
      return file(path, header);
    };
    const payload = [directory('.'), program('./a', 7), program('./b', 18), program('./c', 7), file('./d', 'text')];
    const made = await buildComponent({ ...plan(file('./x', '')), payload }, join(folder, 'a.pkg'), signal);
    expect(made.cpuTypes).toEqual([7, 18]);
    await made.dispose();
  });

  it('leaves nothing behind when a file cannot be read, and says why', async () => {
    const source = {
      size: 1,
      chunks: () => expect.fail('read'),
      chunksNow: (): never => {
        throw new Error('gone');
      },
    };
    const entry: PayloadEntry = { ...FACTS, kind: 'file', path: './a', mode: 0o644, source };
    await expect(buildComponent(plan(entry), join(folder, 'a.pkg'), signal)).rejects.toThrow('gone');
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['is whole', 'hello', 5],
    ['changed', 'hello', 6],
  ])('closes what it opened for a payload that %s', async (_, data, size) => {
    const { openSync, closeSync } = fs;
    const open = new Set<number>();
    fs.openSync = (...argv) => {
      const opened = openSync(...argv);
      if (String(argv[0]).endsWith('.unfinished')) open.add(opened);
      return opened;
    };
    fs.closeSync = (descriptor) => {
      closeSync(descriptor);
      open.delete(descriptor);
    };
    syncBuiltinESMExports();
    try {
      const chunks = () => expect.fail('it could be read without waiting');
      const source = { size, chunks, chunksNow: () => [Buffer.from(data)] };
      const entry: PayloadEntry = { ...FACTS, kind: 'file', path: './a', mode: 0o644, source };
      const building = buildComponent(plan(entry), join(folder, 'a.pkg'), signal);
      if (size === data.length) await (await building).dispose();
      else await expect(building).rejects.toMatchObject({ code: 'ENTRY_CHANGED' });
    } finally {
      Object.assign(fs, { openSync, closeSync });
      syncBuiltinESMExports();
    }
    expect([...open]).toEqual([]);
  });

  it('refuses a file from 4 GiB on, which no Bom lists, before it reads any', async () => {
    const unread = (): never => expect.fail('read');
    const source = { size: 2 ** 32, chunks: unread, chunksNow: unread };
    const large: PayloadEntry = { ...FACTS, kind: 'file', path: './large', mode: 0o644, source };
    const run = () => buildComponent(plan(large), join(folder, 'a.pkg'), signal);
    expect((await errorOf(run)).code).toBe('ENTRY_TOO_LARGE');
  });
});

async function* pieces(data: Buffer): AsyncGenerator<Buffer> {
  yield data;
}

describe('packageInfoOf', () => {
  const PLAN = { identifier: 'com.example.a', version: '1.0', installLocation: '/Library', bundles: [] };
  const COUNTERS = { numberOfFiles: 3, installKBytes: 9 };
  const bundles = [
    { path: 'A.bundle', id: 'com.example.A' },
    { path: 'B.bundle', id: 'com.example.B', version: '2' },
  ];
  const infoOf = (...names: readonly string[]) =>
    parsePackageInfo(packageInfoOf({ ...PLAN, bundles, scripts: names.map((path) => ({ path })) }, COUNTERS));

  it('lays bundles down whole, wherever and whatever the Mac has, as root and without a restart', () => {
    const none = { bundleVersion: [], updateBundle: [], atomicUpdateBundle: [], strictIdentifier: [], relocate: [] };
    expect(infoOf()).toEqual({
      ...PLAN,
      overwritePermissions: true,
      relocatable: false,
      postinstallAction: 'none',
      auth: 'root',
      payload: COUNTERS,
      bundles,
      lists: { ...none, upgradeBundle: ['com.example.A', 'com.example.B'] },
      scripts: [],
    });
  });

  it.each<[readonly string[], readonly string[]]>([
    [['.', './preinstall'], ['preinstall']],
    [['.', './postinstall'], ['postinstall']],
    [
      ['.', './postinstall', './preinstall'],
      ['preinstall', 'postinstall'],
    ],
    [['.', './lib/preinstall', 'postinstall', './preflight'], []],
  ])('of the scripts %j runs %j', (paths, names) => {
    // 600 seconds are what pkgbuild writes since macOS 15.
    const expected = names.map((name) => ({ name, file: `./${name}`, timeoutSeconds: 600 }));
    expect(infoOf(...paths).scripts).toEqual(expected);
  });
});
