import { mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessBuffer, accessFile, fromRange, type RandomAccess } from '../../src/base/random-access.ts';
import { readAll } from '../support/read-all.ts';
import { faultOf } from '../support/xar.ts';

const DATA = Buffer.from('0123456789');

describe('RandomAccess', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'random-access-'));
    await writeFile(join(folder, 'data'), DATA);
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function withBoth(check: (access: RandomAccess) => Promise<void>): Promise<void> {
    await check(accessBuffer(DATA));
    const handle = await open(join(folder, 'data'));
    try {
      await check(await accessFile(handle));
    } finally {
      await handle.close();
    }
  }

  it.each([
    [8, 3, 2],
    [10, 1, 0],
    [12, 1, 0],
    [0, 11, 10],
    [-2, 3, 10],
  ])('says how much there is: at %i, %i bytes, %i of them', (offset, length, found) =>
    withBoth(async (access) => {
      const { message } = await faultOf(() => access.read(offset, length));
      expect(message).toContain(`expected ${length} bytes, found ${found}`);
    }),
  );

  it('reads any part, the empty one at the end included', () =>
    withBoth(async (access) => {
      expect(access.size).toBe(10);
      expect((await access.read(3, 4)).toString()).toBe('3456');
      expect((await access.read(0, 10)).toString()).toBe('0123456789');
      expect(await access.read(10, 0)).toHaveLength(0);
    }));

  it.each([
    [8, 3, 8],
    [11, 0, 10],
    [-1, 2, -1],
    [2, -1, 2],
    [1e15, 1, 10],
  ])('refuses a range outside: offset %d, length %d', (offset, length, at) =>
    withBoth(async (access) => {
      const fault = await faultOf(() => access.read(offset, length));
      expect(fault.code).toBe('FORMAT_TRUNCATED');
      expect(fault.offset).toBe(at);
    }),
  );

  it('says when a file got shorter while it was open', async () => {
    const path = join(folder, 'shrinking');
    await writeFile(path, DATA);
    const handle = await open(path);
    const access = await accessFile(handle);
    await truncate(path, 4);
    const fault = await faultOf(() => access.read(2, 6));
    await handle.close();
    expect(fault.code).toBe('SOURCE_CHANGED');
    expect(fault.offset).toBe(4);
  });

  it('streams a range of more than one piece', async () => {
    const large = Buffer.alloc(600_000, 'abcdefg');
    const source = fromRange(accessBuffer(large), { offset: 5, size: 599_990 });
    expect((await readAll(source)).equals(large.subarray(5, 599_995))).toBe(true);
    const sizes: number[] = [];
    for await (const piece of source.chunks()) sizes.push(piece.length);
    expect(sizes).toEqual([262_144, 262_144, 75_702]);
  });
});
