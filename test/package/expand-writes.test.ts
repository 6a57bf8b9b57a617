import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accessBuffer } from '../../src/base/random-access.ts';
import { writeCpio } from '../../src/cpio/write.ts';
import { expandPackage } from '../../src/package/expand.ts';
import { type OpenPackage, openPackage } from '../../src/package/open-package.ts';
import type { PayloadEntry } from '../../src/tree/entry.ts';
import { readXar } from '../../src/xar/read.ts';
import { emitXar, layoutXar, storedFile, directory as xarFolder } from '../../src/xar/write.ts';
import { collect, directory, file, symlink } from '../support/payload.ts';
import { sealXar } from '../support/xar.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'expand-writes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const never = new AbortController().signal;
const INFO = Buffer.from('<pkg-info identifier="a" version="1"/>');
const FIVE = [
  directory('.', 0o750),
  directory('./d', 0o700),
  { ...directory('./d/e', 0o711), mtimeSeconds: 1_600_000_000 },
  file('./d/e/f', 'hello', 0o640),
  symlink('./l', 'nowhere'),
];

/** A package of a PackageInfo, a folder, and this tree in each of the members named. */
async function packageOf(tree: readonly PayloadEntry[], ...names: readonly string[]): Promise<OpenPackage> {
  const data = await collect(writeCpio(tree));
  const trees = names.map((name) => storedFile(name, data));
  const entries = [storedFile('PackageInfo', INFO), ...trees, xarFolder('x.pkg', trees)];
  return openPackage(accessBuffer(await collect(emitXar(layoutXar(entries, { creationTime: 0 })))));
}

/** Permission bits and time of what was written. */
function factsOf(path: string): [mode: string, seconds: number] {
  const { mode, mtimeMs } = lstatSync(join(folder, path));
  return [(mode & 0o7777).toString(8), mtimeMs / 1000];
}

/** A signal that runs `act` when it is asked for the `at`th time, and is aborted from then on if that returns true. */
function asked(at: number, act: () => boolean): { signal: AbortSignal; times: () => number } {
  let times = 0;
  let aborted = false;
  const signal = {
    get aborted() {
      if (times++ === at) aborted = act();
      return aborted;
    },
  };
  return { signal: signal as AbortSignal, times: () => times };
}

describe('expandPackage', () => {
  it('lays trees down in the place of Payload and Scripts alone, and counts what it made', async () => {
    const opened = await packageOf(FIVE, 'Payload', 'Scripts', 'MyPayload', 'Payloads', 'Scripts.txt');
    const counts = await expandPackage(opened, folder, never);
    const made = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
    const tree = (name: string) => [name, `${name}/d`, `${name}/d/e`, `${name}/d/e/f`, `${name}/l`];
    const both = (at: string) => [...tree(`${at}Payload`), ...tree(`${at}Scripts`)];
    const plain = ['MyPayload', 'Payloads', 'Scripts.txt'];
    const expected = [...both(''), ...both('x.pkg/'), ...plain, ...plain.map((name) => `x.pkg/${name}`)];
    expect(made).toEqual(['PackageInfo', 'x.pkg', ...expected].sort());
    // Four trees with three folders each, and x.pkg; one file in each, three plain ones twice, PackageInfo.
    expect(counts).toEqual({ directories: 13, files: 11, symlinks: 4 });
    expect(readFileSync(join(folder, 'x.pkg/Scripts/d/e/f'), 'utf8')).toBe('hello');
  });

  it('gives folders, files and links the modes and times of the tree', async () => {
    await expandPackage(await packageOf(FIVE, 'Payload'), folder, never);
    expect(factsOf('Payload')).toEqual(['750', 1_700_000_000]);
    expect(factsOf('Payload/d')).toEqual(['700', 1_700_000_000]);
    expect(factsOf('Payload/d/e')).toEqual(['711', 1_600_000_000]);
    expect(factsOf('Payload/d/e/f')).toEqual(['640', 1_700_000_000]);
    expect(factsOf('Payload/l')[1]).toBe(1_700_000_000);
    expect(factsOf('PackageInfo')[0]).toBe('644');
    expect(factsOf('x.pkg')[0]).toBe('755');
  });

  it('gives a tree whose root has no entry the mode of a plain folder', async () => {
    // The entry of the root: a header of 76 bytes and its name.
    const whole = await collect(writeCpio([directory('.', 0o700), file('./f', 'x')]));
    const data = Buffer.concat([whole.subarray(78), Buffer.alloc(78)]);
    const entries = [storedFile('PackageInfo', INFO), storedFile('Payload', data)];
    const archive = await collect(emitXar(layoutXar(entries, { creationTime: 0 })));
    await expandPackage(await openPackage(accessBuffer(archive)), folder, never);
    expect(factsOf('Payload')[0]).toBe('755');
  });

  it('keeps no set id and no sticky bit', async () => {
    const tree = [directory('.', 0o1777), directory('./d', 0o2755), file('./f', '', 0o6711)];
    await expandPackage(await packageOf(tree, 'Payload'), folder, never);
    expect(['Payload', 'Payload/d', 'Payload/f'].map((path) => factsOf(path)[0])).toEqual(['777', '755', '711']);
  });

  it('makes the folders that a tree does not list, for everybody to read', async () => {
    // odc, the mode being that of a file; names and sizes are octal (POSIX.1-1997).
    const header = (name: string, mode: string) =>
      `070707000000000000${mode}000000000000000001000000${'0'.repeat(11)}${(name.length + 1).toString(8).padStart(6, '0')}${'0'.repeat(11)}${name}\0`;
    const archived = header('./a/b/f', '100600') + header('TRAILER!!!', '000000');
    const data = Buffer.from(archived.padEnd(512, '\0'));
    const members = [storedFile('PackageInfo', INFO), storedFile('Payload', data)];
    const archive = await collect(emitXar(layoutXar(members, { creationTime: 0 })));
    const counts = await expandPackage(await openPackage(accessBuffer(archive)), folder, never);
    expect(counts).toEqual({ directories: 3, files: 2, symlinks: 0 });
    expect(['Payload/a', 'Payload/a/b', 'Payload/a/b/f'].map((path) => factsOf(path)[0])).toEqual([
      '755',
      '755',
      '600',
    ]);
    expect(factsOf('Payload/a/b/f')[1]).toBe(0);
    expect(factsOf('Payload/a')[1]).toBeGreaterThan(1_700_000_000);
  });

  it('makes the links of the archive itself', async () => {
    const toc =
      '<xar><toc><checksum style="sha1"><offset>0</offset><size>20</size></checksum>' +
      '<file id="1"><name>Payload</name><type>symlink</type><link type="broken">x/y</link></file></toc></xar>';
    const archive = await readXar(accessBuffer(sealXar(toc)));
    const counts = await expandPackage({ archive, distribution: undefined, components: [] }, folder, never);
    expect(counts).toEqual({ directories: 0, files: 0, symlinks: 1 });
    expect(readlinkSync(join(folder, 'Payload'))).toBe('x/y');
  });

  it('hears an interruption before each entry and each piece, in both readings', async () => {
    const opened = await packageOf([directory('.'), file('./f', 'hello'), symlink('./l', 'f')], 'Payload');
    const whole = asked(-1, () => true);
    await expandPackage(opened, folder, whole.signal);
    // PackageInfo and its piece; x.pkg; twice a Payload, of which `.` is there already, a file, its piece and a link.
    // The first reading also asks for a folder that is there.
    expect(whole.times()).toBe(2 + 1 + 2 * 5 + (2 + 1 + 2 * 4));
    for (let at = 0; at < whole.times(); at++) {
      const target = join(folder, `out-${at}`);
      mkdirSync(target);
      const run = expandPackage(opened, target, asked(at, () => true).signal);
      await expect(run).rejects.toMatchObject({ code: 'INTERRUPTED' });
      expect(readdirSync(target).length > 0).toBe(at > 2 + 1 + 2 * 5);
    }
  });
});

describe('expandPackage, in a folder that is not as it should be', () => {
  const run = async (signal = never, target = folder) =>
    expandPackage(await packageOf(FIVE, 'Payload'), target, signal).catch((error: unknown) => error);
  const unsafe = (code: string) => ({ code: 'EXPAND_UNSAFE', cause: expect.objectContaining({ code }) });

  it('opens nothing that is there', async () => {
    writeFileSync(join(folder, 'PackageInfo'), 'old');
    expect(await run()).toMatchObject(unsafe('EEXIST'));
    expect(readFileSync(join(folder, 'PackageInfo'), 'utf8')).toBe('old');
  });

  it('refuses to write below a file', async () => {
    const target = join(folder, 'file');
    writeFileSync(target, '');
    expect(await run(never, target)).toMatchObject(unsafe('ENOTDIR'));
  });

  /** A signal that is never aborted, and acts once when the folder of the tree's file is there. */
  function whenMade(act: (place: string) => void): AbortSignal {
    let done = false;
    const signal = {
      get aborted() {
        const place = join(folder, 'Payload/d/e');
        if (!done && lstatSync(place, { throwIfNoEntry: false })) {
          done = true;
          rmSync(place, { recursive: true });
          act(place);
        }
        return false;
      },
    };
    return signal as AbortSignal;
  }

  it('refuses to write below a folder that somebody replaces', async () => {
    expect(await run(whenMade((place) => symlinkSync('e', place)))).toMatchObject(unsafe('ELOOP'));
  });

  it('lets other errors be what they are', async () => {
    expect(await run(whenMade(() => undefined))).toMatchObject({ code: 'ENOENT', syscall: 'open' });
    expect(await run(never, join(folder, 'missing'))).toMatchObject({ code: 'ENOENT', syscall: 'statfs' });
  });
});

describe('expandPackage, on a disk that is nearly full', () => {
  // A tree of five entries, PackageInfo and x.pkg with the same tree: twelve blocks.
  const NEEDED = 12 * 4096;

  /** Runs with a file system that tells this of itself. */
  async function onDisk(facts: { blocks: number; bavail: number; bsize: number }): Promise<unknown> {
    const real = fsPromises.statfs;
    fsPromises.statfs = (async () => facts) as unknown as typeof real;
    syncBuiltinESMExports();
    try {
      return await expandPackage(await packageOf(FIVE, 'Payload'), folder, never);
    } catch (error) {
      return error;
    } finally {
      fsPromises.statfs = real;
      syncBuiltinESMExports();
    }
  }

  it.each([
    [{ blocks: 1, bavail: NEEDED / 512, bsize: 512 }, true],
    [{ blocks: 1, bavail: NEEDED - 1, bsize: 1 }, false],
    [{ blocks: 1, bavail: 0, bsize: 512 }, false],
    [{ blocks: 0, bavail: 0, bsize: 512 }, true],
  ])('with %j: unpacks %s', async (facts, unpacks) => {
    const found = await onDisk(facts);
    if (unpacks) expect(found).toMatchObject({ symlinks: 2 });
    else expect(found).toMatchObject({ name: 'UsageError', code: 'DISK_TOO_SMALL' });
    expect(readdirSync(folder).length > 0).toBe(unpacks);
  });
});
