import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { removeTree } from '../../../src/base/files.ts';
import type { BundleEntry } from '../../../src/code-signature/bundle-entry.ts';
import { readBundle, writeBundle, writePayloadTree } from '../../../src/toolchain/apple/disk-tree.ts';
import { directory, file, symlink } from '../../support/payload.ts';

const scratch = mkdtempSync(join(tmpdir(), 'disk-tree-'));
afterAll(() => removeTree(scratch));
let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(scratch, 'a-')), 'tree');
});
const facts = (path: string) => {
  const { mode, mtimeMs } = lstatSync(join(folder, path));
  return [(mode & 0o7777).toString(8), mtimeMs / 1000];
};

describe('writePayloadTree', () => {
  it('gives everything its mode and time, folders after what is in them, links their own time', async () => {
    const entries = [
      directory('.', 0o755),
      { ...directory('./a', 0o750), mtimeSeconds: 1_600_000_001 },
      { ...file('./a/run', '#!/bin/sh\n', 0o755), mtimeSeconds: 1_600_000_002 },
      file('./a/text', 'text', 0o600),
      { ...symlink('./a/link', 'nowhere'), mtimeSeconds: 1_600_000_003 },
    ];
    await writePayloadTree(entries, folder);
    expect(facts('.')).toEqual(['755', 1_700_000_000]);
    expect(facts('a')).toEqual(['750', 1_600_000_001]);
    expect(facts('a/run')).toEqual(['755', 1_600_000_002]);
    expect(facts('a/text')).toEqual(['600', 1_700_000_000]);
    expect([readlinkSync(join(folder, 'a/link')), facts('a/link')[1]]).toEqual(['nowhere', 1_600_000_003]);
    expect(readFileSync(join(folder, 'a/run'), 'utf8')).toBe('#!/bin/sh\n');
  });

  it('can fill a folder that its owner may not write', async () => {
    await writePayloadTree([directory('.', 0o555), file('./a', 'a')], folder);
    expect(facts('.')).toEqual(['555', 1_700_000_000]);
  });

  it.each([
    [501, 0],
    [0, 20],
    [501, 20],
  ])('writes nothing where one belongs to %i:%i', async (uid, gid) => {
    const entries = [directory('.'), { ...file('./a', 'a'), uid, gid }];
    await expect(writePayloadTree(entries, folder)).rejects.toMatchObject({
      code: 'OWNER_NOT_ROOT',
      message: `./a belongs to ${uid}:${gid}`,
    });
    expect(readdirSync(join(folder, '..'))).toEqual([]);
  });
});

describe('a bundle on disk', () => {
  const entries: BundleEntry[] = [
    { path: 'Contents/A', mode: 0o755, data: Buffer.from('a') },
    { path: 'Contents/B/c', mode: 0o640, data: Buffer.from('c') },
    { path: 'Contents/B/link', mode: 0o777, symlink: '../A' },
    { path: 'Contents/a', mode: 0o644, data: Buffer.alloc(0) },
  ];

  it('is read as it was written, by path, without folders', async () => {
    await writeBundle([...entries].reverse(), folder);
    mkdirSync(join(folder, 'Contents/empty'));
    expect(await readBundle(folder)).toEqual(entries);
  });
});
