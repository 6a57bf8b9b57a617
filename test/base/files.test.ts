import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  digestFile,
  removeOwnUnfinished,
  removeTree,
  removeUnfinished,
  unfinishedName,
  writeWhole,
} from '../../src/base/files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('writeWhole', () => {
  it('writes the bytes and says what they are', async () => {
    const written = await writeWhole(join(folder, 'a'), 'hello');
    // From `printf hello | sha256sum`.
    expect(written).toEqual({
      path: join(folder, 'a'),
      size: 5,
      sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    });
    expect(await digestFile(join(folder, 'a'))).toEqual(written);
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('gives the mode asked for under any umask', async () => {
    const before = process.umask(0o077);
    try {
      await writeWhole(join(folder, 'a'), 'x', 0o755);
    } finally {
      process.umask(before);
    }
    expect(statSync(join(folder, 'a')).mode & 0o7777).toBe(0o755);
  });

  it('is on the disk before it takes its name', async () => {
    const other = await open(join(folder, 'other'), 'w');
    const handles = Object.getPrototypeOf(other) as FileHandle;
    await other.close();
    const { sync } = handles;
    const seen: string[][] = [];
    handles.sync = function (this: FileHandle) {
      seen.push(readdirSync(folder).map((name) => (name.endsWith('.unfinished') ? 'unfinished' : name)));
      return sync.call(this);
    };
    try {
      await writeWhole(join(folder, 'a'), 'x');
    } finally {
      handles.sync = sync;
    }
    expect(seen).toEqual([['unfinished', 'other']]);
  });

  it('keeps what was there, and leaves nothing beside it, when the content fails half-way', async () => {
    writeFileSync(join(folder, 'a'), 'old');
    async function* broken() {
      yield Buffer.from('new');
      throw new Error('source broke');
    }
    await expect(writeWhole(join(folder, 'a'), broken())).rejects.toThrow('source broke');
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['a']);
  });
});

describe('removeUnfinished', () => {
  it('removes what a dead process left, and nothing else', async () => {
    // The largest pid of Linux is 2^22: this one never runs.
    writeFileSync(join(folder, '.a.pkg.99999999.0123abcd.unfinished'), '');
    writeFileSync(join(folder, `.b.pkg.${process.pid}.0123abcd.unfinished`), '');
    writeFileSync(join(folder, '.c.unfinished'), '');
    writeFileSync(join(folder, 'd.pkg'), '');
    await removeUnfinished(folder);
    expect(readdirSync(folder).sort()).toEqual(
      [`.b.pkg.${process.pid}.0123abcd.unfinished`, '.c.unfinished', 'd.pkg'].sort(),
    );
    await removeUnfinished(join(folder, 'absent'));
  });
});

describe('removeOwnUnfinished', () => {
  it('removes what this process has begun', () => {
    const name = unfinishedName(join(folder, 'a'));
    writeFileSync(name, 'half');
    removeOwnUnfinished();
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('removeTree', () => {
  it.skipIf(process.getuid?.() === 0)(
    'removes folders that may not be written to; skipped: needs a user but root',
    () => {
      mkdirSync(join(folder, 'a/b'), { recursive: true });
      writeFileSync(join(folder, 'a/b/c'), '');
      chmodSync(join(folder, 'a/b'), 0o555);
      removeTree(join(folder, 'a'));
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it('does not mind what is not there', () => expect(removeTree(join(folder, 'none'))).toBeUndefined());
});
