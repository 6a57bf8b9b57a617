import { execFileSync, spawn } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demandWritable, writeUnlessOther, writeWhole } from '../../../src/base/files.ts';
import { demandFolder, makeFolder } from '../../../src/base/place/folder.ts';
import { readPatiently } from '../../../src/base/place/read-patiently.ts';
import { shellWord, shownPath } from '../../../src/base/place/shown.ts';
import { readWhole } from '../../../src/base/with-file.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'places-'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  writeFileSync(join(folder, 'file'), 'old');
  symlinkSync('file', join(folder, 'link'));
  symlinkSync('nowhere', join(folder, 'dangling'));
  mkdirSync(join(folder, 'folder'));
});
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

describe('writeWhole', () => {
  it.each(['pipe', 'folder', 'dangling'])('leaves a %s as it is', async (name) => {
    const before = lstatSync(at(name)).mode;
    await expect(writeWhole(at(name), 'new')).rejects.toThrow();
    await expect(demandWritable(at(name))).rejects.toThrow();
    expect(lstatSync(at(name)).mode).toBe(before);
  });

  it('writes through a link, which stays', async () => {
    await writeWhole(at('link'), 'new');
    expect([lstatSync(at('link')).isSymbolicLink(), readFileSync(at('file'), 'utf8')]).toEqual([true, 'new']);
  });

  it('leaves nothing where it was only asked whether it could', async () => {
    await demandWritable(at('perhaps'));
    expect(readdirSync(folder).filter((name) => name.includes('perhaps'))).toEqual([]);
    await expect(demandWritable('/proc/self/perhaps')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('writeUnlessOther', () => {
  const bytes = async function* (text: string) {
    yield Buffer.from(text);
  };

  it('takes the place of the same contents, and of others only when told', async () => {
    writeFileSync(at('kit'), '');
    await writeUnlessOther(at('kit'), bytes('one'), false);
    await writeUnlessOther(at('kit'), bytes('one'), false);
    await expect(writeUnlessOther(at('kit'), bytes('two'), false)).rejects.toMatchObject({ code: 'TARGET_EXISTS' });
    expect(readFileSync(at('kit'), 'utf8')).toBe('one');
    await writeUnlessOther(at('kit'), bytes('two'), true);
    expect(readFileSync(at('kit'), 'utf8')).toBe('two');
  });
});

describe('makeFolder', () => {
  it('makes all that is missing, and again', async () => {
    await makeFolder(at('a/b/c'));
    await makeFolder(at('a/b/c'));
    await demandFolder(at('a/b/c'));
  });

  it('ends where nothing can be made, at any depth', async () => {
    await expect(makeFolder('/proc/self/a')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(makeFolder('/proc/self/a/b/c')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each(['pipe', 'file'])('refuses a %s of that name', async (name) => {
    await expect(makeFolder(at(name))).rejects.toMatchObject({ code: 'NOT_A_FOLDER' });
    await expect(demandFolder(at(name))).rejects.toThrow(`is a ${name}, not a folder`);
  });
});

describe('readWhole and readPatiently', () => {
  it('refuse what has no end or no writer', async () => {
    await expect(readWhole(at('pipe'))).rejects.toMatchObject({ code: 'NOT_A_FILE' });
    await expect(readPatiently(at('pipe'))).rejects.toMatchObject({ code: 'PIPE_SILENT' });
    await expect(readPatiently('/dev/zero')).rejects.toThrow('/dev/zero is a device, not a file');
    await expect(readPatiently(at('folder'))).rejects.toThrow('is a folder, not a file');
  });

  it('give a file', async () => {
    writeFileSync(at('secret'), 'x');
    expect([await readWhole(at('secret')), await readPatiently(at('secret'))].map(String)).toEqual(['x', 'x']);
  });

  it('waits for a writer that is slow', async () => {
    const writer = spawn('sh', ['-c', 'exec >"$0"; sleep 0.3; printf sec; sleep 0.1; printf ret', at('pipe')]);
    const ended = new Promise((done) => writer.on('close', done));
    expect((await readPatiently(at('pipe'))).toString()).toBe('secret');
    expect(await ended).toBe(0);
  });
});

describe('shownPath and shellWord', () => {
  it('keep a path on one line, and one word', () => {
    expect(shownPath('/tmp/a b')).toBe('/tmp/a b');
    expect(shownPath('a\n\u202eb')).toBe('"a\\n\\u202eb"');
    expect([shellWord('a/b-1.pkg'), shellWord("it's")]).toEqual(['a/b-1.pkg', "'it'\\''s'"]);
  });
});
