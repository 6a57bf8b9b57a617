import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unfinishedName } from '../../../src/base/files.ts';
import { fileProblem } from '../../../src/base/place/file-problem.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'place-'));
  writeFileSync(join(folder, 'file'), '');
  mkdirSync(join(folder, 'folder'));
  symlinkSync('nowhere', join(folder, 'dangling'));
  symlinkSync('loop-b', join(folder, 'loop-a'));
  symlinkSync('loop-a', join(folder, 'loop-b'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the file system says of a path, in our words, with the scratch folder left out. */
async function said(path: string, flags: string | number = 'r'): Promise<string | undefined> {
  try {
    await (await open(path, flags)).close();
    return undefined;
  } catch (error) {
    const problem = fileProblem(error as NodeJS.ErrnoException);
    return problem?.message.replaceAll(folder, 'F');
  }
}

describe('fileProblem', () => {
  it.each([
    ['none', 'there is no file or folder F/none'],
    ['none/below/it', 'there is no folder F/none'],
    ['file/below', 'F/file is not a folder: nothing lies below it'],
    ['file/below/it', 'F/file is not a folder: nothing lies below it'],
    ['dangling', 'F/dangling is a link to nowhere, which is not there'],
    ['loop-a', 'F/loop-a is a symbolic link that leads back to itself'],
    ['new\nline', 'there is no file or folder "F/new\\nline"'],
  ])('names the part of %j that is wrong', async (path, message) => {
    expect(await said(join(folder, path))).toBe(message);
  });

  it('shows a name that is too long with its middle left out', async () => {
    const words = (await said(join(folder, 'a'.repeat(300)))) as string;
    expect(words).toMatch(/^the name is too long: .*aaa\.\.\.aaa/);
    expect(words.length).toBeLessThan(300);
  });

  it('speaks of the file that was to be written, not of its hidden name beside it', async () => {
    expect(await said(unfinishedName(join(folder, 'none/x')), 'wx')).toBe('there is no folder F/none');
    expect(await said('')).toBe('the name of a file is empty');
  });

  it('tells a place where nothing can be made from one that is missing', async () => {
    const error = await mkdir('/proc/self/nothing').catch((caught) => caught);
    expect(fileProblem(error)?.message).toMatch(/\/proc\/self/);
  });

  it('says of a full disk that the same command works once there is room', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    expect(fileProblem(full)).toMatchObject({ message: 'the disk is full', isFull: true });
  });

  it('says nothing of errors that are no matter of files', () => {
    expect(fileProblem(new TypeError('x'))).toBeUndefined();
    expect(fileProblem(Object.assign(new Error('x'), { code: 'ERR_INVALID_ARG_TYPE' }))).toBeUndefined();
  });

  it('knows a socket, which cannot be opened', async () => {
    const server = createServer().listen(join(folder, 'socket'));
    await new Promise((done) => server.once('listening', done));
    expect(await said(join(folder, 'socket'))).toBe('F/socket is a socket or device, not a file');
    server.close();
  });

  it('names the folder when it may not be written to, and the file when it may not be read', () => {
    const denied = { code: 'EACCES', syscall: 'open' };
    expect(fileProblem(Object.assign(new Error('x'), denied, { path: '/a b/c' }))).toEqual({
      message: '/a b/c may not be read, written or run',
      hint: "See who may: ls -ld '/a b/c'",
    });
    const beside = unfinishedName('/a b/c');
    expect(fileProblem(Object.assign(new Error('x'), denied, { path: beside }))?.message).toBe(
      'writing is not allowed in /a b',
    );
  });

  const errorOf = (more: object) => Object.assign(new Error('X: some words'), more) as NodeJS.ErrnoException;
  it.each([
    ['EACCES', '/a/b may not be read, written or run', 'See who may: ls -ld /a/b'],
    ['EPERM', '/a/b may not be read, written or run', 'See who may: ls -ld /a/b'],
    ['EROFS', '/a/b lies on a disk that can only be read', 'Choose another path.'],
    ['EISDIR', '/a/b is a folder, not a file', 'Name a file.'],
    ['ENOTEMPTY', '/a/b is a folder, not a file', 'Name a file.'],
    ['EEXIST', '/a/b is there already', 'Choose another path.'],
    ['ENAMETOOLONG', 'the name is too long: /a/b', 'Name a shorter one.'],
    ['ELOOP', '/a/b is a symbolic link that leads back to itself', 'Check the links: ls -l'],
    ['EBUSY', '/a/b is in use', 'End what uses it, and run again.'],
    ['ETXTBSY', '/a/b is in use', 'End what uses it, and run again.'],
    ['ENXIO', '/a/b is a socket or device, not a file', 'Name a file.'],
    ['ENODEV', '/a/b is a socket or device, not a file', 'Name a file.'],
    ['EOPNOTSUPP', '/a/b is a socket or device, not a file', 'Name a file.'],
    ['EIO', '/a/b: the disk failed', 'See the messages of the system: dmesg.'],
    ['EINVAL', '/a/b is on a disk that does not allow this', 'Choose another path.'],
    ['ENOTSUP', '/a/b is on a disk that does not allow this', 'Choose another path.'],
    ['EXDEV', '/a/b is on a disk that does not allow this', 'Choose another path.'],
  ])('has words for %s of a path', (code, message, hint) => {
    expect(fileProblem(errorOf({ code, path: '/a/b', syscall: 'open' }))).toEqual({ message, hint });
    expect(fileProblem(errorOf({ code, path: '/x', dest: '/a/b', syscall: 'rename' }))).toEqual({ message, hint });
  });

  it.each(['EACCES', 'EPERM', 'ENOTDIR', 'EISDIR', 'EROFS', 'ENAMETOOLONG', 'ELOOP', 'EIO'])(
    'passes on the words of the system for %s without a path',
    (code) => {
      const error = Object.assign(new Error(`${code}: some words, read`), { code });
      expect(fileProblem(error)?.message).toBe('a file could not be read or written: some words, read');
    },
  );

  it.each([
    ['ENOSPC', 'the disk is full'],
    ['EDQUOT', 'your share of the disk is full'],
    ['EFBIG', 'the file would be larger than allowed here'],
    ['EMFILE', 'too many files are open'],
    ['ENFILE', 'too many files are open on this machine'],
  ])('says of %s that something runs out, with a path or without', (code, message) => {
    for (const more of [{}, { path: '/a' }]) {
      expect(fileProblem(errorOf({ code, ...more }))).toEqual({ message, hint: expect.any(String), isFull: true });
    }
  });

  it('says nothing of codes that it does not know, or that need a path', () => {
    expect(fileProblem(errorOf({ code: 'EWHAT', path: '/a' }))).toBeUndefined();
    for (const code of ['ENOENT', 'EEXIST', 'ECONNREFUSED']) expect(fileProblem(errorOf({ code }))).toBeUndefined();
  });

  it('tells what to do about a folder that is missing, by what was to be done', () => {
    const hintOf = (path: string, syscall: string) => fileProblem(errorOf({ code: 'ENOENT', path, syscall }))?.hint;
    const below = join(folder, 'none/a b');
    expect(hintOf(below, 'open')).toBe('Check the path.');
    expect(hintOf(join(below, 'c'), 'mkdir')).toBe(`Make it first: mkdir -p '${below}'`);
    expect(hintOf(join(folder, 'none'), 'mkdir')).toBe('Choose another path.');
    expect(hintOf(join(folder, 'none'), 'open')).toBe('Check the path.');
    expect(hintOf(join(folder, 'none'), 'xmk')).toBe('Check the path.');
    expect(hintOf(join(folder, 'dangling'), 'open')).toBe('Mend the link, or name a file.');
    const denied = fileProblem(errorOf({ code: 'EACCES', path: '/a b/c', syscall: 'mkdir' }));
    expect(denied).toEqual({ message: 'writing is not allowed in /a b', hint: "See who may: ls -ld '/a b'" });
  });

  it('names what an unfinished folder above it is to become', () => {
    const path = join(folder, '.out.12.0123abcd.unfinished/x');
    expect(fileProblem(errorOf({ code: 'EROFS', path }))?.message).toBe(
      `${join(folder, 'out/x')} lies on a disk that can only be read`,
    );
  });
});
