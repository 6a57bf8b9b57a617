import { describe, expect, it } from 'vitest';
import { defaultMaxBytes, Surveyor } from '../../src/package/expand-survey.ts';

const BLOCK = 4096;
const never = new AbortController().signal;

async function* pieces(...sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (const size of sizes) yield Buffer.alloc(size);
}

/** Bytes that a file of these pieces takes, its folder left out. */
async function fileBytes(...sizes: readonly number[]): Promise<number> {
  const surveyor = new Surveyor(2 ** 40, false, never);
  await surveyor.file('f', 0o644, pieces(...sizes));
  return surveyor.bytes;
}

/** The code that a walk ends with, or the bytes that it found. */
async function ending(maxBytes: number, walk: (surveyor: Surveyor) => Promise<void>): Promise<string | number> {
  const surveyor = new Surveyor(maxBytes, false, never);
  try {
    await walk(surveyor);
  } catch (error) {
    return (error as { code: string }).code;
  }
  return surveyor.bytes;
}

describe('Surveyor', () => {
  it.each([
    [[], 1],
    [[0], 1],
    [[1], 1],
    [[BLOCK - 1], 1],
    [[BLOCK], 1],
    [[BLOCK + 1], 2],
    [[2 * BLOCK], 2],
    [[BLOCK, BLOCK, 1], 3],
  ])('counts a file of the pieces %j as %i blocks', async (sizes, blocks) => {
    expect(await fileBytes(...sizes)).toBe(blocks * BLOCK);
  });

  it('counts a block for a folder, a link, and each folder above them that is new', async () => {
    const surveyor = new Surveyor(2 ** 40, false, never);
    await surveyor.directory('a');
    expect(surveyor.bytes).toBe(BLOCK);
    await surveyor.directory('a');
    expect(surveyor.bytes).toBe(BLOCK);
    await surveyor.symlink('a/l');
    expect(surveyor.bytes).toBe(2 * BLOCK);
    await surveyor.file('b/c/f', 0o644, pieces());
    expect(surveyor.bytes).toBe(5 * BLOCK);
  });

  it.each<[string, number, (surveyor: Surveyor) => Promise<void>]>([
    ['a folder', 1, (surveyor) => surveyor.directory('a')],
    ['a link', 1, (surveyor) => surveyor.symlink('a')],
    ['a link in a folder', 2, (surveyor) => surveyor.symlink('a/b')],
    ['a file', 3, (surveyor) => surveyor.file('a', 0o644, pieces(3 * BLOCK))],
    ['a file in pieces', 3, (surveyor) => surveyor.file('a', 0o644, pieces(BLOCK, BLOCK, 1))],
  ])('allows %s of %i blocks, and none that is larger by a byte', async (_, blocks, walk) => {
    expect(await ending(blocks * BLOCK, walk)).toBe(blocks * BLOCK);
    expect(await ending(blocks * BLOCK - 1, walk)).toBe('EXPAND_TOO_LARGE');
  });

  it('refuses a file as soon as it is too large, not at its end', async () => {
    let asked = 0;
    async function* endless() {
      for (; asked < 100; asked++) yield Buffer.alloc(BLOCK);
    }
    expect(await ending(3 * BLOCK, (surveyor) => surveyor.file('a', 0o644, endless()))).toBe('EXPAND_TOO_LARGE');
    expect(asked).toBe(3);
  });

  it('counts what came before', async () => {
    const walk = async (surveyor: Surveyor) => {
      await surveyor.file('a', 0o644, pieces(2 * BLOCK));
      await surveyor.directory('b');
    };
    expect(await ending(3 * BLOCK, walk)).toBe(3 * BLOCK);
    expect(await ending(3 * BLOCK - 1, walk)).toBe('EXPAND_TOO_LARGE');
  });

  it.each<[string, (surveyor: Surveyor) => Promise<void>]>([
    ['a file below a link', (surveyor) => surveyor.symlink('a').then(() => surveyor.file('a/b', 0o644, pieces()))],
    ['a folder at the place of a link', (surveyor) => surveyor.symlink('a').then(() => surveyor.directory('a'))],
    ['a link at the place of a folder', (surveyor) => surveyor.directory('a').then(() => surveyor.symlink('a'))],
    ['a folder at the place of a file', (s) => s.file('a', 0o644, pieces()).then(() => s.directory('a'))],
  ])('refuses %s', async (_, walk) => {
    expect(await ending(2 ** 40, walk)).toBe('EXPAND_UNSAFE');
  });

  it('takes names in capitals for others where the disk does', async () => {
    const sensitive = new Surveyor(2 ** 40, true, never);
    await sensitive.directory('a');
    await sensitive.directory('A');
    expect(sensitive.bytes).toBe(2 * BLOCK);
    expect(await ending(2 ** 40, (one) => one.directory('a').then(() => one.directory('A')))).toBe('EXPAND_COLLISION');
  });

  it('hears an interruption at each entry and inside a file', async () => {
    const signal = AbortSignal.abort();
    for (const walk of [
      (surveyor: Surveyor) => surveyor.directory('a'),
      (surveyor: Surveyor) => surveyor.symlink('a'),
      (surveyor: Surveyor) => surveyor.file('a', 0o644, pieces()),
    ])
      await expect(walk(new Surveyor(2 ** 40, false, signal))).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const controller = new AbortController();
    async function* content() {
      yield Buffer.alloc(1);
      controller.abort();
      yield Buffer.alloc(1);
    }
    const inside = new Surveyor(2 ** 40, false, controller.signal).file('a', 0o644, content());
    await expect(inside).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});

describe('defaultMaxBytes', () => {
  const GIB = 2 ** 30;
  it.each([
    [0, 4 * GIB],
    [Math.floor((4 * GIB) / 100), 4 * GIB],
    [Math.floor((4 * GIB) / 100) + 1, (Math.floor((4 * GIB) / 100) + 1) * 100],
    [GIB, 100 * GIB],
  ])('of a package of %i bytes is %i', (size, most) => {
    expect(defaultMaxBytes(size)).toBe(most);
  });
});
