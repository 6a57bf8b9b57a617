import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromBuffer, fromFile } from '../../src/base/bytes.ts';
import { readAll } from '../support/read-all.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bytes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('fromBuffer', () => {
  it.each(['', 'a', 'hello'])('gives %j', async (text) => {
    const source = fromBuffer(Buffer.from(text));
    expect(source.size).toBe(text.length);
    expect((await readAll(source)).toString()).toBe(text);
    expect([...(source.chunksNow?.() ?? [])].map(String)).toEqual(text === '' ? [] : [text]);
    const pieces = [];
    for await (const piece of source.chunks()) pieces.push(piece);
    expect(pieces).toHaveLength(text === '' ? 0 : 1);
  });
});

describe('fromFile', () => {
  const READ = 256 * 1024;
  it.each([0, 1, 5, READ - 1, READ, READ + 1, 2 * READ, 600_000])('gives a file of %i bytes', async (size) => {
    const data = Buffer.from(Array.from({ length: size }, (_, index) => index & 0xff));
    writeFileSync(join(folder, 'a'), data);
    const source = fromFile(join(folder, 'a'), size);
    expect(await readAll(source)).toEqual(data);
    expect(Buffer.concat([...(source.chunksNow?.() ?? [])].map((chunk) => Buffer.from(chunk)))).toEqual(data);
  });

  it.each([
    ['shorter', 5, 3, 'expected 5 bytes, found 3'],
    ['empty', 5, 0, 'expected 5 bytes, found 0'],
    ['longer', 5, 6, 'expected 5 bytes, found more'],
    ['longer than nothing', 0, 1, 'expected 0 bytes, found more'],
    ['longer than one reading', READ, READ + 1, `expected ${READ} bytes, found more`],
    ['shorter by one reading', 2 * READ, READ, `expected ${2 * READ} bytes, found ${READ}`],
  ])('refuses a file that became %s', async (_, before, after, problem) => {
    writeFileSync(join(folder, 'a'), Buffer.alloc(before));
    const source = fromFile(join(folder, 'a'), before);
    truncateSync(join(folder, 'a'), after);
    await expect(readAll(source)).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
      message: expect.stringContaining(problem),
    });
  });

  it('refuses a file that is gone, and names it', async () => {
    const source = fromFile(join(folder, 'gone'), 5);
    await expect(readAll(source)).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
      message: expect.stringMatching(/gone, offset 0: expected 5 bytes, found no file any more$/),
    });
  });

  it('passes on other errors of the file system, and holds nothing open', async () => {
    const held = () => readdirSync('/dev/fd').length;
    writeFileSync(join(folder, 'a'), 'abc');
    const before = held();
    await expect(readAll(fromFile(join(folder, 'a/b'), 5))).rejects.toMatchObject({ code: 'ENOTDIR' });
    await expect(readAll(fromFile(join(folder, 'a'), 5))).rejects.toMatchObject({
      hint: expect.stringMatching(/Run again/),
    });
    await readAll(fromFile(join(folder, 'a'), 3));
    for await (const _ of fromFile(join(folder, 'a'), 3).chunks()) break;
    expect(held()).toBe(before);
  });
});
