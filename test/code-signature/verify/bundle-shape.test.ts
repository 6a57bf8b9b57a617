import { describe, expect, it } from 'vitest';
import { deepBundle, findBundles } from '../../../src/code-signature/verify/bundle-shape.ts';
import { FileIndex, foldersAbove, isDocument } from '../../../src/code-signature/verify/file-index.ts';
import { nestedPaths } from '../../../src/code-signature/verify/verify-seal.ts';
import { digest, file, INFO, link, PLAIN } from './indexed.ts';

describe('nestedPaths', () => {
  it('are bundles and files in places for code alone', () => {
    const entries = [
      'MacOS/helper',
      'Helpers/tool',
      'Frameworks/B.framework/Versions/A/B',
      'PlugIns/C.bundle/Contents/MacOS/C',
      'Library/LoginItems/D.app/Contents/MacOS/D',
      'Library/Other/E.app/E',
      'Resources/F.bundle/F',
      'top',
      'XPCServices/G.xpc/x',
      'Frameworks/plain/lib',
    ];
    const index = new FileIndex([
      ...PLAIN,
      ...entries.map((path) => file(`A.app/Contents/${path}`)),
      link('A.app/Contents/MacOS/l', 'tool'),
    ]);
    expect(nestedPaths(deepBundle(index, 'A.app'), index)).toEqual([
      'Frameworks/B.framework',
      'Frameworks/plain/lib',
      'Helpers/tool',
      'Library/LoginItems/D.app',
      'MacOS/helper',
      'PlugIns/C.bundle',
      'XPCServices/G.xpc',
      'top',
    ]);
  });
});

describe('findBundles', () => {
  it.each<[string, readonly string[], string]>([
    ['A.app/Contents/Info.plist', [], 'deep A.app in A.app/Contents'],
    ['Contents/Info.plist', [], 'deep  in Contents'],
    ['B.framework/Versions/A/Resources/Info.plist', [], 'version B.framework/Versions/A in B.framework/Versions/A'],
    ['B.framework/Resources/Info.plist', [], 'version B.framework in B.framework'],
    ['C.bundle/Info.plist', [], 'flat C.bundle in C.bundle'],
    ['x/C.bundle/Info.plist', [], 'flat x/C.bundle in x/C.bundle'],
    ['plain/Info.plist', [], ''],
    ['C.1/Info.plist', [], ''],
    ['MyContents/Info.plist', [], ''],
    ['A.app/Contents/InfoXplist', [], ''],
    ['A.app/Contents/Info.plist.old', [], ''],
    ['A.app/Contents/MyInfo.plist', [], ''],
    ['A.app/Contents/x/Info.plist', [], ''],
    ['Versions/A/Resources/Info.plist', [], ''],
    ['B.framework/Versions/A/x/Resources/Info.plist', [], ''],
    ['B.framework/Versions/A/Resources/InfoXplist', [], ''],
    ['B.framework/Versions/A/MyResources/Info.plist', [], ''],
    ['x/Versions/10.2/Resources/Info.plist', [], 'version x/Versions/10.2 in x/Versions/10.2'],
    ['x/Versions/A/Resources/Info.plist', [], 'version x/Versions/A in x/Versions/A'],
    ['Bxframework/Resources/Info.plist', [], ''],
    ['B.frameworks/Resources/Info.plist', [], ''],
    ['x/.framework/Resources/Info.plist', [], 'version x/.framework in x/.framework'],
    ['.bundle/Info.plist', [], ''],
    ['x/.bundle/Info.plist', [], ''],
    ['C./Info.plist', [], ''],
    ['C.b1/Info.plist', [], ''],
    ['C.ABCxyz/Info.plist', [], 'flat C.ABCxyz in C.ABCxyz'],
    ['C.bundle/InfoXplist', [], ''],
    ['C.bundle/Info.plist.old', [], ''],
    ['A.app/Info.plist', ['A.app/Contents/Info.plist'], 'deep A.app in A.app/Contents'],
  ])('by %s', (path, more, expected) => {
    const found = findBundles(new FileIndex([path, ...more].map((one) => file(one, INFO))));
    expect(found.map(({ kind, root, sealed }) => `${kind} ${root} in ${sealed}`).join()).toBe(expected);
  });

  it('come in the order of their names, the outer one first', () => {
    const paths = ['A.app/Contents/PlugIns/B.bundle', 'A.app-x', 'A.app', 'A.app0'].map(
      (root) => `${root}/Contents/Info.plist`,
    );
    const found = findBundles(new FileIndex(paths.map((path) => file(path, INFO))));
    expect(found.map(({ root }) => root)).toEqual(['A.app', 'A.app-x', 'A.app/Contents/PlugIns/B.bundle', 'A.app0']);
  });

  it('take no error of ours for one of the file', () => {
    const broken = new Proxy(Buffer.from('x'), {
      get() {
        throw new TypeError('ours');
      },
    });
    const entry = { ...file('A.app/Contents/Info.plist', INFO), content: broken };
    expect(() => findBundles(new FileIndex([entry]))).toThrow('ours');
  });

  it('names the main executable, or finds it by the bundle’s name', () => {
    const executable = (root: string, info: string, ...more: string[]) =>
      findBundles(new FileIndex([file(root, info), ...more.map((one) => file(one))]))[0]?.executable;
    const named = (name: string) => INFO.replace('tool', name);
    const none = '<plist version="1.0"><dict/></plist>';
    expect(executable('A.app/Contents/Info.plist', INFO)).toBe('A.app/Contents/MacOS/tool');
    expect(executable('C.bundle/Info.plist', INFO)).toBe('C.bundle/tool');
    expect(executable('A.app/Contents/Info.plist', named('../x'))).toBeUndefined();
    expect(executable('A.app/Contents/Info.plist', named(''))).toBeUndefined();
    expect(executable('x/A.app/Contents/Info.plist', none, 'x/A.app/Contents/MacOS/A')).toBe(
      'x/A.app/Contents/MacOS/A',
    );
    expect(executable('tool.framework/Versions/A/Resources/Info.plist', none, 'tool.framework/Versions/A/tool')).toBe(
      'tool.framework/Versions/A/tool',
    );
    expect(executable('A./Contents/Info.plist', none, 'A./Contents/MacOS/A')).toBe('A./Contents/MacOS/A');
    expect(executable('A.b.c/Contents/Info.plist', none, 'A.b.c/Contents/MacOS/A.b')).toBe('A.b.c/Contents/MacOS/A.b');
    expect(executable('A/Contents/Info.plist', none, 'A/Contents/MacOS/A')).toBe('A/Contents/MacOS/A');
    expect(executable('A.app/Contents/Info.plist', none, 'A.app/Contents/MacOS/B')).toBeUndefined();
    expect(executable('C.bundle/Info.plist', none, 'C.bundle/C')).toBeUndefined();
  });
});

describe('isDocument', () => {
  it.each(['Info.plist', 'PkgInfo', 'CodeResources'])('is %s, wherever it lies', (name) => {
    for (const path of [name, `a/${name}`, `a/b/${name}`]) expect(isDocument(path), path).toBe(true);
    for (const path of [
      `x${name}`,
      `${name}x`,
      `a/x${name}`,
      `a/${name}/b`,
      name.toUpperCase(),
      name.replace('.', 'x').slice(1),
    ])
      expect(isDocument(path), path).toBe(false);
  });

  it('is no InfoXplist', () => expect(isDocument('a/InfoXplist')).toBe(false));
});

describe('FileIndex', () => {
  const paths = ['a', 'a-b', 'a.b', 'a/1', 'a/2', 'a/2/3', 'a0', 'ab/4', 'b'];
  const index = new FileIndex([...paths].reverse().map((path) => file(path)));

  it('finds what lies below a folder and nothing beside it', () => {
    const below = (folder: string) => index.below(folder).map(({ path }) => path);
    expect(below('')).toEqual([...paths].sort());
    expect(below('a')).toEqual(['a/1', 'a/2', 'a/2/3']);
    expect(below('a/2')).toEqual(['a/2/3']);
    expect(below('b')).toEqual([]);
    expect(['a', 'a/2', 'ab', 'b', 'z'].map((folder) => index.hasBelow(folder))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(paths.every((path) => index.get(path)?.path === path)).toBe(true);
  });

  it('keeps both of one path in their order, and finds the first', () => {
    const two = new FileIndex([file('a', '1'), file('b'), file('a', '2')]);
    expect(two.entries.map(({ path }) => path)).toEqual(['a', 'a', 'b']);
    expect(two.file('a')?.sha1.equals(digest('sha1', '1'))).toBe(true);
    expect(two.entries.map((one) => 'sha1' in one && one.sha1.equals(digest('sha1', '1')))).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('knows the folders above a path', () => {
    expect(foldersAbove('a/b/c')).toEqual(['a', 'a/b']);
    expect(foldersAbove('a/b/c/d')).toEqual(['a', 'a/b', 'a/b/c']);
    expect(foldersAbove('a')).toEqual([]);
  });
});
