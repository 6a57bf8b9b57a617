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
});
