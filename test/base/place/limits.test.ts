import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestFile, removeTree, removeUnfinished, writeUnlessOther, writeWhole } from '../../../src/base/files.ts';
import { demandFolder, makeFolder } from '../../../src/base/place/folder.ts';
import { kindName } from '../../../src/base/place/kind-name.ts';
import { readPatiently } from '../../../src/base/place/read-patiently.ts';
import { shellWord, shownPath } from '../../../src/base/place/shown.ts';
import { demandFree, targetOf } from '../../../src/base/place/target.ts';
import { readWhole } from '../../../src/base/with-file.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'limits-'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  writeFileSync(join(folder, 'file'), 'old');
  symlinkSync('file', join(folder, 'link'));
  symlinkSync('nowhere', join(folder, 'dangling'));
  symlinkSync('folder', join(folder, 'to-folder'));
  mkdirSync(join(folder, 'folder'));
});
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
/** What this process holds open: a folder of Linux and macOS. */
const held = () => readdirSync('/dev/fd').length;

describe('targetOf and demandFree', () => {
  it('give the name itself, or the end of its links', async () => {
    expect(await targetOf(at('none'))).toBe(at('none'));
    expect(await targetOf(at('file'))).toBe(at('file'));
    expect(await targetOf(at('link'))).toMatch(/\/file$/);
    await expect(targetOf(at('dangling'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(targetOf(at('file/below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
    for (const [name, kind] of [
      ['folder', 'a folder'],
      ['to-folder', 'a folder'],
      ['pipe', 'a pipe'],
    ] as const)
      await expect(targetOf(at(name))).rejects.toMatchObject({
        code: 'TARGET_NOT_A_FILE',
        message: `${at(name)} is ${kind}, not a file`,
      });
  });

  it('refuse a name that anything has, and pass on what else goes wrong', async () => {
    await expect(demandFree(at('none'))).resolves.toBeUndefined();
    for (const name of ['file', 'folder', 'link', 'dangling'])
      await expect(demandFree(at(name))).rejects.toMatchObject({ code: 'TARGET_EXISTS' });
    await expect(demandFree(at('file/below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });
});

describe('writeWhole and its siblings', () => {
  it('hold nothing open afterwards, whether it went well or not', async () => {
    const before = held();
    for (let turn = 0; turn < 5; turn++) {
      await writeWhole(at('written'), Buffer.from('abc'));
      await writeWhole(at('written'), failing()).catch(() => undefined);
      await readWhole(at('written'));
      await readPatiently(at('written'));
    }
    expect(held()).toBe(before);
    expect(readFileSync(at('written'), 'utf8')).toBe('abc');
    expect(statSync(at('written')).mode & 0o7777).toBe(0o644);
  });
  async function* failing(): AsyncIterable<Buffer> {
    yield Buffer.from('half');
    throw new Error('source broke');
  }

  it('count and digest all that comes', async () => {
    async function* parts() {
      yield Buffer.from('hel');
      yield Buffer.from('lo');
    }
    const written = await writeWhole(at('parts'), parts());
    // From `printf hello | sha256sum`.
    const sha256 = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
    expect(written).toEqual({ path: at('parts'), size: 5, sha256 });
    writeFileSync(at('large'), Buffer.alloc((1 << 20) + 1));
    expect((await digestFile(at('large'))).size).toBe((1 << 20) + 1);
  });

  it('say whether a file with other contents went', async () => {
    const write = (text: string | Buffer, replace: boolean) => writeUnlessOther(at('kit'), text, replace);
    expect(await write('one', false)).toMatchObject({ replaced: false, size: 3 });
    expect(await write(Buffer.from('one'), true)).toMatchObject({ replaced: false });
    expect(await write('two', true)).toMatchObject({ replaced: true });
    await expect(write('three', false)).rejects.toMatchObject({ hint: expect.stringContaining('--replace') });
    writeFileSync(at('kit'), '');
    expect(await write('two', false)).toMatchObject({ replaced: false });
    await expect(writeUnlessOther(at('dangling'), 'x', true)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('removes what is unfinished and only of names that it made itself', async () => {
    mkdirSync(at('left/.a.99999999.0123abcd.unfinished/b'), { recursive: true });
    const others = [
      'x.a.99999999.0123abcd.unfinished',
      '.a.99999999.0123abcd.unfinished.x',
      '.a.99999999.0123abc.unfinished',
    ];
    for (const name of [...others, '.99999999.0123abcd.unfinished']) writeFileSync(at(`left/${name}`), '');
    await removeUnfinished(at('left'));
    expect(readdirSync(at('left')).sort()).toEqual([...others, '.99999999.0123abcd.unfinished'].sort());
    await expect(removeUnfinished(at('file'))).rejects.toMatchObject({ code: 'ENOTDIR' });
    removeTree(at('left'));
    expect(readdirSync(folder)).not.toContain('left');
  });
});

describe('makeFolder', () => {
  it('gives the mode asked for to each folder that it makes, and to no other', async () => {
    chmodSync(at('folder'), 0o755);
    await makeFolder(at('folder/a/b'), 0o700);
    const modes = ['folder', 'folder/a', 'folder/a/b'].map((name) => statSync(at(name)).mode & 0o777);
    expect(modes).toEqual([0o755, 0o700, 0o700]);
    await makeFolder(at('to-folder'));
    await expect(makeFolder(at('file/a'))).rejects.toMatchObject({ code: 'ENOTDIR' });
    await expect(makeFolder(at('file/a/b'))).rejects.toMatchObject({ code: 'ENOTDIR' });
    await expect(makeFolder(at('dangling'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(demandFolder(at('none'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('kindName', () => {
  it.each([
    ['isFile', 'a file'],
    ['isDirectory', 'a folder'],
    ['isFIFO', 'a pipe'],
    ['isSocket', 'a socket'],
    ['isBlockDevice', 'a device'],
  ])('of what %s is %s', (is, name) => {
    const no = { isFile: () => false, isDirectory: () => false, isFIFO: () => false, isSocket: () => false };
    expect(kindName({ ...no, [is]: () => true } as unknown as Stats)).toBe(name);
  });
});

describe('readPatiently and readWhole', () => {
  it('take 1 MiB and not a byte more', async () => {
    writeFileSync(at('mib'), Buffer.alloc(1 << 20, 1));
    expect((await readPatiently(at('mib'))).equals(Buffer.alloc(1 << 20, 1))).toBe(true);
    truncateSync(at('mib'), (1 << 20) + 1);
    await expect(readPatiently(at('mib'))).rejects.toMatchObject({
      code: 'FILE_TOO_LARGE',
      message: expect.stringContaining('has more than 1048576 bytes'),
    });
    writeFileSync(at('empty'), '');
    expect(await readPatiently(at('empty'))).toHaveLength(0);
  });

  it('take a single byte from a pipe', async () => {
    const writer = spawn('sh', ['-c', 'printf x >"$0"', at('pipe')]);
    expect((await readPatiently(at('pipe'))).toString()).toBe('x');
    await new Promise((done) => (writer.exitCode === null ? writer.on('close', done) : done(0)));
  });

  it('refuse more than 512 MiB at once, and say what else there is', async () => {
    writeFileSync(at('huge'), '');
    truncateSync(at('huge'), 512 * 1024 * 1024 + 1);
    await expect(readWhole(at('huge'))).rejects.toMatchObject({
      code: 'FILE_TOO_LARGE',
      message: expect.stringContaining('has 536870913 bytes; at most 536870912 are read'),
    });
    const hintOf = async (name: string) => (await readWhole(name).catch((error) => error)).hint;
    expect(await hintOf(at('folder'))).toContain('A package that is a folder is not read');
    expect(await hintOf(at('pipe'))).toContain('Save what comes through it in a file');
    expect(await hintOf('/dev/null')).toBe('Name a file.');
  });
});

describe('shownPath and shellWord', () => {
  it('leave the middle out of what is longer than 200', () => {
    expect(shownPath('a'.repeat(200))).toBe('a'.repeat(200));
    expect(shownPath(`${'a'.repeat(100)}${'b'.repeat(101)}`)).toBe(`${'a'.repeat(90)}...${'b'.repeat(90)}`);
  });

  it.each([
    ['\u001b[1m', '"\\u001b[1m"'],
    ['a\u0085', '"a\\u0085"'],
    ['\u2028', '"\\u2028"'],
    ['\u2066', '"\\u2066"'],
    ['ä "b"', 'ä "b"'],
    ['a\t"', '"a\\t\\""'],
  ])('show %j as %s', (path, shown) => expect(shownPath(path)).toBe(shown));

  it.each([
    ['', "''"],
    ['a b', "'a b'"],
    ['$x', "'$x'"],
    ['/a/b_c-1.0+2', '/a/b_c-1.0+2'],
    ["''", "''\\'''\\'''"],
  ])('take %j for the word %s', (path, word) => expect(shellWord(path)).toBe(word));
});
