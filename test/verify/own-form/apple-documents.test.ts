import { describe, expect, it } from 'vitest';
import type { BomRecord } from '../../../src/bom/bom.ts';
import { documentDifferences, recordDifferences } from '../../../src/verify/own-form/apple-documents.ts';

describe('documentDifferences', () => {
  const said = (found: string, expected: string) => documentDifferences('A', Buffer.from(found), Buffer.from(expected));

  it.each<[string, string, string[]]>([
    ['<a x="1" y="2"><b/><c>t</c></a>', '<a y="2" x="1">\n <c> t </c><b/></a>', []],
    ['<a/>', '<b/>', ['A says /a, which is not ours', 'A does not say /b']],
    ['<a x="1"/>', '<a x="2"/>', ['A says /a x="1", which is not ours', 'A does not say /a x="2"']],
    ['<a>s</a>', '<a>t</a>', ['A says /a "s", which is not ours', 'A does not say /a "t"']],
    ['<a><b/><b/></a>', '<a><b/></a>', ['A says /a/b, which is not ours']],
    ['<a><b/></a>', '<a><b/><b/></a>', ['A does not say /a/b']],
    ['<a><b><c/></b></a>', '<a><b/><c/></a>', ['A says /a/b/c, which is not ours', 'A does not say /a/c']],
    ['<pkg-info generator-version="InstallCmds-681 (18F132)"/>', '<pkg-info/>', []],
    ['<pkg-info generator-version="InstallCmds-681"/>', '<pkg-info/>', []],
    [
      '<pkg-info generator-version="x"/>',
      '<pkg-info/>',
      ['A says /pkg-info generator-version="x", which is not ours', 'A does not say /pkg-info'],
    ],
    ['<scripts><preinstall file="a" timeout="600"/></scripts>', '<scripts><preinstall file="a"/></scripts>', []],
    ['<scripts><postinstall timeout="600"/></scripts>', '<scripts><postinstall/></scripts>', []],
    [
      '<scripts><postinstall timeout="60"/></scripts>',
      '<scripts><postinstall/></scripts>',
      ['A says /scripts/postinstall timeout="60", which is not ours', 'A does not say /scripts/postinstall'],
    ],
    [
      '<scripts timeout="600"/>',
      '<scripts/>',
      ['A says /scripts timeout="600", which is not ours', 'A does not say /scripts'],
    ],
  ])('of %s and %s', (found, expected, words) => expect(said(found, expected)).toEqual(words));

  // As pkgbuild of macOS 10.12 to 15 names itself; anything nearly so is told.
  it.each<[string, string, boolean]>([
    ['pkg-info', 'generator-version="InstallCmds-807 (21D62)"', true],
    ['pkg-info', 'generator-version="InstallCmds-807.1.2_x"', true],
    ['pkg-info', 'generator-version="InstallCmds-807 ()"', true],
    ['pkg-info', 'generator-version="InstallCmds-"', false],
    ['pkg-info', 'generator-version="xInstallCmds-807"', false],
    ['pkg-info', 'generator-version="InstallCmds-807/1"', false],
    ['pkg-info', 'generator-version="InstallCmds-807 (21D62"', false],
    ['pkg-info', 'generator-version="InstallCmds-807 (a) (b)"', false],
    ['pkg-info', 'generator-version="InstallCmds-807x (a)x"', false],
    ['pkg-info', 'timeout="600"', false],
    ...['preinstall', 'postinstall'].flatMap((name): [string, string, boolean][] => [
      [name, 'timeout="600"', true],
      [name, 'timeout="6000"', false],
      [name, 'timeout="1600"', false],
      [name, 'generator-version="InstallCmds-807"', false],
    ]),
    ['preflight', 'timeout="600"', false],
  ])('of <%s %s/> allows what Apple writes beside ours: %s', (name, attribute, allowed) => {
    expect(said(`<${name} ${attribute}/>`, `<${name}/>`)).toHaveLength(allowed ? 0 : 2);
  });

  it('shows 200 characters of a text', () => {
    expect(said(`<a>${'x'.repeat(300)}</a>`, '<a/>')[0]).toBe(`A says /a "${'x'.repeat(200)}", which is not ours`);
  });
});

describe('recordDifferences', () => {
  const RECORD = {
    path: './a',
    kind: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 5,
    cksum: 7,
    mtimeSeconds: 1,
  } as BomRecord;
  const differences = (change: object, kind = 'file') =>
    recordDifferences([{ ...RECORD, kind, ...change } as BomRecord], [{ ...RECORD, kind } as BomRecord]).length;

  it('are those of anything but the time, and the size of a folder', () => {
    expect(differences({})).toBe(0);
    expect(differences({ mtimeSeconds: 2 })).toBe(0);
    expect(differences({ pathOnly: false })).toBe(0);
    for (const change of [
      { path: './b' },
      { mode: 0o600 },
      { uid: 1 },
      { gid: 1 },
      { size: 6 },
      { cksum: 8 },
      { pathOnly: true },
    ])
      expect(differences(change), JSON.stringify(change)).toBe(1);
    expect(differences({ size: 6 }, 'directory')).toBe(0);
    expect(differences({ mode: 0o700 }, 'directory')).toBe(1);
  });

  it('do not depend on the order of records or of what they say', () => {
    const other = {
      mtimeSeconds: 9,
      size: 5,
      cksum: 7,
      gid: 0,
      uid: 0,
      mode: 0o644,
      kind: 'file',
      path: './a',
    } as BomRecord;
    const two = { ...RECORD, path: './b' } as BomRecord;
    expect(recordDifferences([two, other], [RECORD, two])).toEqual([]);
    expect(recordDifferences([two, two], [RECORD, two])).toHaveLength(1);
  });
});
