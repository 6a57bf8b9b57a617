import { describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../../src/base/input/limits.ts';
import type { CpioEntry } from '../../src/cpio/read.ts';
import { PathSurvey } from '../../src/package/path-survey.ts';
import { relativePath, Tree } from '../../src/verify/tree.ts';

interface Made {
  readonly path: string;
  readonly kind?: CpioEntry['kind'];
  readonly data?: Buffer | string | readonly Buffer[];
  readonly header?: Partial<CpioEntry['header']>;
}

function entry({ path, kind = 'file', data = '', header = {} }: Made): CpioEntry {
  const chunks = Array.isArray(data) ? (data as Buffer[]) : [Buffer.from(data as string)];
  const size = chunks.reduce((sum, { length }) => sum + length, 0);
  return {
    path,
    kind,
    mode: 0o644,
    header: { device: 1, ino: 1, nlink: 1, uid: 501, gid: 20, fileSize: size, ...header },
    data: (async function* () {
      yield* chunks;
    })(),
  } as unknown as CpioEntry;
}

async function treeOf(made: readonly Made[], limit = 1000): Promise<Tree> {
  const tree = new Tree(limit);
  async function* all() {
    for (const one of made) yield entry(one);
  }
  for await (const { data } of tree.observe(all())) for await (const _ of data);
  return tree;
}

const ATTRIBUTES = (name: string) => {
  // AppleDouble with one extended attribute, by its layout: header, entry of the finder info, its attributes (xattr.h of copyfile).
  const head = Buffer.alloc(84 + 36 + 11 + name.length + 1);
  head.writeUInt32BE(0x00051607, 0);
  head.writeUInt32BE(0x00020000, 4);
  head.write('Mac OS X        ', 8, 'latin1');
  head.writeUInt16BE(2, 24);
  head.writeUInt32BE(9, 26);
  head.writeUInt32BE(50, 30);
  head.writeUInt32BE(head.length - 50, 34);
  head.writeUInt32BE(2, 38);
  head.writeUInt32BE(head.length, 42);
  head.write('ATTR', 84, 'latin1');
  head.writeUInt32BE(head.length, 92);
  head.writeUInt32BE(head.length, 96);
  head.writeUInt16BE(1, 118);
  head.writeUInt32BE(head.length, 120);
  head[130] = name.length + 1;
  head.write(name, 131, 'latin1');
  return head;
};

describe('Tree', () => {
  it('notes what every entry is', async () => {
    const { paths } = await treeOf([
      { path: '.', kind: 'directory' },
      { path: './a', data: 'abc' },
      { path: './l', kind: 'symlink', data: 'a/b' },
      { path: './tool', data: Buffer.concat([Buffer.from('cffaedfe0c000001', 'hex'), Buffer.alloc(56)]) },
    ]);
    expect(paths.map(({ path, kind, code, uid, gid, target }) => [path, kind, code, uid, gid, target])).toEqual([
      ['.', 'directory', false, 501, 20, undefined],
      ['./a', 'file', false, 501, 20, undefined],
      ['./l', 'symlink', false, 501, 20, 'a/b'],
      ['./tool', 'file', true, 501, 20, undefined],
    ]);
    // sha1sum and sha256sum of "abc".
    expect(paths[1]?.file).toMatchObject({ size: 3, isPackage: false, closed: undefined, content: undefined });
    expect(paths[1]?.file?.sha1.toString('hex')).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
    expect(paths[1]?.file?.sha256.toString('hex')).toMatch(/^ba7816bf8f01cfea414140de5dae2223/);
  });

  it('keeps the head of a file that comes in pieces, and no more of it', async () => {
    const data = ['ab', 'c'.repeat(20), 'd'.repeat(20)].map((text) => Buffer.from(text));
    const { paths } = await treeOf([{ path: './a', data }]);
    expect(paths[0]?.file?.head.toString()).toBe(`ab${'c'.repeat(20)}${'d'.repeat(10)}`);
    expect(paths[0]?.file?.size).toBe(42);
  });

  it('keeps the content of documents, as long as they are, and no more than two of the longest', async () => {
    const document = (name: string, size: number) => ({
      path: `./${name}.bundle/Contents/Info.plist`,
      data: Buffer.alloc(size, 'x'),
    });
    const tree = new Tree(10);
    const most = LIMITS.documentBytes;
    const sizes = { A: most, B: most + 1, C: most - 1, D: 1, E: 1 };
    async function* all() {
      yield entry({ path: './A.bundle/Contents/other', data: 'x' });
      for (const [name, size] of Object.entries(sizes)) yield entry(document(name, size));
    }
    const read = async () => {
      for await (const { data } of tree.observe(all())) for await (const _ of data);
    };
    await expect(read()).rejects.toThrow('bytes of documents');
    expect(tree.paths.map(({ file }) => file?.content?.length)).toEqual([undefined, most, undefined, most - 1, 1]);
  });

  it('refuses one entry more than its limit', async () => {
    const three = ['./a', './b', './c'].map((path) => ({ path }));
    expect((await treeOf(three, 3)).paths).toHaveLength(3);
    await expect(treeOf(three, 2)).rejects.toMatchObject({ message: expect.stringContaining('2 entries') });
  });

  it('refuses paths and links that are longer together than their limit', async () => {
    // The root and the link are two paths, counted as long as the longer one.
    const most = LIMITS.pathBytesPerEntry * 2;
    const link = (size: number) => [{ path: './l', kind: 'symlink' as const, data: 'x'.repeat(size) }];
    expect((await treeOf(link(most - 6), 2)).paths).toHaveLength(1);
    await expect(treeOf(link(most - 5), 2)).rejects.toThrow('bytes of paths');
  });

  it('counts folders that have no entry of their own', async () => {
    const path = `./${'d/'.repeat(99)}f`;
    // With the root.
    const most = 101 * path.length;
    const limit = Math.ceil(most / LIMITS.pathBytesPerEntry);
    expect((await treeOf([{ path }], limit)).paths).toHaveLength(1);
    await expect(treeOf([{ path }], limit - 1)).rejects.toThrow('bytes of paths');
  });

  it.each<[string, Partial<CpioEntry['header']>, Partial<CpioEntry['header']>, string, boolean]>([
    ['one file of two contents', { nlink: 2, ino: 7 }, { nlink: 2, ino: 7 }, 'y', true],
    ['one file of one content', { nlink: 2, ino: 7 }, { nlink: 2, ino: 7 }, 'x', false],
    ['two files', { nlink: 2, ino: 7 }, { nlink: 2, ino: 8 }, 'y', false],
    ['files of two disks', { nlink: 2, ino: 7, device: 1 }, { nlink: 2, ino: 7, device: 2 }, 'y', false],
    ['files of one name each', { nlink: 1, ino: 7 }, { nlink: 1, ino: 7 }, 'y', false],
  ])('takes hard links for a conflict only where they are %s', async (_, first, second, data, conflict) => {
    const made = [
      { path: './a', data: 'x', header: first },
      { path: './b', data, header: second },
    ];
    const { conflicts } = await treeOf(made);
    expect(conflicts).toEqual(conflict ? ['"./a" and "./b" are hard links to one file, and differ'] : []);
  });

  it('takes no fault of ours for a conflict', async () => {
    const claim = vi.spyOn(PathSurvey.prototype, 'claim').mockImplementation(() => {
      throw new TypeError('ours');
    });
    await expect(treeOf([{ path: './a' }])).rejects.toThrow('ours');
    claim.mockRestore();
  });

  it('takes two names for one as a conflict', async () => {
    expect((await treeOf([{ path: './a' }, { path: './A' }])).conflicts).toEqual([
      expect.stringContaining('names that differ'),
    ]);
  });

  it.each([
    ['./A.bundle/Contents/info.plist', 'is Contents/Info.plist on most disks'],
    ['./A.bundle/contents/Info.plist', 'is Contents/Info.plist on most disks'],
    ['./A.bundle/Contents/_codesignature/CodeResources', 'is Contents/_CodeSignature/CodeResources on most disks'],
    ['./A.bundle/Contents/Info-macos.plist', 'in place of the Info.plist beside it'],
    ['contents/Info.plist', 'is Contents/Info.plist on most disks'],
    ['Contents/Info-macos.plist', 'in place of the Info.plist beside it'],
    ['./A.bundle/contents/info-MacOS.plist', 'in place of the Info.plist beside it'],
  ])('takes %s for a conflict', async (path, words) => {
    expect((await treeOf([{ path }])).conflicts).toEqual([expect.stringContaining(words)]);
  });

  it.each([
    './A.bundle/Contents/Info.plist',
    './A.bundle/Contents/_CodeSignature/CodeResources',
    './A.bundle/MyContents/info.plist',
    './A.bundle/Contents/info.plist.old',
    './A.bundle/Contents/infoXplist',
    './A.bundle/Contents/Info-macosXplist',
    './A.bundle/Contents/MyInfo-macos.plist',
    './A.bundle/MyContents/Info-macos.plist',
    './A.bundle/Contents/Info-macos.plist.old',
    './A.bundle/Contents/Info-macosx.plist',
  ])('does not take %s for one', async (path) => {
    expect((await treeOf([{ path }])).conflicts).toEqual([]);
  });

  it('tells metadata from files, and signatures in it', async () => {
    const tree = await treeOf([
      { path: './a', data: 'x' },
      { path: './._a', data: ATTRIBUTES('com.apple.cs.CodeSignature') },
      { path: './b', data: 'x' },
      { path: './._b', data: ATTRIBUTES('com.apple.quarantine') },
      { path: './d', data: 'x' },
      { path: './._d', data: ATTRIBUTES('x.com.apple.cs.CodeSignature') },
      { path: './e', data: 'x' },
      { path: './._e', data: ATTRIBUTES('com.apple.csx') },
      { path: './f', kind: 'directory' },
      { path: './._f', kind: 'directory' },
      { path: './c', data: 'x' },
      { path: './._c', data: 'no metadata' },
      { path: './._alone', data: ATTRIBUTES('com.apple.cs.CodeSignature') },
      { path: './l', kind: 'symlink', data: 'a' },
    ]);
    expect([...tree.metadata]).toEqual([
      ['./._a', ['com.apple.cs.CodeSignature']],
      ['./._b', ['com.apple.quarantine']],
      ['./._d', ['x.com.apple.cs.CodeSignature']],
      ['./._e', ['com.apple.csx']],
    ]);
    expect([...tree.signedByAttributes]).toEqual(['a']);
    const index = tree.index();
    const has = (path: string) => index.entries.some((one) => one.path === path);
    expect(['a', 'b', 'c', '._c', '._alone', 'l'].filter((path) => !has(path))).toEqual([]);
    expect(['._a', '._b', 'f', '._f'].filter(has)).toEqual([]);
  });
});

describe('relativePath', () => {
  it.each([
    ['.', ''],
    ['./a', 'a'],
    ['./a/./b', 'a/./b'],
    ['a', 'a'],
    ['./.a', '.a'],
  ])('of %s is %j', (path, relative) => expect(relativePath(path)).toBe(relative));
});
