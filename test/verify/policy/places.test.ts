import { describe, expect, it } from 'vitest';
import {
  absolutePath,
  installPlaces,
  linksBeyond,
  type PlacedPath,
  placements,
} from '../../../src/verify/policy/places.ts';
import { parseXml } from '../../../src/xml/xml.ts';

describe('absolutePath', () => {
  it.each([
    ['', '/'],
    ['.', '/'],
    ['/', '/'],
    ['//', '/'],
    ['a', '/a'],
    ['/a/', '/a'],
    ['./a/b//', '/a/b'],
    ['//etc//', '/etc'],
    ['/a/../../b', '/b'],
    ['/a\n/b/', '/a\n/b'],
    // Firmlinks: the volume of data has the same folders under another name.
    ['/System/Volumes/Data', '/'],
    ['/System/Volumes/Data/', '/'],
    ['/System/Volumes/Data/Library/x', '/Library/x'],
    ['/System/Volumes/Database/x', '/System/Volumes/Database/x'],
    ['/x/System/Volumes/Data/y', '/x/System/Volumes/Data/y'],
    // Links that every Mac has: /etc, /tmp and /var lead into /private.
    ['/private/etc', '/etc'],
    ['/private/tmp/x', '/tmp/x'],
    ['/private/var/db', '/var/db'],
    ['/private/variant', '/private/variant'],
    ['/private/x', '/private/x'],
    ['/x/private/etc', '/x/private/etc'],
    ['/System/Volumes/Data/private/etc/x', '/etc/x'],
    ['/e\u0301', '/\u00e9'],
  ])('%j is %j', (path, expected) => {
    expect(absolutePath(path)).toBe(expected);
  });
});

describe('installPlaces', () => {
  const [A, B] = [{ identifier: 'a', installLocation: '/A' }, { identifier: 'b' }];
  const places = (xml: string) => installPlaces([A, B], parseXml(Buffer.from(`<x>${xml}</x>`), 'x'));

  it('are where each component says, or the root', () => {
    expect(installPlaces([A, B], undefined)).toEqual([['/A'], ['/']]);
    expect(places('')).toEqual([['/A'], ['/']]);
  });

  it.each<[string, string[], string[]]>([
    ['<options customLocation="/o/"/>', ['/A', '/o'], ['/', '/o']],
    ['<choice customLocation="/c"><pkg-ref id="a"/></choice>', ['/A', '/c'], ['/']],
    ['<choice customLocation="/c"><pkg-ref id="b"/><pkg-ref/></choice>', ['/A'], ['/', '/c']],
    ['<choice customLocation="/c"><pkg-ref id="c"/></choice>', ['/A'], ['/']],
    ['<choice customLocation="/c"><pkg-ref/></choice>', ['/A', '/c'], ['/', '/c']],
    ['<choice customLocation="/c"/>', ['/A', '/c'], ['/', '/c']],
    ['<other customLocation="/c"><pkg-ref id="a"/></other>', ['/A', '/c'], ['/', '/c']],
    ['<y><choice customLocation="/c"><pkg-ref id="a"/></choice></y>', ['/A', '/c'], ['/']],
    ['<choice customLocation="/A"><pkg-ref id="a"/></choice>', ['/A'], ['/']],
    ['<choice><pkg-ref id="a" customLocation="/p"/></choice>', ['/A', '/p'], ['/', '/p']],
    ['<choice customLocation="/c"><pkg-ref id="c"/><pkg-ref id="a"/></choice>', ['/A', '/c'], ['/']],
    // Which capitals Installer heeds is not published.
    ['<choice customlocation="/c"/>', ['/A', '/c'], ['/', '/c']],
    ['<Choice CUSTOMLOCATION="/c"><PKG-ref ID="a"/></Choice>', ['/A', '/c'], ['/']],
  ])('beside it where %s says', (xml, ofA, ofB) => {
    expect(places(xml)).toEqual([ofA, ofB]);
  });

  it('are those that the Distribution itself names, too', () => {
    expect(installPlaces([A], parseXml(Buffer.from('<x customLocation="/r"/>'), 'x'))).toEqual([['/A', '/r']]);
  });
});

const folder = (path: string): PlacedPath => ({ path, kind: 'directory' });
const file = (path: string): PlacedPath => ({ path, kind: 'file' });
const link = (path: string, target: string): PlacedPath => ({ path, kind: 'symlink', target });
const placed = (...paths: PlacedPath[]) => placements([{ places: ['/'], paths }]);

describe('placements', () => {
  it('are every path in every place', () => {
    const found = placements([
      { places: ['/A', '/B'], paths: [folder('.'), file('./x')] },
      { places: ['/'], paths: [file('./y')] },
    ]);
    expect(found).toEqual([
      { said: '/A', real: '/A', kind: 'directory' },
      { said: '/A/x', real: '/A/x', kind: 'file' },
      { said: '/B', real: '/B', kind: 'directory' },
      { said: '/B/x', real: '/B/x', kind: 'file' },
      { said: '/y', real: '/y', kind: 'file' },
    ]);
  });

  it.each<[string, PlacedPath[], string, string | undefined]>([
    ['a link’s own place is its folder', [link('./a', '/b')], '/a', '/b'],
    ['a link that leads on from its folder', [link('./x/a', '../b')], '/x/a', '/b'],
    ['a link to where it lies', [link('./x/a', 'b/c')], '/x/a', '/x/b/c'],
    ['a file below a link', [link('./a', '/b'), file('./a/x')], '/b/x', undefined],
    ['a file below two links', [link('./a', '/b'), link('./b/c', '/d'), file('./a/c/x')], '/d/x', undefined],
    ['the link above is followed first', [link('./a/b', '/wrong'), link('./a', '/c'), file('./a/b/x')], '/c/b/x', undefined],
    ['a link to a link', [link('./b', '/c'), link('./a', '/b')], '/a', '/c'],
    ['a link to below a link', [link('./b', '/c'), link('./a', '/b/x')], '/a', '/c/x'],
    ['a name that only begins like a link', [link('./a', '/b'), file('./aa/x')], '/aa/x', undefined],
    ['a link to the root', [link('./a', '/'), file('./a/x')], '/x', undefined],
    ['a link to itself', [link('./a', 'a')], '/a', '/a'],
    ['an empty link', [link('./x/a', '')], '/x/a', '/x'],
    ['a link of the whole Mac', [link('./a', '/private/etc'), file('./a/x')], '/etc/x', undefined],
  ])('%s', (_, paths, real, leadsTo) => {
    const last = placed(...paths).at(-1);
    expect([last?.real, last?.leadsTo]).toEqual([real, leadsTo]);
  }); // biome-ignore format: a table

  it('follow the links of other components, too', () => {
    const found = placements([
      { places: ['/'], paths: [link('./a', '/b')] },
      { places: ['/a'], paths: [file('./x')] },
    ]);
    expect(found[1]).toEqual({ said: '/a/x', real: '/b/x', kind: 'file' });
  });

  // The kernel gives up behind the 32nd link (MAXSYMLINKS, sys/param.h).
  it.each([
    [32, '/l32/x'],
    [33, '/l32/x'],
    [31, '/l31/x'],
  ])('follow a chain of %i links to %s', (count, end) => {
    const chain = Array.from({ length: count }, (_, at) => link(`./l${at}`, `/l${at + 1}`));
    expect(placed(...chain, file('./l0/x')).at(-1)?.real).toBe(end);
  });
});

describe('linksBeyond', () => {
  const links = (count: number, bytes: number) =>
    Array.from({ length: count }, (_, at) => link(`./${at}`, 'x'.repeat(at === 0 ? bytes : 0)));

  it.each([
    [20_000, 0, false],
    [20_001, 0, true],
    [1, 2_000_000, false],
    [1, 2_000_001, true],
  ])('is for more than 20,000 links, of 100 bytes each (%i, %i)', (count, bytes, is) => {
    expect(linksBeyond([...links(count, bytes), file('./x')]) !== undefined).toBe(is);
  });

  it('counts all bytes', () => {
    expect(linksBeyond([...links(1, 1_000_001), ...links(1, 1_000_000)])).toMatchObject({ code: 'SIZE_LIMIT' });
  });
});
